//! Every kind of operation, with each of its calls to providers and machines refused: once for the moment, and then
//! that call for good.
//!
//! What is refused for the moment changes nothing about the end. Whatever is refused for good: the operation ends all
//! the same, nothing is left that nobody knows, no two instances of a pair act, a person is told where they must look,
//! and once nothing is refused any more, a person's retry brings the fleet to rest.

use crate::{
    cut::{Moment, Story, is_settled, is_sound, known_operations, new_of, prepare, runtime, shape},
    rig::{Rig, person},
    stories::{self, told_everywhere},
};
use gf_driver_sim::Refusal;
use gf_model::{
    OperationId,
    fleet::Fleet,
    notice::Severity,
    operation::{Operation, OperationState},
};
use gf_requests::Act;

/// What the control plane does by itself after the end may be refused too, and is tried again and again.
const AFTERWARDS_SECONDS: u64 = 300;
/// What could not be written to is aligned afterwards, an hour later at the latest.
const ALIGNED_MINUTES: u32 = 70;

/// What a person would call the outcome, but for archives: what is asked for anew makes another.
fn seen(rig: &Rig) -> Vec<String> {
    shape(rig).into_iter().filter(|line| !line.ends_with("archives")).collect()
}

/// The story with its so-manieth call refused; how many calls there were, and its shape once all was over.
fn case(
    story: &Story,
    moment: &Moment,
    (nth, refusal): (u64, Refusal),
    undisturbed: Option<&[String]>,
) -> (u64, Vec<String>) {
    runtime().block_on(async {
        let (rig, _) = moment.begin().await;
        let known = known_operations(&rig);
        rig.sim.refuse(nth, refusal);
        (story.act)(&rig).await;
        let about = |fleet: &Fleet| new_of(fleet, story.verb, &known).cloned();
        rig.until("it ended", |fleet| about(fleet).is_some_and(|own| own.finished_at.is_some())).await;
        let ended = rig.read(about).unwrap();
        match refusal {
            Refusal::ForNow => rig.until("all is settled", is_settled).await,
            Refusal::ForGood => rig.pass(AFTERWARDS_SECONDS).await,
        }
        is_sound(&rig).await;
        let calls = rig.sim.calls();
        let refused = rig.sim.refuse_nothing().unwrap_or_default();
        if ended.state != story.ends {
            assert_eq!(refusal, Refusal::ForGood, "{refused} once\n{}", rig.picture());
            is_told(&rig, &ended).await;
            again(&rig, story, &ended.id, &refused).await;
        }
        rig.until(&format!("all is settled after {refused}"), is_settled).await;
        is_sound(&rig).await;
        let mut looks = seen(&rig);
        for _ in 0..ALIGNED_MINUTES {
            if undisturbed.is_none_or(|undisturbed| looks == undisturbed) {
                break;
            }
            rig.pass(60).await;
            looks = seen(&rig);
        }
        moment.world.time.end();
        (calls, looks)
    })
}

async fn is_told(rig: &Rig, ended: &Operation) {
    let about = format!("ended:{}", ended.id);
    rig.delivered().await;
    let told = rig.read(|fleet| {
        let own = fleet.notices.values().filter(|notice| notice.key.starts_with(&about));
        own.map(|notice| notice.severity).max()
    });
    let least = match ended.state {
        OperationState::Stuck => Severity::Critical,
        OperationState::Failed | OperationState::Partial => Severity::Warning,
        _ => Severity::Info,
    };
    assert!(told >= Some(least), "{} ended {:?}, told as {told:?}", ended.id, ended.state);
}

/// A person has it done again, or asks for it anew where the fleet has moved on since.
async fn again(rig: &Rig, story: &Story, id: &OperationId, refused: &str) {
    let retried = rig.requests.control(&person("ada"), id, Act::Retry).await;
    let id = match retried {
        Ok(_) => id.clone(),
        Err(why) => {
            assert_eq!(why.status, 409, "after {refused} it cannot be retried: {why}\n{}", rig.picture());
            rig.until("it is held no more", is_settled).await;
            let known = known_operations(rig);
            (story.act)(rig).await;
            rig.read(|fleet| new_of(fleet, story.verb, &known).unwrap().id.clone())
        }
    };
    rig.until("it ended", |fleet| fleet.operations[&id].finished_at.is_some()).await;
    assert_eq!(
        rig.read(|fleet| fleet.operations[&id].state),
        story.ends,
        "after {refused}\n{}",
        rig.picture()
    );
}

/// Refuses every call that there is, one after the other.
fn everywhere(story: &Story) {
    let moment = prepare(story);
    let (calls, undisturbed) = case(story, &moment, (0, Refusal::ForNow), None);
    assert!(calls > 0, "{} calls nobody", story.verb);
    for nth in 1..=calls {
        for refusal in [Refusal::ForNow, Refusal::ForGood] {
            let (_, seen) = case(story, &moment, (nth, refusal), Some(&undisturbed));
            assert_eq!(seen, undisturbed, "call {nth} of {calls}, {refusal:?}");
        }
    }
}

told_everywhere!(
    // It calls nobody.
    but ["provider_policy"];
    provision,
    teardown,
    restore,
    resize,
    restart,
    failover_and_the_standby_that_follows,
    config_push,
    rollback,
    update_nodes,
    update_nodes_of_which_a_ring_goes_back,
);
