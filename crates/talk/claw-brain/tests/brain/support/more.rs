//! More of what may have been said before: fleets with trouble, open plans, refusals, running work.

use super::{Talk, account, approval, idle};
use serde_json::{Value, json};

fn line(id: &str, account: &str, role: &str, state: &str, at: (&str, &str)) -> Value {
    json!({ "instanceId": id, "accountId": account, "role": role, "state": state, "provider": at.0, "region": at.1, "score": 64 })
}

fn gateway(ordinal: usize, account: &str, primary: Value, standby: Value) -> Value {
    json!({ "accountId": account, "ordinal": ordinal, "tier": "standard", "condition": "protected", "primary": primary, "standby": standby })
}

/// Four accounts, each with one degraded instance: at Hetzner, Contabo, Vultr (a standby) and Contabo.
fn degraded() -> Value {
    let (nbg, eu, fra) = (("hetzner", "nbg1"), ("contabo", "eu"), ("vultr", "fra"));
    let gateways = json!([
        gateway(
            7,
            "acct-0007",
            line("i-7a7a", "acct-0007", "PRIMARY", "DEGRADED", nbg),
            line("i-7b7b", "acct-0007", "STANDBY", "ACTIVE", fra)
        ),
        gateway(
            12,
            "acct-0012",
            line("i-12aa", "acct-0012", "PRIMARY", "DEGRADED", eu),
            line("i-12bb", "acct-0012", "STANDBY", "ACTIVE", nbg)
        ),
        gateway(
            31,
            "acct-0031",
            line("i-31bb", "acct-0031", "PRIMARY", "ACTIVE", nbg),
            line("i-31aa", "acct-0031", "STANDBY", "DEGRADED", fra)
        ),
        gateway(
            44,
            "acct-0044",
            line("i-44aa", "acct-0044", "PRIMARY", "DEGRADED", eu),
            line("i-44bb", "acct-0044", "STANDBY", "ACTIVE", fra)
        ),
    ]);
    json!({ "summary": "4 gateways have a DEGRADED instance.", "pairsTotal": 4, "instancesTotal": 8,
        "instancesByState": { "ACTIVE": 4, "DEGRADED": 4 }, "gateways": gateways })
}

fn planned(talk: Talk, tool: &str, arguments: Value, mut reply: Value, code: &str, operation: &str) -> Talk {
    reply["approval"] = approval(code, "Shall I?");
    reply["approval"]["operationId"] = json!(operation);
    talk.used(tool, arguments, reply).answered("Planned.")
}

