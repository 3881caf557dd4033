//! Instances that do not hold what their gateway owns: every one is aligned, none is touched that somebody else is
//! changing, and what cannot be aligned is flagged once.

use crate::{
    config::{configuration, push, rollback, tts},
    rig::{Rig, account, calm, with_pairs, with_pairs_at},
};
use gf_model::{
    InstanceId, RevisionId,
    audit::AuditPhase,
    instance::{Instance, InstanceState},
    operation::OperationState,
};
use serde_json::{Value, json};
use std::time::Duration;

/// As if it took in memory now: nobody writes to it.
async fn sleeps(rig: &Rig, id: &InstanceId, state: InstanceState) {
    let write = rig.store.update(|fleet, tx| {
        let mut instance = fleet.instances[id].clone();
        (instance.state, instance.state_since) = (state, rig.engine.hands().clock.now());
        tx.put(instance);
    });
    write.await.unwrap();
}

async fn pushed(rig: &Rig, patch: Value) -> gf_model::operation::Operation {
    let rollout = push(rig, 1, patch, 50).await;
    let ended = rig.ended(&rollout).await;
    assert_eq!(ended.state, OperationState::Done, "{}", rig.picture());
    ended
}

/// Waits until a standby's own configuration was aligned, seen in its audit rows.
async fn aligned(rig: &Rig, times: usize) {
    for _ in 0..720 {
        let rows = rig.audit("config_align").await;
        if rows.iter().filter(|row| row.entry.phase == AuditPhase::Done).count() >= times {
            return;
        }
        rig.pass(5).await;
    }
    panic!("it was never aligned:\n{}", rig.picture());
}

#[tokio::test(start_paused = true)]
async fn a_rollout_reaches_a_standby_that_could_not_be_written_to_and_a_rollback_puts_it_back_too() {
    let (_world, rig) = with_pairs(1).await;
    pushed(&rig, json!({"tts": {"auto": "always"}, "session": {"dmScope": "per-peer"}})).await;
    let standby = rig.standby(1).id;
    sleeps(&rig, &standby, InstanceState::Draining).await;
    let second = pushed(&rig, json!({"tts": {"auto": "tagged"}})).await;
    let third = pushed(&rig, json!({"messages": {"responsePrefix": "[bot]"}})).await;
    assert_eq!(tts(&rig, 1).await, (json!("tagged"), json!("always")), "it could not be reached");
    sleeps(&rig, &standby, InstanceState::Active).await;
    aligned(&rig, 1).await;
    assert_eq!(tts(&rig, 1).await, (json!("tagged"), json!("tagged")));
    assert_eq!(rig.instance(&standby).revision, Some(RevisionId(3)));
    assert_eq!(rig.said.count("DRIFT"), 0, "a rollout that was made good is nobody's news");

    // Back, one after the other: each to what it had before, and nothing needs to be aligned afterwards.
    for (rollout, prefix, auto) in [(&third, Value::Null, "tagged"), (&second, Value::Null, "always")] {
        let back = rollback(&rig, &rollout.id).await.unwrap();
        assert_eq!(rig.ended(&back).await.state, OperationState::Done, "{}", rig.picture());
        for id in [rig.primary(1).id, standby.clone()] {
            let now = configuration(&rig, &id).await;
            assert_eq!((&now["tts"]["auto"], &now["messages"]["responsePrefix"]), (&json!(auto), &prefix));
            assert_eq!(now["session"]["dmScope"], json!("per-peer"), "what was before stays");
        }
    }
    rig.pass(600).await;
    assert_eq!(rig.audit("config_align").await.len(), 2, "{}", rig.picture());
    rig.audit_is_whole().await;
}

#[tokio::test(start_paused = true)]
async fn what_somebody_changed_by_hand_is_put_back_and_told_once_and_their_other_keys_stay() {
    let (_world, rig) = with_pairs(1).await;
    let rollout = pushed(&rig, json!({"tts": {"auto": "tagged"}})).await;
    let primary = rig.primary(1).id;
    rig.sim.edit(&primary, &json!({"tts": {"auto": "off", "theirs": 1}})).unwrap();
    aligned(&rig, 1).await;
    let now = configuration(&rig, &primary).await;
    assert_eq!(now["tts"], json!({"auto": "tagged", "theirs": 1}));
    rig.pass(600).await;
    assert_eq!(rig.said.count("DRIFT"), 1, "{:?}", rig.said.texts());
    assert_eq!(rig.audit("config_align").await.len(), 2, "begun once and ended once");
    // The way back is the rollout's own, not the one from the edit.
    let back = rollback(&rig, &rollout.id).await.unwrap();
    assert_eq!(rig.ended(&back).await.state, OperationState::Done);
    assert_eq!(tts(&rig, 1).await, (Value::Null, Value::Null));
}

#[tokio::test(start_paused = true)]
async fn a_malformed_one_is_flagged_once_tried_seldom_and_aligned_when_it_was_repaired() {
    let (_world, rig) = with_pairs(1).await;
    pushed(&rig, json!({"tts": {"auto": "tagged"}})).await;
    let standby = rig.standby(1).id;
    rig.sim.malform(&standby).unwrap();
    rig.until("it was flagged", |fleet| fleet.instances[&standby].flagged.is_some()).await;
    rig.pass(4 * 3600).await;
    rig.delivered().await;
    assert_eq!(rig.said.count("FLAGGED"), 1, "{:?}", rig.said.texts());
    let tries = rig.audit("config_align").await.len() / 2;
    assert!((5..=12).contains(&tries), "{tries} tries in four hours");
    rig.sim.repair(&standby).unwrap();
    rig.until("its flag was taken down", |fleet| fleet.instances[&standby].flagged.is_none()).await;
    assert_eq!(tts(&rig, 1).await, (json!("tagged"), json!("tagged")));
}

#[tokio::test(start_paused = true)]
async fn a_standby_is_born_with_what_is_owned_now_and_not_with_what_its_copy_held() {
    let cadence = gf_reconcile::Cadence { snapshot: Duration::from_secs(60), ..calm() };
    let (_world, rig) = with_pairs_at(1, cadence).await;
    pushed(&rig, json!({"tts": {"auto": "always"}})).await;
    rig.sim.chat(&rig.primary(1).id).unwrap();
    rig.until("it was copied", |fleet| fleet.newest_snapshot(&account(1)).is_some()).await;
    let old = rig.standby(1).id;
    rig.sim.break_start(&old, Some(gf_node_proto::FailureReason::StateUnreadable)).unwrap();
    pushed(&rig, json!({"tts": {"auto": null}, "messages": {"responsePrefix": "[bot]"}})).await;
    rig.sim.kill(&old).unwrap();
    let fresh = |it: &Instance| it.id != old && it.is_active();
    rig.until("it was replaced", |fleet| fleet.standby_of(&account(1)).is_some_and(fresh)).await;
    let standby = rig.standby(1);
    let now = configuration(&rig, &standby.id).await;
    assert_eq!((now["tts"].get("auto"), &now["messages"]["responsePrefix"]), (None, &json!("[bot]")));
    assert_eq!(standby.revision, Some(RevisionId(2)));
    rig.pass(600).await;
    assert!(rig.audit("config_align").await.is_empty(), "it had to be aligned");
}
