//! The rest of an account's life: other sizes, restarts, its end with what is kept, and its return.

use crate::rig::{Rig, account, accounts, agent, fresh, person, provision, with_pairs};
use gf_driver_sim::CallFault;
use gf_model::{
    Tier,
    gateway::Desired,
    instance::InstanceState,
    operation::{LaneState, MemorySource, OperationState, Step},
    provider::Pool,
    verb::{SilenceScope, TeardownReason, Verb},
};
use gf_requests::{Act, Options, Outcome};

fn teardown(count: u32, archive: bool) -> Verb {
    Verb::Teardown {
        accounts: accounts(count),
        reason: TeardownReason::OperatorRequest,
        archive,
        standby_only: false,
    }
}

async fn done(rig: &Rig, verb: Verb) -> gf_model::operation::Operation {
    let operation = rig.confirmed(verb).await;
    let ended = rig.ended(&operation).await;
    assert_eq!(ended.state, OperationState::Done, "{}", rig.picture());
    ended
}

#[tokio::test(start_paused = true)]
async fn torn_down_with_an_archive_and_restored_from_it() {
    let (_world, rig) = with_pairs(1).await;
    let primary = rig.primary(1).id;
    rig.sim.chat(&primary).unwrap();
    done(&rig, teardown(1, true)).await;
    assert_eq!(rig.sim.len(), 0, "nothing is left at the providers");
    let gateway = rig.gateway(1);
    assert_eq!(
        (gateway.desired, &gateway.primary, &gateway.standby, &gateway.endpoint),
        (Desired::Archived, &None, &None, &None)
    );
    let archive = gateway.archive.unwrap();
    assert!(rig.read(|fleet| fleet.archives.contains_key(&archive)));
    rig.pass(3600).await;
    assert_eq!(rig.sim.len(), 0, "what is archived is not rebuilt");

    let restore = Verb::Restore { account: account(1), archive: None, snapshot: None, reason: "test".into() };
    let restored = done(&rig, restore).await;
    let sources: Vec<_> = rig.read(|fleet| {
        let steps = fleet.lanes_of(&restored.id).flat_map(|lane| lane.lane.steps.clone());
        steps
            .filter_map(|step| match step.step {
                Step::CreateInstance { memory, .. } => Some(memory),
                _ => None,
            })
            .collect()
    });
    assert_eq!(sources, vec![Some(MemorySource::Archive(archive.clone())); 2]);
    assert_eq!(rig.sim.memory(&rig.primary(1).id).unwrap(), 1);
    assert_eq!(rig.gateway(1).desired, Desired::Pair);
    rig.delivered().await;
    assert_eq!(rig.said.events(), ["gateway.archived", "gateway.active"]);
    rig.audit_is_whole().await;
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_teardown_serves_its_user_again() {
    let (_world, rig) = with_pairs(1).await;
    let (primary, standby) = (rig.primary(1), rig.standby(1));
    assert!(primary.channels_on);
    rig.sim.next_call(&standby.provider, CallFault::RateLimit(std::time::Duration::from_secs(60)));
    let operation = rig.confirmed(teardown(1, true)).await;
    rig.until("it waits for the provider, with its channels closed", |fleet| {
        !fleet.instances[&primary.id].channels_on
            && fleet.instances[&standby.id].state == InstanceState::TearingDown
    })
    .await;
    rig.requests.control(&person("ada"), &operation.id, Act::Cancel).await.unwrap();
    let ended = rig.ended(&operation).await;
    assert_eq!(ended.state, OperationState::Cancelled, "{}", rig.picture());
    assert_eq!(rig.primary(1).id, primary.id);
    assert!(rig.primary(1).channels_on, "nobody hears this user any more: {}", rig.picture());
}

#[tokio::test(start_paused = true)]
async fn an_unprotected_primary_is_not_torn_down_without_an_archive() {
    let (_world, rig) = with_pairs(1).await;
    let standby = rig.standby(1);
    rig.sim.outage(&standby.provider, &standby.region, true);
    rig.sim.break_start(&standby.id, Some(gf_node_proto::FailureReason::StateUnreadable)).unwrap();
    rig.until("the standby is away", |fleet| !fleet.nodes[standby.node.as_ref().unwrap()].connected).await;
    rig.pass(200).await;
    let refused = rig.ask_confirmed(teardown(1, false)).await.unwrap_err();
    assert!(matches!(refused.status, 403 | 409 | 422), "{refused:?}");
    assert_eq!(rig.primary(1).state, InstanceState::Active);
}

#[tokio::test(start_paused = true)]
async fn a_resize_changes_both_and_its_undo_puts_both_back() {
    let (_world, rig) = with_pairs(1).await;
    let resized = done(&rig, Verb::Resize { accounts: accounts(1), tier: Tier::Pro }).await;
    assert_eq!(
        (rig.primary(1).tier, rig.standby(1).tier, rig.gateway(1).tier),
        (Tier::Pro, Tier::Pro, Tier::Pro)
    );
    assert!(
        rig.primary(1).monthly_cost
            > rig.read(|fleet| fleet.providers[&rig.primary(1).provider].prices[&Tier::Standard])
    );
    rig.requests.control(&person("ada"), &resized.id, Act::Rollback).await.unwrap();
    rig.until("it is undone", |fleet| {
        let operation = &fleet.operations[&resized.id];
        operation.state == OperationState::Undone && operation.finished_at != resized.finished_at
    })
    .await;
    assert_eq!(
        (rig.primary(1).tier, rig.standby(1).tier, rig.gateway(1).tier),
        (Tier::Standard, Tier::Standard, Tier::Standard)
    );
}

#[tokio::test(start_paused = true)]
async fn a_restart_ends_with_a_real_answer() {
    let (_world, rig) = with_pairs(1).await;
    let (primary, standby) = (rig.primary(1), rig.standby(1));
    let instances = vec![primary.id.clone(), standby.id.clone()];
    done(&rig, Verb::Restart { instances, reason: "test".into(), concurrency: 2 }).await;
    assert!(rig.primary(1).is_active() && rig.standby(1).is_active());
    assert!(rig.primary(1).active_at > primary.active_at);
    assert!(rig.primary(1).restarts.is_empty(), "what people order is no automatic restart");
}

#[tokio::test(start_paused = true)]
async fn a_providers_pool_is_changed_and_put_back() {
    let (_world, rig) = fresh().await;
    let verb = Verb::ProviderPolicy { provider: "vultr".into(), pool: Pool::Paused, reason: "test".into() };
    let changed = done(&rig, verb).await;
    let pool = || rig.read(|fleet| fleet.providers[&"vultr".into()].pool);
    assert_eq!(pool(), Pool::Paused);
    rig.requests.control(&person("ada"), &changed.id, Act::Rollback).await.unwrap();
    rig.until("it is put back", |fleet| fleet.providers[&"vultr".into()].pool == Pool::Primary).await;
}

#[tokio::test(start_paused = true)]
async fn a_silence_takes_effect_at_once_and_is_in_the_audit_trail() {
    let (_world, rig) = fresh().await;
    let verb =
        Verb::Silence { scope: SilenceScope::Provider("vultr".into()), minutes: 30, reason: "test".into() };
    let outcome = rig.requests.request(&agent("commander"), verb, Options::default()).await.unwrap();
    assert!(matches!(outcome, Outcome::Done(_)));
    assert_eq!(rig.read(|fleet| fleet.silences.len()), 1);
    assert_eq!(rig.audit("silence").await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn paused_it_begins_nothing_new_and_resumed_it_ends() {
    let (_world, rig) = fresh().await;
    let operation = rig.confirmed(provision(1)).await;
    rig.requests.control(&person("ada"), &operation.id, Act::Pause).await.unwrap();
    rig.pass(3600).await;
    let steps_begun = |rig: &Rig| {
        rig.read(|fleet| {
            fleet.lanes_of(&operation.id).flat_map(|l| &l.lane.steps).filter(|s| s.attempts > 0).count()
        })
    };
    assert!(steps_begun(&rig) <= 1, "{}", rig.picture());
    assert_eq!(
        rig.requests.control(&person("vic"), &operation.id, Act::Resume).await.unwrap_err().status,
        403
    );
    rig.requests.control(&person("ada"), &operation.id, Act::Resume).await.unwrap();
    assert_eq!(rig.ended(&operation).await.state, OperationState::Done);
    assert_eq!(rig.sim.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_failover_that_is_cancelled_on_its_way_arrives_and_serves() {
    let (_world, rig) = with_pairs(1).await;
    let (old, new) = (rig.primary(1), rig.standby(1));
    let moved =
        rig.confirmed(Verb::Failover { account: account(1), reason: "drill".into(), outage: None }).await;
    rig.until("the old primary is fenced", |fleet| fleet.instances[&old.id].state == InstanceState::Stopped)
        .await;
    rig.requests.control(&person("ada"), &moved.id, Act::Cancel).await.unwrap();
    assert_eq!(rig.ended(&moved).await.state, OperationState::Done, "{}", rig.picture());
    assert_eq!(rig.primary(1).id, new.id);
    assert!(rig.primary(1).channels_on, "{}", rig.picture());
    assert!(!rig.instance(&old.id).channels_on);
}

#[tokio::test(start_paused = true)]
async fn cancelled_it_leaves_nothing_and_retried_it_is_made_under_new_names() {
    let (_world, rig) = fresh().await;
    let operation = rig.confirmed(provision(1)).await;
    rig.until("both places are ordered", |fleet| {
        fleet.instances.values().filter(|i| i.place.is_some()).count() == 2
    })
    .await;
    let before: Vec<_> = rig.read(|fleet| fleet.instances.keys().cloned().collect());
    rig.requests.control(&agent("commander"), &operation.id, Act::Cancel).await.unwrap();
    let ended = rig.ended(&operation).await;
    assert_eq!(ended.state, OperationState::Cancelled, "{}", rig.picture());
    assert_eq!(rig.sim.len(), 0);
    assert!(rig.read(|fleet| fleet.gateways.is_empty() && fleet.live_instances().next().is_none()));

    assert_eq!(
        rig.requests.control(&agent("commander"), &operation.id, Act::Retry).await.unwrap_err().status,
        403
    );
    rig.requests.control(&person("ada"), &operation.id, Act::Retry).await.unwrap();
    rig.until("it is done", |fleet| fleet.operations[&operation.id].state == OperationState::Done).await;
    assert_eq!(rig.sim.len(), 2);
    assert!(before.iter().all(|id| rig.instance(id).state == InstanceState::Deleted));
    assert!(rig.primary(1).is_active() && rig.standby(1).is_active());
}

#[tokio::test(start_paused = true)]
async fn one_account_that_cannot_be_made_leaves_nothing_and_the_others_serve() {
    let (_world, rig) = fresh().await;
    rig.sim.next_call(&"hetzner".into(), CallFault::Refuse);
    let operation = rig.confirmed(provision(3)).await;
    let ended = rig.ended(&operation).await;
    assert_eq!(ended.state, OperationState::Partial, "{}", rig.picture());
    let states: Vec<_> = rig.read(|fleet| fleet.lanes_of(&operation.id).map(|l| l.lane.state).collect());
    assert_eq!(states.iter().filter(|state| **state == LaneState::Undone).count(), 1);
    assert_eq!(rig.sim.len(), 4);
    assert_eq!(rig.read(|fleet| fleet.gateways.len()), 2);
    // The failed one can be asked for again.
    rig.requests.control(&person("ada"), &operation.id, Act::Retry).await.unwrap();
    rig.until("all are done", |fleet| fleet.operations[&operation.id].state == OperationState::Done).await;
    assert_eq!(rig.sim.len(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_makes_nothing_twice() {
    let (_world, rig) = fresh().await;
    for provider in ["hetzner", "vultr"] {
        rig.sim.next_call(&provider.into(), CallFault::DropAnswer);
    }
    let operation = rig.confirmed(provision(1)).await;
    assert_eq!(rig.ended(&operation).await.state, OperationState::Done, "{}", rig.picture());
    assert_eq!(rig.sim.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_serves_or_is_deleted_is_not_rolled_back() {
    let (_world, rig) = with_pairs(1).await;
    let made = rig.operations("provision").remove(0);
    let refused = rig.requests.control(&person("ada"), &made.id, Act::Rollback).await.unwrap_err();
    assert_eq!((refused.status, refused.code.as_str()), (409, "no_way_back"));
    let gone = done(&rig, teardown(1, true)).await;
    let refused = rig.requests.control(&person("ada"), &gone.id, Act::Rollback).await.unwrap_err();
    assert!(refused.fix.unwrap().contains("archive"));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_delivers_slowly_is_waited_for() {
    let (_world, rig) = fresh().await;
    let Verb::Provision { accounts, tier, regions, .. } = provision(1) else { panic!("another verb") };
    rig.sim.slow(&"contabo".into(), Some(1.6));
    let verb = Verb::Provision {
        accounts,
        tier,
        regions,
        primary_provider: Some("hetzner".into()),
        standby_provider: Some("contabo".into()),
        purpose: None,
    };
    done(&rig, verb).await;
    assert_eq!(rig.standby(1).provider, "contabo".into());
}
