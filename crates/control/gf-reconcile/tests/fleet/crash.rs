//! The control plane is killed at every commit of every kind of operation, just before it and just after it, and
//! started again. A kill just before a step's end is written makes the step (or its undo) run twice.
//!
//! Whatever the moment: the operation ends as it ends undisturbed, nothing is made twice, and the audit chain holds.

use crate::{
    disk::{Cut, Disk, Log},
    rig::{Rig, World, account, accounts, agent, calm, person},
};
use gf_driver_sim::CallFault;
use gf_model::{
    OperationId, Tier,
    approval::ApprovalState,
    fleet::Fleet,
    gateway::Desired,
    instance::Instance,
    notice::Recipient,
    operation::OperationState,
    provider::Pool,
    verb::{Strategy, TeardownReason, Verb},
};
use gf_requests::{Act, Options, Push};
use serde_json::json;
use std::{future::Future, pin::Pin, sync::Arc};

type Doing<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// What is prepared once, and what is then done and cut off. Neither may rely on the store being there.
struct Story {
    before: for<'a> fn(&'a Rig) -> Doing<'a>,
    act: for<'a> fn(&'a Rig) -> Doing<'a>,
    /// What goes wrong at the providers in the first life; it does not outlive that.
    trouble: fn(&Rig),
    ends: OperationState,
    /// How it ends instead where the kill came before what makes it end so.
    or: OperationState,
    verb: &'static str,
}

/// A moment from which every case begins.
struct Moment {
    log: Log,
    machines: Vec<u8>,
    world: World,
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

fn calm_trouble(_: &Rig) {}

fn a_pair(rig: &Rig) -> Doing<'_> {
    Box::pin(async {
        let made = rig.confirmed(crate::rig::provision(1)).await;
        assert_eq!(rig.ended(&made).await.state, OperationState::Done);
        rig.delivered().await;
    })
}

fn nothing(_: &Rig) -> Doing<'_> {
    Box::pin(async {})
}

async fn ask(rig: &Rig, verb: Verb) {
    // The store may be gone by then; what matters is what is found afterwards.
    let _ = rig.ask_confirmed(verb).await;
}

fn push_of(count: u32) -> Push {
    Push {
        accounts: accounts(count),
        patch: json!({"tts": {"auto": "tagged"}}),
        description: "test".into(),
        strategy: Strategy::Rolling,
        batch_size: 50,
    }
}

fn confirmed() -> Options {
    Options { confirmed: true, ..Options::default() }
}

/// Everything that a person would call the outcome, without names and times.
fn shape(rig: &Rig) -> Vec<String> {
    let seen = |instance: Option<&Instance>| {
        instance
            .map(|i| format!("{} {} {:?} {} {:?}", i.state, i.tier, i.revision, i.channels_on, i.uncertain))
    };
    rig.read(|fleet| {
        let mut lines: Vec<String> = fleet
            .gateways
            .values()
            .map(|g| {
                let (primary, standby) = (fleet.primary_of(&g.account), fleet.standby_of(&g.account));
                format!(
                    "{} {:?} {} {} {:?} {} {} {} primary {:?} standby {:?}",
                    g.account,
                    g.desired,
                    g.tier,
                    g.generation,
                    g.revision,
                    g.owned,
                    g.taken.len(),
                    g.endpoint.is_some(),
                    seen(primary),
                    seen(standby)
                )
            })
            .collect();
        lines.extend(fleet.providers.values().map(|p| format!("{} {:?}", p.id, p.pool)));
        lines.push(format!("{} machines, {} archives", rig.sim.len(), fleet.archives.len()));
        let mut told: Vec<_> = fleet
            .notices
            .values()
            .filter_map(|notice| match &notice.recipient {
                Recipient::Companion { event, .. } => Some(format!("COMPANION {event}")),
                _ => None,
            })
            .collect();
        told.sort();
        lines.extend(told);
        lines
    })
}

