//! Whole conversations: look-ups, plans that wait for a person, refusals, notices; and honest numbers throughout.

use crate::support::{Talk, account, approval, history, idle};
use claw_brain::{ChatTurn, honesty::unsupported_numbers};
use serde_json::{Value, json};

/// Lets the tools answer until there is text, and checks its numbers against this turn's results.
fn finish(mut talk: Talk, tool: impl Fn(&str, &Value) -> Value) -> (ChatTurn, Vec<String>) {
    let mut called = Vec::new();
    let mut results: Vec<String> = Vec::new();
    for _ in 0..8 {
        let turn = talk.turn();
        if turn.calls.is_empty() {
            assert_eq!(unsupported_numbers(&turn.text, &results), Vec::<String>::new(), "{}", turn.text);
            return (turn, called);
        }
        for call in turn.calls {
            let reply = tool(&call.tool, &call.arguments);
            results.push(reply.to_string());
            called.push(format!("{} {}", call.tool, call.arguments));
            talk = talk.used(&call.tool, call.arguments, reply);
        }
    }
    panic!("no answer after eight rounds: {called:?}");
}

fn fleet() -> Value {
    let half = |id: &str, role: &str, at: &str| json!({ "instanceId": id, "accountId": "acct-0007", "role": role, "state": "ACTIVE", "provider": at, "region": "local", "score": 100 });
    let gateway = |n: usize| {
        json!({ "accountId": account(n), "ordinal": n, "tier": "standard", "condition": "protected",
        "primary": half("i-1a1a", "PRIMARY", "local-a"), "standby": half("i-2b2b", "STANDBY", "local-b"), "monthlyCost": "$12/month" })
    };
    json!({ "summary": "3 pairs, all protected.", "pairsTotal": 3, "pairsByCondition": { "protected": 3 }, "instancesTotal": 6,
        "instancesByState": { "ACTIVE": 6 }, "monthlyCostCents": 3600, "monthlyCost": "$36/month",
        "byProvider": [{ "provider": "local-a", "instances": 3, "primaries": 3, "active": 3 }], "gateways": [gateway(1), gateway(5), gateway(7)] })
}

#[test]
fn a_plan_waits_for_a_person_and_the_question_is_not_repeated() {
    let question = "Provision 2 standard pairs (acct-0001, acct-0002) for $24/month?";
    let reply = json!({ "summary": "2 standard pairs are planned for $24/month.", "pairs": 2, "tier": "standard", "monthlyCost": "$24/month",
        "plan": [{ "accountId": "acct-0001", "primary": { "provider": "local-a", "region": "local" }, "standby": { "provider": "local-b", "region": "local" } }],
        "approval": approval("A7K2", question) });
    let (turn, called) =
        finish(Talk::new().say("Provision 2 standard accounts for COMPANION beta users."), |_, _| {
            reply.clone()
        });
    assert_eq!(called.len(), 1);
    assert!(
        turn.text.contains("$24/month")
            && turn.text.contains("local-b")
            && turn.text.contains("nothing has been changed yet"),
        "{}",
        turn.text
    );
    assert!(!turn.text.contains(question));
    for claim in ["is running", "provisioned", "have been created", "Done"] {
        assert!(!turn.text.contains(claim), "{}", turn.text);
    }
}

