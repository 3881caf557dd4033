//! Carries out what [`crate::decide`] found to be due, and tells people what was done, once.

use crate::{
    Reconcilers,
    decide::{self, Protect},
    incidents,
    looks::Looks,
    pairs::Pairs,
    statuses,
};
use gf_model::{
    AccountId, NoticeId, OperationId,
    notice::{Notice, Recipient, Severity},
    person::Principal,
    verb::Verb,
};
use gf_policy::breaker;
use gf_requests::{Act, Caller, Options, Outcome};
use serde_json::json;
use std::{collections::HashMap, time::Duration};
use tokio::time::Instant;

/// Somebody has changed the pair since, so that the old plan does not hold any more.
const MOVED_ON: &str = "moved_on";

/// The policy's rule that holds failovers back while too much of the fleet is moving.
const BREAKER_HALTED: &str = "breaker_halted";

pub(crate) async fn run(all: Reconcilers, pairs: Pairs) {
    let hands = all.engine.hands();
    // Time alone makes things due too, such as a restart that was waited for.
    let mut looks = Looks::new(&hands.store, all.cadence.protect);
    let mut in_vain = InVain::default();
    loop {
        let now = hands.clock.now();
        let (has_news, frozen, has_room, due) = looks.look(|fleet| {
            let due = pairs.look(fleet, |index| decide::due_of(fleet, index.uneasy(), now));
            let has_news = !incidents::followed(fleet, now).is_empty();
            (has_news, fleet.frozen().is_some(), breaker::has_room(fleet), due)
        });
        if has_news {
            incidents::keep_up(&all).await;
        }
        // A person is called whatever is frozen.
        let (calls, acts): (Vec<_>, Vec<_>) =
            due.into_iter().partition(|act| matches!(act, Protect::Critical { .. }));
        for call in calls {
            carry_out(&all, call).await;
        }
        match frozen {
            true if !acts.is_empty() => tell_of_held(&all, &acts).await,
            true => {}
            false => {
                in_vain.forget();
                let may_go = |act: &Protect| has_room || !matches!(act, Protect::Failover { .. });
                for act in acts.into_iter().filter(may_go) {
                    let account = act.account().clone();
                    if in_vain.may_ask(&account) && !carry_out(&all, act).await {
                        in_vain.refused(account);
                    }
                }
            }
        }
        if !looks.next().await {
            return;
        }
    }
}

/// What was refused is not asked for again at once: every refusal is an audit row, and every row a reason to look.
#[derive(Default)]
struct InVain(HashMap<AccountId, Instant>);

impl InVain {
    const PAUSE: Duration = Duration::from_secs(10);

    fn forget(&mut self) {
        self.0.retain(|_, at| at.elapsed() < Self::PAUSE);
    }

    fn may_ask(&self, account: &AccountId) -> bool {
        !self.0.contains_key(account)
    }

    fn refused(&mut self, account: AccountId) {
        self.0.insert(account, Instant::now());
    }
}

