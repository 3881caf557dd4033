//! The kinds of operations as stories: what is prepared, what is asked for, and how it ends where nothing goes wrong
//! that the story does not say itself.

use crate::{
    cut::{Doing, Story, a_pair, nothing, story},
    nodes,
    rig::{Rig, account, accounts, agent, person},
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

/// A test of each story, which the module's `everywhere` is given; and one that they are stories of every kind but those.
macro_rules! told_everywhere {
    (but $but:expr; $($story:ident),+ $(,)?) => {
        $(
            #[test]
            fn $story() {
                everywhere(&stories::$story());
            }
        )+

        #[test]
        fn no_kind_of_operation_is_without_a_story() {
            stories::are_of_every_kind_but(&$but, &[$(stories::$story()),+]);
        }
    };
}
pub(crate) use told_everywhere;

pub fn are_of_every_kind_but(but: &[&str], stories: &[Story]) {
    let untold =
        |kind: &&str| !stories.iter().any(|story| story.verb == *kind || story.followed_by.contains(kind));
    assert_eq!(Verb::operations().filter(untold).collect::<Vec<_>>(), but);
}

async fn ask(rig: &Rig, verb: Verb) {
    // The store may be gone by then; what matters is what is found afterwards.
    let _ = rig.ask_confirmed(verb).await;
}

pub fn push_of(count: u32) -> Push {
    Push {
        accounts: accounts(count),
        patch: json!({"tts": {"auto": "tagged"}}),
        description: "test".into(),
        strategy: Strategy::Rolling,
        batch_size: 50,
        pace: Pace::gated(vec![]),
    }
}

pub fn confirmed() -> Options {
    Options { confirmed: true, ..Options::default() }
}

pub fn provision() -> Story {
    Story {
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
    }
}

pub fn provision_that_cannot_be_done_and_is_taken_back() -> Story {
    Story {
        before: nothing,
        trouble: |rig| rig.sim.next_call(&"vultr".into(), CallFault::Refuse),
        ends: OperationState::Failed,
        ..story(|rig| Box::pin(ask(rig, crate::rig::provision(1))), "provision")
    }
}

pub fn teardown() -> Story {
    story(
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
    )
}

pub fn restore() -> Story {
    Story {
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
    }
}

pub fn resize() -> Story {
    story(|rig| Box::pin(ask(rig, Verb::Resize { accounts: accounts(1), tier: Tier::Pro })), "resize")
}

pub fn restart() -> Story {
    story(
        |rig| {
            let instances = vec![rig.primary(1).id, rig.standby(1).id];
            Box::pin(ask(rig, Verb::Restart { instances, reason: "test".into(), concurrency: 1 }))
        },
        "restart",
    )
}

pub fn failover_and_the_standby_that_follows() -> Story {
    Story {
        followed_by: &["rebuild_standby"],
        ..story(
            |rig| {
                let verb = Verb::Failover { account: account(1), reason: "test".into(), outage: None };
                Box::pin(ask(rig, verb))
            },
            "failover",
        )
    }
}

pub fn config_push() -> Story {
    story(
        |rig| {
            Box::pin(async {
                let _ = rig.requests.push(&person("ada"), push_of(1), confirmed()).await;
            })
        },
        "config_push",
    )
}

pub fn config_push_that_is_put_back() -> Story {
    Story {
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
    }
}

pub fn rollback() -> Story {
    Story {
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
    }
}

pub fn provider_policy() -> Story {
    story(
        |rig| {
            let verb =
                Verb::ProviderPolicy { provider: "vultr".into(), pool: Pool::Paused, reason: "test".into() };
            Box::pin(ask(rig, verb))
        },
        "provider_policy",
    )
}

fn two_pairs(rig: &Rig) -> Doing<'_> {
    Box::pin(async {
        let made = rig.confirmed(crate::rig::provision(2)).await;
        assert_eq!(rig.ended(&made).await.state, OperationState::Done);
        rig.delivered().await;
    })
}

pub fn update_nodes() -> Story {
    story(|rig| Box::pin(ask(rig, nodes::verb(rig, "0.9.0", &[1]))), "update_nodes")
}

/// Both standbys are in the first ring; one of them does not come up, and the other goes back with it.
pub fn update_nodes_of_which_a_ring_goes_back() -> Story {
    Story {
        before: two_pairs,
        ends: OperationState::Failed,
        ..story(
            |rig| {
                let version = format!("0.9.0-broken.{}", rig.standby(2).node.unwrap());
                Box::pin(async move { ask(rig, nodes::verb(rig, &version, &[2])).await })
            },
            "update_nodes",
        )
    }
}

pub fn update_nodes_that_is_taken_back() -> Story {
    Story {
        ends: OperationState::Undone,
        or: OperationState::Done,
        ..story(
            |rig| {
                Box::pin(async {
                    let verb = nodes::verb(rig, "0.9.0", &[1]);
                    let Ok(gf_requests::Outcome::Started(updated)) = rig.ask_confirmed(verb).await else {
                        return;
                    };
                    rig.ended(&updated).await;
                    let _ = rig.requests.control(&person("ada"), &updated.id, Act::Rollback).await;
                })
            },
            "update_nodes",
        )
    }
}

pub fn cancel() -> Story {
    Story {
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
    }
}
