//! A control plane of a few lines, in memory: enough for whole conversations, in the shape of the real replies.
//!
//! Nothing of its own is judged by a test; it only keeps what the brain is told true to what was done before.

use super::{account, approval};
use serde_json::{Value, json};

struct Pair {
    id: String,
    tier: String,
    primary: String,
    standby: String,
    generation: u64,
    gone: bool,
}

struct Work {
    code: String,
    id: String,
    verb: &'static str,
    accounts: Vec<String>,
    tier: String,
    state: &'static str,
}

#[derive(Default)]
pub struct Plane {
    pairs: Vec<Pair>,
    works: Vec<Work>,
}

fn refused(text: &str) -> Value {
    json!({ "status": "error", "error": text })
}

impl Plane {
    /// Id and code of the newest work, or of the newest push.
    pub fn names(&self, of_push: bool) -> Option<(&str, &str)> {
        let newest = self.works.iter().rev().find(|work| !of_push || work.verb == "push")?;
        Some((&newest.id, &newest.code))
    }

    /// The newest plan goes on as if a person had agreed.
    pub fn grant(&mut self) {
        if let Some(work) = self.works.last_mut() {
            work.state = "RUNNING";
        }
    }

    /// The newest work ends; what the notice of it says.
    pub fn finish(&mut self) -> String {
        let (verb, accounts, tier) = {
            let work = self.works.last_mut().expect("some work");
            work.state = "DONE";
            (work.verb, work.accounts.clone(), work.tier.clone())
        };
        for id in &accounts {
            match verb {
                "provision" => {
                    let n = self.pairs.len();
                    let name = |half: usize| {
                        format!(
                            "i-{}{}",
                            ["0a0a", "0b0b", "0c0c", "0d0d"][(2 * n + half) % 4],
                            if n > 1 { "f" } else { "" }
                        )
                    };
                    self.pairs.push(Pair {
                        id: id.clone(),
                        tier: tier.clone(),
                        primary: name(0),
                        standby: name(1),
                        generation: 1,
                        gone: false,
                    });
                }
                "failover" => self.swap(id),
                _ => {
                    if let Some(pair) = self.pairs.iter_mut().find(|pair| pair.id == *id) {
                        pair.gone = verb == "teardown" || pair.gone && verb != "restore";
                        if verb == "resize" {
                            pair.tier = tier.clone();
                        }
                    }
                }
            }
        }
        let id = &self.works.last().expect("some work").id;
        format!("gf_operation {{\"id\":\"{id}\",\"action\":\"get\"}}\n{id} is done.")
    }

    /// A primary was killed and came back.
    pub fn heal(&self, id: &str) -> String {
        let primary = self.pair(id).map_or("i-0a0a", |pair| &pair.primary);
        format!(
            "gf_instance_health {{\"instanceId\":\"{primary}\"}}\n{primary} of {id} stopped, was restarted and answers again."
        )
    }

    /// A primary was killed and its standby took over.
    pub fn fail_over(&mut self, id: &str) -> String {
        self.swap(id);
        format!(
            "gf_pair_status {{\"accountId\":\"{id}\"}}\n{id} was failed over: its primary could not be restarted."
        )
    }

    fn swap(&mut self, id: &str) {
        if let Some(pair) = self.pairs.iter_mut().find(|pair| pair.id == id) {
            pair.primary = std::mem::replace(&mut pair.standby, "i-0e0e".to_owned());
            pair.generation += 1;
        }
    }

    fn pair(&self, id: &str) -> Option<&Pair> {
        self.pairs.iter().find(|pair| pair.id == id)
    }