fn is_settled(fleet: &Fleet) -> bool {
    let whole = |gateway: &gf_model::gateway::Gateway| {
        let active = |i: Option<&Instance>| i.is_some_and(Instance::is_active);
        gateway.desired == Desired::Archived
            || (active(fleet.primary_of(&gateway.account)) && active(fleet.standby_of(&gateway.account)))
    };
    fleet.operations.values().all(|operation| operation.finished_at.is_some())
        && fleet.approvals.values().all(|a| a.state != ApprovalState::Granted || a.operation.is_some())
        && fleet.gateways.values().all(whole)
        && fleet.notices.values().all(|notice| notice.delivered_at.is_some())
}

/// Holds whatever happened.
async fn is_sound(rig: &Rig) {
    rig.audit_is_whole().await;
    let instances: Vec<_> = rig.read(|fleet| fleet.instances.values().cloned().collect());
    for instance in &instances {
        let expected = usize::from(instance.state.exists());
        assert_eq!(
            rig.sim.count(&instance.id),
            expected,
            "{} {}\n{}",
            instance.id,
            instance.state,
            rig.picture()
        );
    }
    let live = instances.iter().filter(|instance| instance.state.exists()).count();
    assert_eq!(rig.sim.len(), live, "nothing is left at the providers that nobody knows\n{}", rig.picture());
    for gateway in rig.read(|fleet| fleet.gateways.values().cloned().collect::<Vec<_>>()) {
        let own =
            instances.iter().filter(|i| i.account == gateway.account && i.state.exists() && i.channels_on);
        assert!(own.count() <= 1, "two could act\n{}", rig.picture());
    }
}

fn prepare(story: &Story) -> Moment {
    let world = World::new(7);
    let disk = Disk::empty();
    runtime().block_on(async {
        let rig = world.start(Arc::clone(&disk) as _, calm()).await;
        (story.before)(&rig).await;
        rig.until("all is calm", is_settled).await;
        world.time.end();
    });
    Moment { log: disk.log(), machines: std::fs::read(world.sim_file()).unwrap_or_default(), world }
}

fn new_of(fleet: &Fleet, verb: &str, known: &[OperationId]) -> Option<OperationState> {
    let own = |op: &&gf_model::operation::Operation| op.verb.name() == verb && !known.contains(&op.id);
    fleet.operations.values().find(own).map(|operation| operation.state)
}

/// One case; the shape that it ended in, or `None` where nothing durable was begun. `false` where it was never cut.
fn case(story: &Story, moment: &Moment, cut: Cut) -> (bool, Option<Vec<String>>) {
    std::fs::write(moment.world.sim_file(), &moment.machines).unwrap();
    let disk = Disk::replayed(&moment.log);
    let known: Vec<OperationId> = disk_operations(&disk);
    let ended = runtime().block_on(async {
        let rig = moment.world.start(Arc::clone(&disk) as _, calm()).await;
        rig.until("the nodes are back", |fleet| {
            fleet.live_instances().all(|i| i.node.as_ref().is_some_and(|node| fleet.nodes[node].connected))
        })
        .await;
        (story.trouble)(&rig);
        disk.arm(cut);
        let whole = async {
            (story.act)(&rig).await;
            rig.until("all is settled", is_settled).await;
        };
        let ended = tokio::select! {
            biased;
            () = disk.died() => None,
            () = whole => (!disk.is_dead()).then(|| shape(&rig)),
        };
        if ended.is_some() {
            is_sound(&rig).await;
            assert_eq!(
                rig.read(|fleet| new_of(fleet, story.verb, &known)),
                Some(story.ends),
                "{}",
                rig.picture()
            );
        }
        moment.world.time.end();
        ended
    });
    if ended.is_some() {
        return (false, ended);
    }
    runtime().block_on(async {
        let rig = moment.world.start(disk.reopened() as _, calm()).await;
        rig.until("all is settled", is_settled).await;
        is_sound(&rig).await;
        let state = rig.read(|fleet| new_of(fleet, story.verb, &known));
        let shape = state.filter(|state| *state != story.or || story.or == story.ends).map(|state| {
            assert_eq!(state, story.ends, "{cut:?}\n{}", rig.picture());
            shape(&rig)
        });
        moment.world.time.end();
        (true, shape)
    })
}

fn disk_operations(disk: &Disk) -> Vec<OperationId> {
    use gf_store::Backend;
    disk.load().unwrap().fleet.operations.keys().cloned().collect()
}

