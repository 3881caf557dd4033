//! Every kind of operation, killed at every commit.

use crate::{
    cut::{Story, a_pair, everywhere, is_settled, is_sound, nothing, runtime, story},
    disk::{Cut, Disk},
    rig::{Rig, World, account, accounts, agent, calm, person},
};
use gf_driver_sim::CallFault;
use gf_model::{
    Tier,
    operation::OperationState,
    provider::Pool,
    verb::{Pace, Strategy, TeardownReason, Verb},
};
use gf_requests::{Act, Options, Push};
use serde_json::json;
use std::sync::Arc;

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
        pace: Pace::gated(vec![]),
    }
}

fn confirmed() -> Options {
    Options { confirmed: true, ..Options::default() }
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
        |rig| Box::pin(ask(rig, Verb::Failover { account: account(1), reason: "test".into(), outage: None })),
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
    let moved =
        rig.confirmed(Verb::Failover { account: account(1), reason: "test".into(), outage: None }).await;
    assert_eq!(rig.ended(&moved).await.state, OperationState::Done, "{}", rig.picture());
    rig.until("all is settled", is_settled).await;
    is_sound(&rig).await;
}