    fn plan(&mut self, verb: &'static str, accounts: Vec<String>, tier: &str) -> Value {
        let n = self.works.len() + 1;
        let (id, code) = (format!("op-{n:04x}"), format!("A{n}K{n}"));
        self.works.push(Work {
            code: code.clone(),
            id: id.clone(),
            verb,
            accounts: accounts.clone(),
            tier: tier.to_owned(),
            state: "WAITING_FOR_APPROVAL",
        });
        json!({
            "summary": format!("Nothing was done yet: {verb} {} waits for a person's yes to {code}. It lapses in 60 min.", accounts.join(", ")),
            "approval": approval(&code, &format!("{verb} {}?", accounts.join(", "))),
        })
    }

    /// Everything that is there.
    fn everybody(&self) -> Vec<String> {
        self.pairs.iter().filter(|pair| !pair.gone).map(|pair| pair.id.clone()).collect()
    }

    /// What a tool answers.
    pub fn answer(&mut self, tool: &str, arguments: &Value) -> Value {
        let text = |key: &str| arguments[key].as_str().unwrap_or_default().to_owned();
        let list = |key: &str| -> Vec<String> {
            arguments[key]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|id| id.as_str().map(str::to_owned))
                .collect()
        };
        match tool {
            "gf_fleet_status" => self.status(arguments["detail"] == "full"),
            "gf_pair_status" => self.pair_status(&text("accountId")),
            "gf_instance_health" => {
                json!({ "summary": format!("{} is ACTIVE, score 100.", text("instanceId")), "score": 100,
                "recommendedAction": "none", "instance": half(&text("instanceId"), "PRIMARY", "acct-0001", 100) })
            }
            "gf_provision" => {
                let count = arguments["count"].as_u64().unwrap_or(1) as usize;
                let accounts: Vec<String> = (1..=count).map(|n| account(self.pairs.len() + n)).collect();
                let mut reply = self.plan("provision", accounts.clone(), &text("tier"));
                let place = |provider: &str| json!({ "provider": provider, "region": "local" });
                reply["pairs"] = json!(count);
                reply["tier"] = json!(text("tier"));
                reply["monthlyCost"] = json!(format!("${}/month", 12 * count));
                reply["plan"] = accounts.iter().map(|id| json!({ "accountId": id, "primary": place("local-a"), "standby": place("local-b") })).collect();
                reply
            }
            "gf_teardown" => {
                let accounts = list("accountIds");
                let mut reply = self.plan("teardown", accounts.clone(), "");
                reply["accountIds"] = json!(accounts);
                reply["monthlySaving"] = json!("$12/month");
                reply
            }
            "gf_restore" => {
                let mut reply = self.plan("restore", vec![text("accountId")], "");
                reply["accountId"] = json!(text("accountId"));
                reply["source"] = json!("arch-7c21");
                reply
            }
            "gf_tier_resize" => self.plan("resize", list("accountIds"), &text("newTier")),
            "gf_config_push" => {
                let everybody = self.everybody();
                let mut reply = self.plan("push", everybody, "");
                reply["revision"] = json!("v2");
                reply["gateways"] = json!(2);
                reply["instances"] = json!(4);
                reply
            }
            "gf_failover" => {
                let mut reply = self.plan("failover", vec![text("accountId")], "");
                reply["accountId"] = json!(text("accountId"));
                reply
            }
            "gf_bulk_restart" => {
                json!({ "summary": "No instance matched, so nothing was restarted.", "matched": 0 })
            }
            "gf_operation" => self.operation(&text("id"), &text("action")),
            "gf_cost_report" => {
                json!({ "summary": "$1.10 this week, as projected.", "actual": "$1.10", "projected": "$1.10", "period": "week",
                "monthlyRunRate": "$24/month", "recoverable": "$0/month", "waste": [] })
            }
            "gf_audit_log" => {
                json!({ "summary": format!("{} rows.", self.works.len()), "matching": self.works.len(), "chainOk": true,
                "rows": self.works.iter().map(|work| json!({ "sequence": 1, "at": "2026-11-21T05:40:00Z", "actor": "anna", "action": work.verb,
                    "targets": work.accounts, "approval": work.code, "operationId": work.id, "outcome": "done" })).collect::<Vec<_>>() })
            }
            "gf_incident_report" => json!({ "summary": "No incident is open.", "open": 0, "incidents": [] }),
            "gf_schedule" => {
                json!({ "summary": "1 entry.", "entries": [{ "id": "sch-0001", "what": text("what"), "when": text("when"), "nextRun": "2026-11-22T07:00:00Z" }] })
            }
            other => json!({ "summary": format!("{other} answered.") }),
        }
    }

    fn status(&self, full: bool) -> Value {
        let live: Vec<&Pair> = self.pairs.iter().filter(|pair| !pair.gone).collect();
        let (pairs, instances) = (live.len(), 2 * live.len());
        let mut reply = json!({ "summary": format!("{pairs} pairs, {pairs} protected."), "pairsTotal": pairs, "pairsByCondition": { "protected": pairs },
            "instancesTotal": instances, "instancesByState": { "ACTIVE": instances }, "monthlyCost": format!("${}/month", 12 * pairs), "alerts": [] });
        if full {
            let line = |(at, pair): (usize, &&Pair)| {
                json!({ "accountId": pair.id, "ordinal": at + 1, "tier": pair.tier, "condition": "protected",
                    "primary": half(&pair.primary, "PRIMARY", &pair.id, 100), "standby": half(&pair.standby, "STANDBY", &pair.id, if pair.standby == "i-0d0d" { 82 } else { 97 }) })
            };
            reply["gateways"] = live.iter().enumerate().map(line).collect();
        }
        reply
    }

    fn pair_status(&self, id: &str) -> Value {
        match self.pair(id) {
            Some(pair) if !pair.gone => {
                json!({ "summary": format!("{id} is protected."), "accountId": id, "tier": pair.tier, "condition": "protected",
                "generation": pair.generation, "primary": half(&pair.primary, "PRIMARY", id, 100), "standby": half(&pair.standby, "STANDBY", id, 97) })
            }
            Some(_) => refused(&format!(
                "account_gone: {id} was torn down; arch-7c21 is its archive. To do: restore it"
            )),
            None => refused(&format!("no_such_account: there is no {id}")),
        }
    }

    fn operation(&mut self, id: &str, action: &str) -> Value {
        let Some(at) = self.works.iter().position(|work| work.id == id || work.code == id) else {
            return refused(&format!("no_such_operation: there is no {id}"));
        };
        let waits = self.works[at].state == "WAITING_FOR_APPROVAL";
        let next = match action {
            "rollback" if self.works[at].verb == "push" => {
                let mut reply = self.plan("rollback", self.works[at].accounts.clone(), "");
                let code = reply["approval"]["code"].clone();
                reply["id"] = code;
                reply["verb"] = json!("rollback");
                reply["state"] = json!("WAITING_FOR_APPROVAL");
                return reply;
            }
            "get" => None,
            _ if waits => return refused(&format!("not_started: {id} has not been started")),
            "pause" => Some("PAUSED"),
            "resume" => Some("RUNNING"),
            "cancel" => Some("CANCELLED"),
            _ => None,
        };
        let work = &mut self.works[at];
        work.state = next.unwrap_or(work.state);
        let name = if waits { &work.code } else { &work.id };
        json!({ "summary": format!("{name} ({}) is {}.", work.verb, work.state), "id": name, "verb": work.verb, "state": work.state, "accountIds": work.accounts,
            "targetsTotal": work.accounts.len(), "targetsByState": { if work.state == "DONE" { "done" } else { "waiting" }: work.accounts.len() },
            "archives": if work.verb == "teardown" && work.state == "DONE" { json!(["arch-7c21"]) } else { json!([]) } })
    }
}

fn half(id: &str, role: &str, account: &str, score: u32) -> Value {
    let provider = if role == "PRIMARY" { "local-a" } else { "local-b" };
    json!({ "instanceId": id, "accountId": account, "role": role, "state": "ACTIVE", "provider": provider, "region": "local", "score": score })
}