/// Cuts it at every commit, once before and once after.
fn everywhere(story: &Story) {
    let moment = prepare(story);
    let (_, undisturbed) = case(story, &moment, Cut::Never);
    let undisturbed = undisturbed.unwrap();
    let mut begun = 0;
    for nth in 1..400 {
        let mut was_cut = false;
        for cut in [Cut::Before(nth), Cut::After(nth)] {
            let (cut_off, shape) = case(story, &moment, cut);
            was_cut |= cut_off;
            if let Some(shape) = shape {
                begun += 1;
                assert_eq!(shape, undisturbed, "{cut:?}");
            }
        }
        if !was_cut {
            assert!(begun > 4, "it was cut in the middle of something");
            return;
        }
    }
    panic!("it never ended by itself");
}

fn story(act: for<'a> fn(&'a Rig) -> Doing<'a>, verb: &'static str) -> Story {
    Story {
        before: a_pair,
        act,
        trouble: calm_trouble,
        ends: OperationState::Done,
        or: OperationState::Done,
        verb,
    }
}

#[test]
fn provision() {
    everywhere(&Story {
        before: nothing,
        ..story(
            |rig| {
                Box::pin(async {
                    let commander = agent("commander");
                    let asked =
                        rig.requests.request(&commander, crate::rig::provision(1), Options::default());
                    if let Ok(gf_requests::Outcome::AwaitingApproval(approval)) = asked.await {
                        let _ = rig.requests.grant(&person("ada"), &approval.code).await;
                    }
                })
            },
            "provision",
        )
    });
}

#[test]
fn provision_that_cannot_be_done_and_is_taken_back() {
    everywhere(&Story {
        before: nothing,
        trouble: |rig| rig.sim.next_call(&"vultr".into(), CallFault::Refuse),
        ends: OperationState::Failed,
        ..story(|rig| Box::pin(ask(rig, crate::rig::provision(1))), "provision")
    });
}

#[test]
fn teardown() {
    everywhere(&story(
        |rig| {
            Box::pin(ask(
                rig,
                Verb::Teardown {
                    accounts: accounts(1),
                    reason: TeardownReason::OperatorRequest,
                    archive: true,
                    standby_only: false,
                },
            ))
        },
        "teardown",
    ));
}

#[test]
fn restore() {
    everywhere(&Story {
        before: |rig| {
            Box::pin(async {
                a_pair(rig).await;
                let gone = rig
                    .confirmed(Verb::Teardown {
                        accounts: accounts(1),
                        reason: TeardownReason::Idle,
                        archive: true,
                        standby_only: false,
                    })
                    .await;
                rig.ended(&gone).await;
            })
        },
        ..story(
            |rig| {
                let verb = Verb::Restore {
                    account: account(1),
                    archive: None,
                    snapshot: None,
                    reason: "test".into(),
                };
                Box::pin(ask(rig, verb))
            },
            "restore",
        )
    });
}

#[test]
fn resize() {
    everywhere(&story(
        |rig| Box::pin(ask(rig, Verb::Resize { accounts: accounts(1), tier: Tier::Pro })),
        "resize",
    ));
}

#[test]
fn restart() {
    everywhere(&story(
        |rig| {
            let instances = vec![rig.primary(1).id, rig.standby(1).id];
            Box::pin(ask(rig, Verb::Restart { instances, reason: "test".into(), concurrency: 1 }))
        },
        "restart",
    ));
}

#[test]
fn failover_and_the_standby_that_follows() {
    everywhere(&story(
        |rig| Box::pin(ask(rig, Verb::Failover { account: account(1), reason: "test".into() })),
        "failover",
    ));
}

#[test]
fn config_push() {
    everywhere(&story(
        |rig| {
            Box::pin(async {
                let _ = rig.requests.push(&person("ada"), push_of(1), confirmed()).await;
            })
        },
        "config_push",
    ));
}

#[test]
fn config_push_that_is_put_back() {
    everywhere(&Story {
        or: OperationState::Failed,
        before: |rig| {
            Box::pin(async {
                a_pair(rig).await;
                rig.sim.malform(&rig.primary(1).id).unwrap();
            })
        },
        ends: OperationState::Failed,
        ..story(
            |rig| {
                Box::pin(async {
                    let _ = rig.requests.push(&person("ada"), push_of(1), confirmed()).await;
                })
            },
            "config_push",
        )
    });
}