/// What was said before, by name; `None` where there is none of that name.
pub fn history(name: &str) -> Option<Talk> {
    let asked = |question: &str| {
        let talk = Talk::new().say(question);
        let answer = talk.turn();
        assert!(answer.calls.is_empty(), "{question} was to be asked about: {answer:?}");
        talk.answered(&answer.text)
    };
    Some(match name {
        "asked_tier_open" => asked("Provision 4 accounts."),
        "asked_count" => asked("Provision pro accounts."),
        "asked_which" => asked("Restart the instance."),
        "status" => Talk::new().say("How is the fleet?").used("gf_fleet_status", json!({}),
            json!({ "summary": "847 pairs: 844 protected, 3 unprotected.", "pairsTotal": 847, "unprotected": 3,
                "instancesByState": { "ACTIVE": 1690, "DEGRADED": 3, "FAILED": 1 }, "alerts": [] })).answered("847 pairs."),
        "plan2" => planned(Talk::new().say("Provision 2 standard accounts"), "gf_provision", json!({ "count": 2, "tier": "standard" }),
            json!({ "summary": "Planned 2 standard pairs.", "pairs": 2, "tier": "standard", "monthlyCost": "$24/month", "plan": [
                { "accountId": "acct-0001", "primary": { "provider": "local-a", "region": "local" }, "standby": { "provider": "local-b", "region": "local" } },
                { "accountId": "acct-0002", "primary": { "provider": "local-b", "region": "local" }, "standby": { "provider": "local-a", "region": "local" } }] }),
            "A7K2", "op-91c2"),
        "pair42" => Talk::new().say("how is acct-0042?").used("gf_pair_status", json!({ "accountId": "acct-0042" }),
            json!({ "summary": "acct-0042 is protected.", "accountId": "acct-0042", "tier": "standard", "condition": "protected", "generation": 3,
                "primary": line("i-42aa", "acct-0042", "PRIMARY", "ACTIVE", ("hetzner", "nbg1")),
                "standby": line("i-42bb", "acct-0042", "STANDBY", "ACTIVE", ("vultr", "fra")) })).answered("acct-0042 is protected."),
        "inst" => Talk::new().say("how is i-7f3a?").used("gf_instance_health", json!({ "instanceId": "i-7f3a" }),
            json!({ "summary": "i-7f3a is DEGRADED, score 42.", "score": 42, "recommendedAction": "restart",
                "instance": line("i-7f3a", "acct-0019", "PRIMARY", "DEGRADED", ("hetzner", "fsn1")) })).answered("i-7f3a is degraded."),
        "refused" => Talk::new().say("tear down acct-0005").used("gf_teardown", json!({ "accountIds": ["acct-0005"], "reason": "operator_request" }),
            json!({ "error": "standby_not_active: acct-0005 has an ACTIVE primary and no ACTIVE standby. To do: wait until its standby is rebuilt" }))
            .answered("That did not work: standby_not_active: acct-0005 has an ACTIVE primary and no ACTIVE standby. To do: wait until its standby is rebuilt."),
        "incident" => Talk::new().say("any open incidents?").used("gf_incident_report", json!({ "action": "list", "status": "open" }),
            json!({ "summary": "1 incident is open.", "open": 1, "incidents": [{ "id": "inc-03aa", "title": "Nuremberg network", "severity": "high", "status": "open" }] }))
            .answered("1 incident is open."),
        "downplan" => planned(Talk::new().say("tear down acct-0003, acct-0006, acct-0009 and acct-0012, they are idle"), "gf_teardown",
            json!({ "accountIds": [account(3), account(6), account(9), account(12)], "reason": "idle" }),
            json!({ "summary": "Planned the teardown of 4 accounts.", "accountIds": [account(3), account(6), account(9), account(12)] }), "E8QP", "op-7711"),
        "pushplan" => planned(Talk::new().say("Push this config to everyone: {\"tools\":{\"toolSearch\":false}}"), "gf_config_push",
            json!({ "targets": "all", "patch": { "tools": { "toolSearch": false } }, "description": "set tools.toolSearch" }),
            json!({ "summary": "Planned v2 for 3 gateways.", "revision": "v2" }), "C4MX", "op-5d10"),
        "degraded" => Talk::new().say("which instances are degraded?")
            .used("gf_fleet_status", json!({ "status": "DEGRADED", "detail": "full" }), degraded()).answered("Four of them."),
        "hostinger" => Talk::new().say("Hostinger has been slow. Should we stop provisioning there?")
            .used("gf_provider_health", json!({ "provider": "hostinger" }),
                json!({ "summary": "hostinger scores 71: standby only.", "providers": [{ "provider": "hostinger", "score": 71, "advice": "standby only" }] }))
            .answered("hostinger scores 71: standby only."),
        "running" => Talk::new().say("Provision 20 standard accounts")
            .used("gf_provision", json!({ "count": 20, "tier": "standard" }),
                json!({ "summary": "Planned 20 standard pairs.", "approval": { "code": "B3FJ", "question": "Provision 20?", "operationId": "op-4c1d" } }))
            .answered("Planned.").say("Go.")
            .used("gf_operation", json!({ "id": "B3FJ", "action": "get" }),
                json!({ "summary": "op-4c1d is running: 7 of 20 are done.", "id": "op-4c1d", "verb": "provision", "state": "RUNNING", "targetsTotal": 20 }))
            .answered("op-4c1d is running."),
        _ => return None,
    })
}

/// Lists of accounts that expectations name.
pub fn named_list(name: &str) -> Option<Vec<String>> {
    match name {
        "@idle" => Some(idle()),
        "@oversized" => Some(super::oversized()),
        "@idle_but_3" => Some(idle().into_iter().filter(|id| id != "acct-0003").collect()),
        _ => None,
    }
}
