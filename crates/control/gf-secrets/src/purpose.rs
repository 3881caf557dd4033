//! What a value is revealed for, and who may have it. Pure: it only looks at the fleet.

use crate::{Scope, SecretsError};
use gf_model::{InstanceId, NodeId, fleet::Fleet, instance::InstanceState};

/// What a value is revealed for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// An instance of the account that the secret belongs to, through the node that it is on.
    Instance { node: NodeId, instance: InstanceId },
    /// The control plane itself, in words: `signing COMPANION's webhook`. Only for secrets of the fleet.
    ControlPlane(&'static str),
}

/// An account's secrets go to that account's living instances on their own node, and nowhere else.
pub(crate) fn may_have(fleet: &Fleet, purpose: &Purpose, scope: &Scope) -> Result<(), SecretsError> {
    let (node, id) = match (purpose, scope) {
        (Purpose::ControlPlane(_), Scope::Fleet) => return Ok(()),
        (Purpose::ControlPlane(what), Scope::Account(_)) => {
            return Err(refused(what, scope, "the control plane itself uses only the fleet's own".into()));
        }
        (Purpose::Instance { node, instance }, _) => (node, instance),
    };
    let Some(instance) = fleet.instances.get(id) else {
        return Err(refused(id.as_str(), scope, "there is no such instance".into()));
    };
    match scope {
        Scope::Account(account) if instance.account != *account => {
            Err(refused(id.as_str(), scope, format!("it belongs to {}", instance.account)))
        }
        _ if matches!(instance.state, InstanceState::TearingDown | InstanceState::Deleted) => {
            Err(refused(id.as_str(), scope, format!("it is {}", instance.state)))
        }
        _ if instance.node.as_ref() != Some(node) => {
            Err(refused(id.as_str(), scope, format!("it is not on {node}")))
        }
        _ => Ok(()),
    }
}

fn refused(who: &str, scope: &Scope, why: String) -> SecretsError {
    SecretsError::NotTheirs { who: who.to_owned(), scope: scope.to_string(), why }
}