#[test]
fn rollback() {
    everywhere(&Story {
        before: |rig| {
            Box::pin(async {
                a_pair(rig).await;
                let Ok(gf_requests::Outcome::Started(rollout)) =
                    rig.requests.push(&person("ada"), push_of(1), confirmed()).await
                else {
                    panic!("it was not started")
                };
                rig.ended(&rollout).await;
            })
        },
        ..story(
            |rig| {
                Box::pin(async {
                    let rollout = rig.operations("config_push").remove(0).id;
                    ask(rig, Verb::Rollback { rollout, accounts: vec![] }).await;
                })
            },
            "rollback",
        )
    });
}

#[test]
fn provider_policy() {
    everywhere(&story(
        |rig| {
            let verb =
                Verb::ProviderPolicy { provider: "vultr".into(), pool: Pool::Paused, reason: "test".into() };
            Box::pin(ask(rig, verb))
        },
        "provider_policy",
    ));
}

#[test]
fn cancel() {
    everywhere(&Story {
        before: nothing,
        ends: OperationState::Cancelled,
        ..story(
            |rig| {
                Box::pin(async {
                    let Ok(gf_requests::Outcome::Started(made)) =
                        rig.ask_confirmed(crate::rig::provision(1)).await
                    else {
                        return;
                    };
                    rig.until("both places are ordered", |fleet| {
                        fleet.instances.values().filter(|instance| instance.place.is_some()).count() == 2
                    })
                    .await;
                    let _ = rig.requests.control(&person("ada"), &made.id, Act::Cancel).await;
                })
            },
            "provision",
        )
    });
}

#[test]
fn a_database_in_a_file_is_taken_up_by_the_next_control_plane() {
    let story =
        story(|rig| Box::pin(ask(rig, Verb::Resize { accounts: accounts(1), tier: Tier::Pro })), "resize");
    let world = World::new(9);
    let path = world.home.path().join("fleet.db");
    let disk = Disk::file(&path);
    runtime().block_on(async {
        let rig = world.start(Arc::clone(&disk) as _, calm()).await;
        a_pair(&rig).await;
        disk.arm(Cut::After(6));
        (story.act)(&rig).await;
        disk.died().await;
        world.time.end();
    });
    gf_store::Backend::close(&*disk);
    drop(disk);
    runtime().block_on(async {
        let rig = world.start(Disk::file(&path) as _, calm()).await;
        rig.until("all is settled", is_settled).await;
        is_sound(&rig).await;
        assert_eq!(rig.operations("resize")[0].state, OperationState::Done);
        assert_eq!((rig.primary(1).tier, rig.standby(1).tier), (Tier::Pro, Tier::Pro));
    });
}

#[tokio::test(start_paused = true)]
async fn answers_of_nodes_that_are_lost_make_nothing_happen_twice() {
    let (_world, rig) = crate::rig::with_pairs(1).await;
    let (primary, standby) = (rig.primary(1), rig.standby(1));
    for node in [&primary.node, &standby.node] {
        rig.sim.mute_effects(node.as_ref().unwrap(), 1).unwrap();
    }
    let Ok(gf_requests::Outcome::Started(rollout)) =
        rig.requests.push(&person("ada"), push_of(1), confirmed()).await
    else {
        panic!("it was not started")
    };
    assert_eq!(rig.ended(&rollout).await.state, OperationState::Done, "{}", rig.picture());
    assert_eq!(rig.gateway(1).taken.len(), 1);
    let back = rig.confirmed(Verb::Rollback { rollout: rollout.id, accounts: vec![] }).await;
    assert_eq!(rig.ended(&back).await.state, OperationState::Done);

    for node in [&primary.node, &standby.node] {
        rig.sim.mute_effects(node.as_ref().unwrap(), 1).unwrap();
    }
    let moved = rig.confirmed(Verb::Failover { account: account(1), reason: "test".into() }).await;
    assert_eq!(rig.ended(&moved).await.state, OperationState::Done, "{}", rig.picture());
    rig.until("all is settled", is_settled).await;
    is_sound(&rig).await;
}