#[test]
fn a_go_only_looks_at_the_work_behind_the_question() {
    for go in ["Go.", "yes", "approve B3FJ", "ok go ahead", "do it", "APPROVED", "go go go"] {
        let reply = json!({ "summary": "op-91c2 runs.", "id": "op-91c2", "verb": "provision", "state": "RUNNING", "targetsTotal": 20,
            "targetsByState": { "running": 15, "waiting": 5 } });
        let (turn, called) = finish(history("open").say(go), |_, _| reply.clone());
        assert_eq!(called, [r#"gf_operation {"id":"B3FJ","action":"get"}"#], "{go}");
        assert!(turn.text.contains("15 running"), "{}", turn.text);
    }
}

#[test]
fn the_second_account_is_looked_up_and_then_torn_down_by_id() {
    let (turn, called) = finish(Talk::new().say("Tear down the second account."), |tool, _| match tool {
        "gf_fleet_status" => fleet(),
        _ => {
            json!({ "summary": "Teardown of 1 account is planned.", "accountIds": ["acct-0005"], "approval": approval("D5RT", "Tear down acct-0005?") })
        }
    });
    assert_eq!(
        called,
        [
            r#"gf_fleet_status {"detail":"full"}"#,
            r#"gf_teardown {"accountIds":["acct-0005"],"reason":"operator_request"}"#
        ]
    );
    assert!(!turn.text.contains("acct-0007"), "the look-up itself is not told: {}", turn.text);
}

#[test]
fn an_account_that_is_not_there_is_asked_about() {
    let (turn, called) = finish(Talk::new().say("tear down the ninth account"), |_, _| fleet());
    assert_eq!(called.len(), 1);
    assert!(turn.text.contains('?'), "{}", turn.text);
}

#[test]
fn after_a_teardown_an_old_list_is_not_trusted() {
    let turn = history("torn").say("tear down the first account").turn();
    assert_eq!(turn.calls[0].tool, "gf_fleet_status");
}

#[test]
fn idle_accounts_come_from_a_fresh_report() {
    let report = json!({ "summary": "One idle account.", "waste": [{ "kind": "idle", "count": 1, "accountIds": ["acct-0031"] }] });
    let (_, called) = finish(Talk::new().say("tear down the idle accounts"), |tool, _| match tool {
        "gf_cost_report" => report.clone(),
        _ => {
            json!({ "summary": "Planned.", "accountIds": ["acct-0031"], "approval": approval("D5RT", "?") })
        }
    });
    assert_eq!(called[1], r#"gf_teardown {"accountIds":["acct-0031"],"reason":"idle"}"#);
}

#[test]
fn no_idle_accounts_means_nothing_to_do() {
    let (turn, called) = finish(
        Talk::new().say("tear down the idle accounts"),
        |_, _| json!({ "summary": "No waste.", "waste": [] }),
    );
    assert_eq!(called.len(), 1);
    assert!(turn.text.contains("nothing to do"), "{}", turn.text);
}

#[test]
fn the_north_star_does_three_things_and_asks_for_the_fourth() {
    let say =
        "Provision 50 new accounts, optimize costs, restart anything degraded, and brief me in the morning.";
    let (turn, called) =
        finish(Talk::new().say(say), |tool, _| json!({ "summary": format!("{tool} answered.") }));
    assert_eq!(called.len(), 3, "{called:?}");
    assert!(turn.text.contains("Which tier"), "{}", turn.text);
    // The answer to that question completes the provisioning, and nothing else is repeated.
    let mut talk = Talk::new().say(say);
    for call in talk.turn().calls {
        talk = talk.used(&call.tool, call.arguments, json!({ "summary": "ok" }));
    }
    let turn = talk.answered("Which tier?").say("standard").turn();
    assert_eq!(turn.calls.len(), 1);
    assert_eq!(turn.calls[0].arguments, json!({ "count": 50, "tier": "standard" }));
}

#[test]
fn questions_can_be_answered_one_by_one() {
    let talk = Talk::new()
        .say("we need some new accounts")
        .answered("How many?")
        .say("five")
        .answered("Which tier?")
        .say("pro, on local-a");
    let turn = talk.turn();
    assert_eq!(turn.calls[0].arguments, json!({ "count": 5, "tier": "pro", "primaryProvider": "local-a" }));
}

#[test]
fn a_planned_push_can_be_made_immediate_and_stays_rolling_otherwise() {
    let args = json!({ "targets": "all", "patch": { "a": 1 }, "description": "d" });
    let talk = Talk::new()
        .say("push {\"a\":1} to everyone")
        .used("gf_config_push", args, json!({ "summary": "Planned.", "approval": approval("C4MX", "Push?") }))
        .answered("Planned.");
    let rolling = talk.clone().say("Rolling. Validate each batch.").turn();
    assert!(rolling.calls.is_empty() && rolling.text.contains("planned that way"), "{}", rolling.text);
    let immediate = talk.say("immediately please").turn();
    assert_eq!(immediate.calls[0].arguments["strategy"], "immediate");
}

#[test]
fn a_new_request_drops_the_open_question() {
    let turn =
        Talk::new().say("Provision 4 accounts.").answered("Which tier?").say("how is acct-0007?").turn();
    assert_eq!(turn.calls[0].tool, "gf_pair_status");
}

#[test]
fn a_refusal_is_told_in_the_control_planes_words() {
    let error = json!({ "error": { "code": "same_provider", "message": "primary and standby are both at hetzner", "fix": "choose another provider for the standby" } });
    let (turn, _) =
        finish(Talk::new().say("provision 2 pro accounts, hetzner primary and hetzner standby"), |_, _| {
            error.clone()
        });
    assert!(turn.text.contains("refused") && turn.text.contains("Choose another provider"), "{}", turn.text);
    assert!(!turn.text.contains("waits"));
}

#[test]
fn a_tool_that_fails_is_not_covered_up() {
    let talk = Talk::new().say("How is the fleet?");
    let call = talk.turn().calls.remove(0);
    let turn = talk.used(&call.tool, call.arguments, json!("connection refused")).turn();
    assert!(turn.calls.is_empty() && turn.text.contains("connection refused"), "{}", turn.text);
}

#[test]
fn a_failure_told_by_the_host_is_passed_on() {
    let failure = json!({ "status": "error", "tool": "gf_provision", "error": "unknown_tier: gold is not a tier; use nano, standard, pro or enterprise" });
    let (turn, called) = finish(Talk::new().say("Provision 2 standard accounts"), |_, _| failure.clone());
    assert_eq!(called.len(), 1, "a failed call is not repeated on our own");
    assert!(turn.text.contains("did not work") && turn.text.contains("use nano"), "{}", turn.text);
}

#[test]
fn a_notice_is_told_once_with_what_the_tool_says() {
    let notice = "[clawops notice note-12ab] gf_operation {\"id\":\"op-91c2\",\"action\":\"get\"}\nOperation op-91c2 has finished. It took 99 s.";
    let reply = json!({ "summary": "All 2 pairs are ACTIVE.", "id": "op-91c2", "verb": "provision", "state": "DONE", "targetsTotal": 2,
        "targetsByState": { "done": 2 }, "fastest": { "id": "acct-0001", "seconds": 16.38219 }, "slowest": { "id": "acct-0002", "seconds": 31 },
        "accountIds": ["acct-0001", "acct-0002"], "webhooksDelivered": 2 });
    let (turn, called) = finish(Talk::new().say(notice), |_, _| reply.clone());
    assert_eq!(called.len(), 1);
    for told in ["16.4 s", "31 s", "acct-0002", "All 2 pairs"] {
        assert!(turn.text.contains(told), "{told}: {}", turn.text);
    }
    assert!(!turn.text.contains("99"), "a number that no tool bears out is left out: {}", turn.text);
}

#[test]
fn that_it_is_critical_is_told_even_where_its_sentence_is_not() {
    let notice = "[clawops notice note-12ab] gf_instance_health {\"instanceId\":\"i-77aa\"}\nCRITICAL: i-77aa failed 99 times. Nothing was done; please look.";
    let (turn, _) = finish(
        Talk::new().say(notice),
        |_, _| json!({ "summary": "i-77aa (PRIMARY of acct-0001) is FAILED.", "instanceId": "i-77aa", "state": "FAILED" }),
    );
    assert!(turn.text.starts_with("CRITICAL") && !turn.text.contains("99"), "{}", turn.text);
    let calm = notice.replace("CRITICAL: ", "");
    let (turn, _) = finish(Talk::new().say(&calm), |_, _| json!({ "summary": "i-77aa is ACTIVE." }));
    assert!(!turn.text.contains("CRITICAL"), "{}", turn.text);
}

#[test]
fn a_tool_that_is_not_offered_is_not_called() {
    let mut request = Talk::new().say("Provision 2 standard accounts").request();
    request.tools.retain(|tool| tool.function.name == "gf_fleet_status");
    let turn = claw_brain::respond(&request);
    assert!(turn.calls.is_empty() && turn.text.contains("I can't"), "{}", turn.text);
}

#[test]
fn heartbeats_are_answered_as_openclaw_wants() {
    let turn = Talk::new()
        .say("Read HEARTBEAT.md if it exists. If nothing needs attention, reply HEARTBEAT_OK.")
        .turn();
    assert_eq!(turn, ChatTurn::say("HEARTBEAT_OK"));
}

#[test]
fn every_answer_about_every_tool_keeps_to_the_results() {
    let said = [
        "How is the fleet?",
        "list all accounts",
        "What are we wasting money on?",
        "compare the providers",
        "show the audit log",
        "list open incidents",
        "what is scheduled?",
        "how is acct-0007?",
        "how healthy is i-7f3a?",
        "restart anything degraded",
    ];
    for say in said {
        let (turn, called) = finish(Talk::new().say(say), |tool, _| match tool {
            "gf_fleet_status" => fleet(),
            "gf_cost_report" => {
                json!({ "summary": "$1,247 against $1,190.", "actual": "$1,247", "projected": "$1,190", "period": "week", "deviationPercent": 4.8,
                "recoverable": "$492/month", "waste": [{ "kind": "idle", "count": 31, "monthly": "$341/month", "recommendation": "tear down", "accountIds": idle() }] })
            }
            "gf_provider_health" => {
                json!({ "summary": "2 providers.", "providers": [{ "provider": "local-a", "score": 97, "advice": "primary", "pool": "primary", "averageProvisionSeconds": 17.25 }] })
            }
            "gf_audit_log" => {
                json!({ "summary": "1 row.", "chainOk": true, "matching": 1, "rows": [{ "sequence": 1, "at": "2026-11-21T05:00:00Z", "actor": "guardian", "action": "restart", "targets": ["i-7f3a"], "outcome": "done" }] })
            }
            "gf_incident_report" => {
                json!({ "summary": "1 open.", "open": 1, "incidents": [{ "id": "inc-03aa", "title": "t", "severity": "high", "status": "open", "openedAt": "2026-11-21T05:00:00Z", "affectedAccounts": 3 }] })
            }
            "gf_schedule" => {
                json!({ "summary": "1 entry.", "entries": [{ "id": "s-1", "what": "briefing", "when": "daily 07:00", "nextRun": "2026-11-22T07:00:00Z" }] })
            }
            "gf_pair_status" => {
                json!({ "summary": "acct-0007 is protected.", "accountId": "acct-0007", "slaPercent": 99.95, "snapshot": { "id": "snap-1f0c", "ageSeconds": 41.5 } })
            }
            "gf_instance_health" => {
                json!({ "summary": "i-7f3a scores 85.", "score": 85, "checks": [{ "name": "channel", "ok": false, "penalty": 15 }], "recommendedAction": "wait" })
            }
            _ => {
                json!({ "summary": "2 matched.", "matched": 2, "healed": [{ "id": "i-7f3a", "state": "healed" }], "failed": [{ "id": "i-7f3b", "state": "failed", "reason": "port taken" }] })
            }
        });
        assert!(!called.is_empty() && turn.text.lines().count() >= 1, "{say}: {}", turn.text);
    }
}

#[test]
fn nothing_to_restart_is_no_failure() {
    let refusal = "nothing_matches: nothing matches status DEGRADED (targets = \"status DEGRADED\"). To do: look at it.";
    let (turn, called) =
        finish(Talk::new().say("restart anything degraded"), |_, _| json!({ "error": refusal }));
    assert_eq!(called.len(), 1, "{called:?}");
    assert_eq!(turn.text, "Nothing to do: nothing matches status DEGRADED.");
}

#[test]
fn what_befell_an_instance_is_told_with_how_it_is_now() {
    let (_, called) =
        finish(Talk::new().say("what happened to i-3eb4?"), |_, _| json!({ "summary": "All is told." }));
    let wanted = [r#"gf_audit_log {"instance":"i-3eb4"}"#, r#"gf_instance_health {"instanceId":"i-3eb4"}"#];
    assert_eq!(called, wanted);
}
