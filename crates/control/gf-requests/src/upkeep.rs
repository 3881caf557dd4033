//! Pins and maintenance windows of gateways: a record that plans look at, set and taken away by a person.

use crate::{Caller, Refusal, Requests, approve::settled};
use gf_model::{
    AccountId,
    audit::AuditEntry,
    fleet::Fleet,
    gateway::Gateway,
    person::{PersonRole, Principal},
    upkeep::{Pin, Upkeep, Window},
};
use serde_json::json;

/// What is to change of a gateway's upkeep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keep {
    Pinned { reason: String },
    Unpinned,
    Within(Window),
    AtAnyTime,
}

impl Keep {
    const fn action(&self) -> &'static str {
        match self {
            Self::Pinned { .. } => "upkeep.pin",
            Self::Unpinned => "upkeep.unpin",
            Self::Within(_) => "upkeep.window",
            Self::AtAnyTime => "upkeep.any_time",
        }
    }
}

impl Requests {
    /// The gateway's upkeep afterwards. Plans from now on go by it; what was planned before is planned anew at its yes.
    pub async fn keep(&self, caller: &Caller, account: &AccountId, keep: Keep) -> Result<Upkeep, Refusal> {
        let now = self.clock().now();
        let write = self.store().transact(|fleet, tx| {
            may_keep(fleet, caller)?;
            let gateway = fleet.gateways.get(account).ok_or_else(|| Refusal::unknown("account", account))?;
            let mut upkeep = gateway.upkeep.clone();
            let action = keep.action();
            match keep {
                Keep::Pinned { reason } => {
                    let by = caller.principal.clone();
                    upkeep.pin = Some(Pin { revision: gateway.revision, reason, by, at: now });
                }
                Keep::Unpinned => upkeep.pin = None,
                Keep::Within(window) => upkeep.window = Some(window),
                Keep::AtAnyTime => upkeep.window = None,
            }
            let targets = vec![account.to_string()];
            let detail = json!({ "before": gateway.upkeep, "after": upkeep });
            let row = AuditEntry::noted(now, caller.principal.clone(), action, targets, detail);
            tx.audit(row.within(&caller.trace));
            tx.put(Gateway { upkeep: upkeep.clone(), ..gateway.clone() });
            Ok(upkeep)
        });
        settled(write.await)
    }
}

fn may_keep(fleet: &Fleet, caller: &Caller) -> Result<(), Refusal> {
    let may = matches!(&caller.principal, Principal::Person(id)
        if fleet.people.get(id).is_some_and(|person| !person.disabled && person.role >= PersonRole::Operator));
    match may {
        true => Ok(()),
        false => Err(Refusal::new(403, "not_permitted", format!("{} may not change that", caller.principal))
            .fix("an operator can with their own key: clawops pin, clawops window")),
    }
}
