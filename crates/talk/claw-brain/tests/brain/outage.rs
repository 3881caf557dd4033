//! A region goes dark: the whole conversation of an operator about it, over the fixture fleet.

use crate::support::{Talk, approval};
use claw_brain::{ChatTurn, honesty::unsupported_numbers};
use gf_model::{instance::Role, provider::ProviderStatus};
use gf_planner::fixture;
use serde_json::{Value, json};

/// What the control plane would say of the fixture fleet.
struct Plane {
    dark: bool,
    asked: usize,
}

impl Plane {
    fn answer(&mut self, tool: &str, arguments: &Value) -> Value {
        match tool {
            "gf_provider_health" => {
                self.asked += 1;
                let status = if self.dark { "incident" } else { "ok" };
                let says = if self.dark { "an incident: Network outage in nbg1" } else { "no incident" };
                json!({ "summary": format!("hetzner: score 96. It reports {says}."), "providers":
                    [{ "provider": arguments["provider"], "status": status, "score": 96, "advice": "primary" }] })
            }
            "gf_fleet_status" => self.exposure(arguments),
            "gf_failover" if self.asked == 0 => json!({ "error": { "code": "provider_not_asked" } }),
            "gf_failover" => json!({
                "summary": "Nothing was done yet: it waits for a person's yes.", "accounts": fixture::IN_NUREMBERG,
                "waves": 5, "approval": approval("B3FJ", "Move 94 pairs out of hetzner nbg1 to their standbys?") }),
            other => panic!("{other} {arguments}"),
        }
    }

    fn exposure(&self, arguments: &Value) -> Value {
        assert_eq!(arguments["provider"], "hetzner", "{arguments}");
        assert_eq!(arguments["region"], "nuremberg", "{arguments}");
        let fleet = fixture::fleet("2026-07-01T00:00:00Z".parse().unwrap());
        let there = fleet.live_instances().filter(|it| it.provider.0 == "hetzner" && it.region.0 == "nbg1");
        let (primaries, standbys): (Vec<_>, Vec<_>) = there.partition(|it| it.role == Role::Primary);
        assert!(matches!(
            fleet.providers[&"hetzner".into()].status,
            ProviderStatus::Ok | ProviderStatus::Unknown
        ));
        let (primaries, standbys) = (primaries.len(), standbys.len());
        json!({ "summary": format!("Exposure at hetzner nbg1: {primaries} primaries, {standbys} standbys."),
            "pairsTotal": primaries + standbys, "instancesTotal": primaries + standbys })
    }
}

struct Conversation {
    talk: Talk,
    plane: Plane,
}

impl Conversation {
    fn say(&mut self, text: &str) -> (ChatTurn, Vec<String>) {
        let mut talk = self.talk.clone().say(text);
        let (mut called, mut results) = (Vec::new(), Vec::new());
        for _ in 0..8 {
            let turn = talk.turn();
            if turn.calls.is_empty() {
                assert_eq!(unsupported_numbers(&turn.text, &results), Vec::<String>::new(), "{}", turn.text);
                self.talk = talk.answered(&turn.text);
                return (turn, called);
            }
            for call in turn.calls {
                let reply = self.plane.answer(&call.tool, &call.arguments);
                results.push(reply.to_string());
                called.push(format!("{} {}", call.tool, call.arguments));
                talk = talk.used(&call.tool, call.arguments, reply);
            }
        }
        panic!("{text}: no answer: {called:?}");
    }
}

#[test]
fn an_outage_is_looked_at_left_followed_and_over() {
    let mut conversation = Conversation { talk: Talk::new(), plane: Plane { dark: true, asked: 0 } };
    let (turn, called) = conversation.say("Hetzner Nuremberg looks down. What's our exposure?");
    assert_eq!(called.len(), 2, "{called:?}");
    assert!(
        called[0].starts_with("gf_provider_health") && called[1].starts_with("gf_fleet_status"),
        "{called:?}"
    );
    assert!(turn.text.contains("94 primaries") && turn.text.contains("Network outage"), "{}", turn.text);

    let (turn, called) = conversation.say("fail them over");
    let expected = r#"gf_failover {"provider":"hetzner","reason":"outage","region":"nuremberg"}"#;
    assert_eq!(sorted(&called), [expected]);
    assert!(turn.text.contains("nothing has been changed yet"), "{}", turn.text);

    let (_, called) = conversation.say("what is left?");
    assert_eq!(sorted(&called), [r#"gf_fleet_status {"provider":"hetzner","region":"nuremberg"}"#]);

    conversation.plane.dark = false;
    let (turn, called) = conversation.say("is Nuremberg back?");
    assert_eq!(sorted(&called), [r#"gf_provider_health {"provider":"hetzner"}"#]);
    assert!(turn.text.contains("no incident"), "{}", turn.text);
}

#[test]
fn nobody_is_moved_for_a_place_before_its_provider_was_asked() {
    let mut conversation = Conversation { talk: Talk::new(), plane: Plane { dark: true, asked: 0 } };
    let (_, called) = conversation.say("Fail over everyone in Hetzner Nuremberg.");
    assert!(
        called[0].starts_with("gf_provider_health") && called[1].starts_with("gf_failover"),
        "{called:?}"
    );
    assert_eq!(called.len(), 2);
}

#[test]
fn without_a_place_it_is_asked_who_is_meant_and_a_question_moves_nobody() {
    let mut conversation = Conversation { talk: Talk::new(), plane: Plane { dark: true, asked: 0 } };
    let (turn, called) = conversation.say("fail them over");
    assert!(called.iter().all(|call| !call.starts_with("gf_failover")), "{called:?}");
    assert!(turn.text.contains('?'), "{}", turn.text);
    conversation.say("Hetzner Nuremberg looks down. What's our exposure?");
    for said in ["should we fail them over?", "don't fail them over"] {
        let (_, called) = conversation.say(said);
        assert!(called.iter().all(|call| !call.starts_with("gf_failover")), "{said}: {called:?}");
    }
}

/// The order of keys in a call is nobody's promise.
fn sorted(called: &[String]) -> Vec<String> {
    let one = |call: &String| {
        let (tool, arguments) = call.split_once(' ').unwrap();
        let sorted: std::collections::BTreeMap<String, Value> = serde_json::from_str(arguments).unwrap();
        format!("{tool} {}", serde_json::to_string(&sorted).unwrap())
    };
    called.iter().map(one).collect()
}
