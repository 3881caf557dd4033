//! What an answer says and what it leaves to the control plane's own question: a plan in a line or two, one name instead
//! of a list, one line while a yes is waited for.

use crate::support::{Talk, approval, history};
use claw_brain::{ChatTurn, honesty::unsupported_numbers};
use serde_json::{Value, json};

/// The answer to this, where every tool replies the same.
fn told(talk: Talk, reply: &Value) -> String {
    let mut talk = talk;
    for _ in 0..4 {
        let ChatTurn { text, calls } = talk.turn();
        if calls.is_empty() {
            assert_eq!(unsupported_numbers(&text, &[reply.to_string()]), Vec::<String>::new(), "{text}");
            return text;
        }
        for call in calls {
            talk = talk.used(&call.tool, call.arguments, reply.clone());
        }
    }
    panic!("no answer");
}

fn lines(text: &str) -> usize {
    text.lines().filter(|line| !line.trim().is_empty()).count()
}

#[test]
fn a_plan_is_told_in_three_lines_and_never_twice() {
    let summary = "Nothing was done yet: a long sentence that says what the question says too.";
    let place = |provider: &str| json!({ "provider": provider, "region": "local" });
    let plan: Vec<Value> = (1..=20)
        .map(|n| json!({ "accountId": format!("acct-{n:04}"), "primary": place("local-a"), "standby": place("local-b") }))
        .collect();
    let plans = [
        (
            "provision 20 standard accounts",
            json!({ "pairs": 20, "tier": "standard", "monthlyCost": "$240/month", "plan": plan }),
            "local-b",
        ),
        (
            "tear down acct-0002",
            json!({ "accountIds": ["acct-0002"], "instanceIds": ["i-0c0c", "i-0d0d"] }),
            "i-0d0d",
        ),
        (
            "push {\"logging\":{\"level\":\"debug\"}} to everyone",
            json!({ "revision": "v2", "gateways": 2, "diff": [{ "path": "logging.level", "old": "info", "new": "debug", "gateways": 2, "restart": true }] }),
            "\"info\" → \"debug\"",
        ),
        (
            "restore acct-0002",
            json!({ "accountId": "acct-0002", "source": "arch-7c21", "comesBack": ["memory"], "doesNotComeBack": ["what was said later"] }),
            "arch-7c21",
        ),
        (
            "resize acct-0002 to pro",
            json!({ "changes": [{ "accountId": "acct-0002", "oldTier": "standard", "newTier": "pro" }] }),
            "standard → pro",
        ),
    ];
    for (say, mut reply, kept) in plans {
        reply["summary"] = json!(summary);
        reply["approval"] = approval("A7K2", "Shall I?");
        let text = told(Talk::new().say(say), &reply);
        assert!(lines(&text) <= 3, "{say}: {text}");
        assert!(text.contains(kept) && text.contains("nothing has been changed yet"), "{say}: {text}");
        assert!(!text.contains(summary) && !text.contains("Shall I?"), "{say}: {text}");
    }
}

#[test]
fn while_a_yes_is_waited_for_one_line_says_what_it_must_be() {
    let reply = json!({ "summary": "B3FJ (provision for 20 pairs) waits for a person's yes; nothing was done.", "id": "B3FJ",
        "verb": "provision", "state": "WAITING_FOR_APPROVAL", "approvalCode": "B3FJ", "targetsTotal": 20, "targetsByState": { "waiting": 20 },
        "instancesTotal": 40, "instancesByState": { "WAITING": 40 }, "accountIds": ["acct-0001", "acct-0002"] });
    for say in ["sure, do that", "sounds good", "yes please", "ok then"] {
        let text = told(history("open").say(say), &reply);
        assert_eq!(lines(&text), 1, "{say}: {text}");
        assert!(
            text.contains("\"go\" or \"approve B3FJ\"") && text.contains("nothing was done"),
            "{say}: {text}"
        );
        assert!(!text.contains("acct-0001"), "{say}: {text}");
    }
    let mut said = reply.clone();
    said["summary"] =
        json!("B3FJ waits for a person's yes, which is \"go\" as the whole message; nothing was done.");
    let text = told(history("open").say("sure, do that"), &said);
    assert!(
        text.contains("approve B3FJ") && text.matches("\"go\"").count() == 1 && lines(&text) == 1,
        "{text}"
    );
}

#[test]
fn the_slowest_is_named_alone() {
    let half = |id: &str, role: &str, score: u32| json!({ "instanceId": id, "accountId": "acct-0001", "role": role, "state": "ACTIVE", "score": score });
    let fleet = |score: u32| {
        json!({ "summary": "1 pair.", "pairsTotal": 1, "instancesTotal": 2, "gateways": [
        { "accountId": "acct-0001", "ordinal": 1, "primary": half("i-0a0a", "PRIMARY", 97), "standby": half("i-0b0b", "STANDBY", score) }] })
    };
    for say in [
        "which gateway is slowest?",
        "slowest?",
        "which instance has the lowest score",
        "what's the worst one?",
    ] {
        let text = told(Talk::new().say(say), &fleet(82));
        assert!(text.contains("i-0b0b") && text.contains("82") && !text.contains("i-0a0a"), "{say}: {text}");
    }
    let text = told(Talk::new().say("which gateway is slowest?"), &fleet(97));
    assert!(text.contains("None stands out") && !text.contains("i-0"), "{text}");
    let text = told(Talk::new().say("which gateway is the healthiest?"), &fleet(82));
    assert!(text.contains("i-0a0a") && !text.contains("i-0b0b"), "{text}");
}

/// What the control plane tells in between is no request of a person's, and leaves a question of ours open.
#[test]
fn a_notice_between_a_question_and_its_answer_is_no_part_of_the_talk() {
    let notice = "[clawops notice note-0001] gf_operation {\"id\":\"op-91c2\",\"action\":\"get\"}\nFinished.";
    let seen = |talk: Talk| {
        talk.say(notice)
            .used(
                "gf_operation",
                json!({ "id": "op-91c2", "action": "get" }),
                json!({ "summary": "Done.", "id": "op-91c2", "state": "DONE" }),
            )
            .answered("Done.")
    };
    for say in ["fleet", "everyone", "the fleet"] {
        let turn = seen(Talk::new().say("hello").answered("Hello.")).say(say).turn();
        assert!(!turn.text.contains("configuration"), "{say}: {turn:?}");
        assert!(turn.calls.iter().all(|call| call.tool == "gf_fleet_status"), "{say}: {turn:?}");
    }
    let turn = seen(Talk::new().say("Provision 4 accounts.").answered("Which tier?")).say("nano").turn();
    assert_eq!(turn.calls[0].arguments, json!({ "count": 4, "tier": "nano" }));
}

/// "The first account" is not restored where the second was torn down.
#[test]
fn another_account_than_the_one_that_went_is_not_restored_by_its_number() {
    let turn = history("torn").say("Actually I want the second account back").turn();
    assert_eq!(turn.calls[0].tool, "gf_restore");
    assert_eq!(turn.calls[0].arguments["accountId"], "acct-0002");
    let turn = history("torn").say("I want the first account back").turn();
    assert!(turn.calls.is_empty() && turn.text.contains('?'), "{turn:?}");
}
