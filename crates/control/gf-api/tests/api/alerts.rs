//! What somebody should look at: never what goes away because somebody asked for it.

use crate::support::{Door, fleet};
use gf_model::{
    fleet::Change,
    instance::{Instance, InstanceState, Role},
    node::Node,
    operation::{Operation, OperationState},
    person::Principal,
    provider::Provider,
    verb::{TeardownReason, Verb},
};
use serde_json::{Value, json};

fn away(name: &str, provider: &str) -> Change {
    Node {
        id: name.parse().unwrap(),
        provider: provider.into(),
        region: "nbg1".into(),
        public_key: "00".into(),
        enrol_token_sha256: None,
        enrolled_at: Some(fleet::at(0)),
        connected: false,
        last_change: fleet::at(0),
        software: None,
    }
    .into()
}

fn teardown(n: u32, state: OperationState) -> Operation {
    let verb = Verb::Teardown {
        accounts: vec![fleet::account(n)],
        reason: TeardownReason::Idle,
        archive: true,
        standby_only: false,
    };
    Operation {
        id: "op-7ea2".parse().unwrap(),
        verb,
        state,
        principal: Principal::Person("operator".parse().unwrap()),
        approval: None,
        plan_hash: String::new(),
        stages: Vec::new(),
        conversation: None,
        audit_seq: None,
        trace: None,
        created_at: fleet::at(0),
        finished_at: None,
        error: None,
    }
}

async fn alerts(door: &Door) -> Vec<(String, String)> {
    let status = door.tool("gf_fleet_status", json!({})).await.1;
    let of = |alert: &Value| {
        let [subject, text] = ["subject", "text"].map(|field| alert[field].as_str().unwrap().to_owned());
        (subject, text)
    };
    status["alerts"].as_array().unwrap().iter().map(of).collect()
}

fn subjects(alerts: &[(String, String)]) -> Vec<&str> {
    alerts.iter().map(|(subject, _)| subject.as_str()).collect()
}

#[tokio::test]
async fn a_node_that_goes_with_what_is_torn_down_is_not_missed() {
    let host = Provider { driver: "process".into(), ..fleet::provider("local-a") };
    let mut changes = fleet::of(3);
    changes.push(host.into());
    // Of the first pair nothing is asked: its nodes are missed. The second goes, the third went.
    for (n, state) in [(2, InstanceState::TearingDown), (3, InstanceState::Deleted)] {
        for role in [Role::Primary, Role::Standby] {
            let instance = Instance {
                flagged: Some("its configuration is malformed".into()),
                uncertain: true,
                ..fleet::instance(n, role, state)
            };
            changes.push(instance.into());
        }
    }
    changes.push(teardown(2, OperationState::Running).into());
    changes.push(teardown(3, OperationState::Running).into());
    for n in 1..=3 {
        changes.push(away(&format!("node-hetzner-{n}"), "hetzner"));
        changes.push(away(&format!("node-vultr-{n}"), "vultr"));
    }
    // One whose order's answer was lost, and which no instance ever named; and a machine that stays.
    changes.push(away("node-hetzner-9", "hetzner"));
    changes.push(away("node-local-a", "local-a"));
    let door = Door::open(changes).await;
    let mut found = alerts(&door).await;
    // What is said of whole pairs is the other test's.
    found.retain(|(subject, _)| subject.starts_with("node") || subject.starts_with("i-"));
    assert_eq!(subjects(&found), ["node-hetzner-1", "node-vultr-1", "node-local-a"], "{found:?}");
    assert_eq!(found[2].1, "not connected; 0 instances there");
}

#[tokio::test]
async fn a_pair_that_a_teardown_has_half_taken_is_no_trouble_and_one_that_it_gave_up_is() {
    let mut changes = fleet::of(1);
    changes.push(fleet::instance(1, Role::Standby, InstanceState::Deleted).into());
    changes.push(teardown(1, OperationState::Running).into());
    let door = Door::open(changes).await;
    assert_eq!(alerts(&door).await, [], "its primary serves until it goes");
    let pairs = async || door.tool("gf_fleet_status", json!({})).await.1["pairsByCondition"].clone();
    assert_eq!(pairs().await, json!({"tearing_down": 1}));
    let given_up = teardown(1, OperationState::Cancelled);
    door.store.update(|_, tx| tx.put(given_up)).await.unwrap();
    assert_eq!(pairs().await, json!({"unprotected": 1}));
    assert_eq!(subjects(&alerts(&door).await), ["acct-0001"]);
}
