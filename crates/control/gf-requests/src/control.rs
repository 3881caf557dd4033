//! What may be done to an operation that runs, and by whom.

use crate::{Caller, Refusal, Requests};
use gf_model::{
    OperationId,
    operation::Operation,
    person::{PersonRole, Principal},
    provider::ProviderId,
};
use gf_operations::Act;

impl Requests {
    /// Asks a provider how it is, and keeps its answer. That changes nothing at anybody's.
    pub async fn ask_provider(&self, id: &ProviderId) -> Result<(), Refusal> {
        gf_operations::ask_status(self.engine().hands(), id).await?;
        Ok(())
    }

    /// Pausing, resuming and cancelling stop harm; whoever may start things may do that. What changes more — a
    /// rollback, a retry — is a request of its own for an agent, and confirmed by the key of a person.
    pub async fn control(&self, caller: &Caller, id: &OperationId, act: Act) -> Result<Operation, Refusal> {
        self.may_control(caller, act)?;
        self.may_go_on(caller, act)?;
        Ok(self.engine().control(id, act, &caller.principal).await?)
    }

    /// While automation is frozen only a person lets anything go on.
    fn may_go_on(&self, caller: &Caller, act: Act) -> Result<(), Refusal> {
        let goes_on = matches!(act, Act::Resume | Act::Retry | Act::Rollback);
        if !goes_on || matches!(caller.principal, Principal::Person(_)) {
            return Ok(());
        }
        match self.store().read(|fleet| fleet.frozen().is_some()) {
            true => Err(Refusal::new(
                409,
                "frozen",
                format!("automation is frozen: {} may not", caller.principal),
            )
            .fix("a person can with their own key, or thaw: clawops thaw")),
            false => Ok(()),
        }
    }

    fn may_control(&self, caller: &Caller, act: Act) -> Result<(), Refusal> {
        let refused = |who: &str| {
            Refusal::new(403, "not_permitted", format!("{who} may not {} an operation", act.name()))
                .fix("ask an operator, or use your own key: clawops op …")
        };
        match &caller.principal {
            Principal::Service(_) => Ok(()),
            Principal::Agent(name) if name == "commander" && !matches!(act, Act::Rollback | Act::Retry) => {
                Ok(())
            }
            Principal::Agent(name) => Err(refused(&format!("agent {name}"))),
            Principal::Person(id) => {
                let role = self.store().read(|fleet| fleet.people.get(id).map(|person| person.role));
                match role {
                    Some(role) if role >= PersonRole::Operator => Ok(()),
                    _ => Err(refused(id.as_str())),
                }
            }
        }
    }
}