/// Whether it was not refused.
async fn carry_out(all: &Reconcilers, act: Protect) -> bool {
    let (verb, account, told) = match act {
        Protect::Restart { account, instance, reason } => {
            let told = format!("HEALING: {reason}. Restarting it.");
            (Verb::Restart { instances: vec![instance], reason, concurrency: 1 }, account, Some(told))
        }
        Protect::Failover { account, reason } => {
            let told = format!("FAILOVER: {reason}. Moving {account} to its standby.");
            (Verb::Failover { account: account.clone(), reason, outage: None }, account, Some(told))
        }
        Protect::RebuildStandby { account } => {
            (Verb::RebuildStandby { account: account.clone() }, account, None)
        }
        Protect::Reconnect { account, operation } => return reconnect(all, &account, &operation).await,
        Protect::Critical { account, instance, why } => {
            incidents::call_a_person(all, &account, &instance, &why).await;
            return true;
        }
    };
    match all.requests.request(&guardian(), verb, Options::default()).await {
        Ok(Outcome::Started(operation)) => {
            if let Verb::Failover { reason, .. } = &operation.verb {
                incidents::failing_over(all, &account, &operation.id, reason).await;
            }
            if let Some(text) = told {
                let key = format!("protecting:{}", operation.id);
                tell(all, key, Severity::Warning, text, look_at_operation(&operation.id)).await;
            }
        }
        Ok(other) => {
            tracing::error!(%account, ?other, "a protective act was not started");
            return false;
        }
        Err(refusal) if refusal.code == BREAKER_HALTED => {
            // The provider's own word is a second witness: with it, the next look goes on.
            let provider =
                all.engine.hands().store.read(|fleet| Some(fleet.primary_of(&account)?.provider.clone()));
            if let Some(provider) = provider {
                statuses::ask(all, &provider).await;
            }
            // Told once an hour at most, however many pairs wait behind the breaker.
            let hour = all.engine.hands().clock.now().as_second() / 3600;
            let text = format!(
                "CRITICAL: {refusal}. Failovers are held back until a person or a second witness says so."
            );
            tell(all, format!("breaker:{hour}"), Severity::Critical, text, "gf_fleet_status {}".to_owned())
                .await;
            return false;
        }
        Err(refusal) => {
            tracing::warn!(%account, %refusal, "a protective act was refused; looking again later");
            return false;
        }
    }
    true
}

/// How many pairs a sentence names.
const NAMED: usize = 5;

/// Said once an hour at most, however much waits: whoever froze automation heals by hand meanwhile.
async fn tell_of_held(all: &Reconcilers, acts: &[Protect]) {
    let hour = all.engine.hands().clock.now().as_second() / 3600;
    let named: Vec<_> = acts.iter().take(NAMED).map(|act| act.account().to_string()).collect();
    let more = match acts.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let text = format!(
        "HELD BACK: automation is frozen, and {}{more} would be healed. Do it by hand, or thaw.",
        named.join(", ")
    );
    tell(all, format!("frozen:{hour}"), Severity::Critical, text, "gf_fleet_status {}".to_owned()).await;
}

fn guardian() -> Caller {
    Caller {
        principal: Principal::Service("guardian".into()),
        conversation: None,
        trace: String::new(),
        may_approve: false,
    }
}

/// The pair was moved and nobody has its channels yet: the move goes on where it was cut off.
async fn reconnect(all: &Reconcilers, account: &AccountId, operation: &OperationId) -> bool {
    match all.requests.control(&guardian(), operation, Act::Retry).await {
        Ok(_) => {
            tracing::warn!(%account, %operation, "its primary has no channels; going on with what was cut off");
            return true;
        }
        Err(refusal) if refusal.code == MOVED_ON => {
            let primary = all.engine.hands().store.read(|fleet| fleet.gateways.get(account)?.primary.clone());
            if let Some(primary) = primary {
                let why = format!("{primary} was promoted and has no channels, and {refusal}");
                incidents::call_a_person(all, account, &primary, &why).await;
            }
        }
        Err(refusal) => tracing::warn!(%account, %operation, %refusal, "not taken up; looking again later"),
    }
    false
}

fn look_at_operation(id: &OperationId) -> String {
    format!("gf_operation {}", json!({ "id": id, "action": "get" }))
}

/// Writes the notice unless one with this key was written before.
async fn tell(all: &Reconcilers, key: String, severity: Severity, text: String, look_at: String) {
    let hands = all.engine.hands();
    let now = hands.clock.now();
    let bits = hands.entropy.next_u64();
    let write = hands.store.update(|fleet, tx| {
        if fleet.notices.values().any(|notice| notice.key == key) {
            return;
        }
        tx.put(Notice {
            id: NoticeId::from_bits(bits, 8),
            key,
            recipient: Recipient::Operators,
            severity,
            text,
            look_at: Some(look_at),
            created_at: now,
            delivered_at: None,
            attempts: 0,
            last_error: None,
        });
    });
    if let Err(error) = write.await {
        tracing::error!(%error, "a notice could not be written down");
    }
}
