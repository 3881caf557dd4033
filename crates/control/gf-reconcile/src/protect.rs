//! Carries out what [`crate::decide`] found to be due, and tells people what was done, once.

use crate::{
    Reconcilers,
    decide::{self, Protect},
    incidents,
};
use gf_model::{
    NoticeId, OperationId,
    notice::{Notice, Recipient, Severity},
    person::Principal,
    verb::Verb,
};
use gf_requests::{Caller, Options, Outcome};
use serde_json::json;

/// The policy's rule that holds failovers back while too much of the fleet is moving.
const BREAKER_HALTED: &str = "breaker_halted";

pub(crate) async fn run(all: Reconcilers) {
    let hands = all.engine.hands();
    let mut changed = hands.store.changed();
    loop {
        changed.borrow_and_update();
        let now = hands.clock.now();
        incidents::keep_up(&all, now).await;
        for act in hands.store.read(|fleet| decide::due(fleet, now)) {
            carry_out(&all, act).await;
        }
        // Time alone makes things due too, such as a restart that was waited for.
        if !crate::next_look(&mut changed, all.cadence.protect).await {
            return;
        }
    }
}

async fn carry_out(all: &Reconcilers, act: Protect) {
    let (verb, account, told) = match act {
        Protect::Restart { account, instance, reason } => {
            let told = format!("HEALING: {reason}. Restarting it.");
            (Verb::Restart { instances: vec![instance], reason, concurrency: 1 }, account, Some(told))
        }
        Protect::Failover { account, reason } => {
            let told = format!("FAILOVER: {reason}. Moving {account} to its standby.");
            (Verb::Failover { account: account.clone(), reason }, account, Some(told))
        }
        Protect::RebuildStandby { account } => {
            (Verb::RebuildStandby { account: account.clone() }, account, None)
        }
        Protect::Critical { account, instance, why } => {
            return incidents::call_a_person(all, &account, &instance, &why).await;
        }
    };
    let caller = Caller {
        principal: Principal::Service("guardian".into()),
        conversation: None,
        trace: String::new(),
        may_approve: false,
    };
    match all.requests.request(&caller, verb, Options::default()).await {
        Ok(Outcome::Started(operation)) => {
            if let Verb::Failover { reason, .. } = &operation.verb {
                incidents::failing_over(all, &account, &operation.id, reason).await;
            }
            if let Some(text) = told {
                let key = format!("protecting:{}", operation.id);
                tell(all, key, Severity::Warning, text, look_at_operation(&operation.id)).await;
            }
        }
        Ok(other) => tracing::error!(%account, ?other, "a protective act was not started"),
        Err(refusal) if refusal.code == BREAKER_HALTED => {
            // Told once an hour at most, however many pairs wait behind the breaker.
            let hour = all.engine.hands().clock.now().as_second() / 3600;
            let text = format!(
                "CRITICAL: {refusal}. Failovers are held back until a person or a second witness says so."
            );
            tell(all, format!("breaker:{hour}"), Severity::Critical, text, "gf_fleet_status {}".to_owned())
                .await;
        }
        Err(refusal) => {
            tracing::warn!(%account, %refusal, "a protective act was refused; looking again later")
        }
    }
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
