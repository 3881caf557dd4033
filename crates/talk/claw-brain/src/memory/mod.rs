//! What earlier tool results of the conversation still tell: the last operation, open questions, accounts listed.
//!
//! Nothing is kept between requests; all of this is read from the messages each time. What is found here may
//! only fill in *which* thing was meant, never *that* something is to be done.

mod listed;

use crate::{
    envelope::{Exchange, ToolUse},
    language::{
        Slots,
        token::{Kind, tokens},
    },
    notice,
};
use gf_tools::{CostReportReply, InstanceLine};
use serde_json::Value;

pub struct Memory<'a> {
    past: &'a [Exchange],
    /// Results of this turn's look-ups.
    lookups: &'a [ToolUse],
}

/// A teardown that happened or was planned.
#[derive(Debug, Clone, PartialEq)]
pub struct Gone {
    pub accounts: Vec<String>,
    pub archives: Vec<(Option<String>, String)>,
}

/// Accounts to save money on.
#[derive(Debug, Clone, PartialEq)]
pub struct Waste {
    pub accounts: Vec<String>,
    pub to_tier: Option<String>,
}

impl<'a> Memory<'a> {
    pub fn new(past: &'a [Exchange], lookups: &'a [ToolUse]) -> Self {
        Self { past, lookups }
    }

    fn newest_first(&self) -> impl Iterator<Item = &'a ToolUse> {
        self.past.iter().rev().flat_map(|exchange| exchange.uses.iter().rev())
    }

    /// Whether the newest thing in the conversation is what the control plane told by itself.
    pub fn was_told(&self) -> bool {
        self.past.last().is_some_and(|exchange| notice::read(&exchange.said.text).is_some())
    }

    /// Operation id, or approval code, of the newest piece of work that was spoken of.
    pub fn last_work(&self) -> Option<String> {
        self.newest_first().find_map(work_of)
    }

    /// Every code that the newest exchange with a question left open.
    pub fn open_codes(&self) -> Vec<String> {
        let codes = |exchange: &Exchange| -> Vec<String> {
            exchange.uses.iter().filter_map(|used| text(&used.reply["approval"]["code"])).collect()
        };
        self.past.iter().rev().map(codes).find(|codes| !codes.is_empty()).unwrap_or_default()
    }

    /// The newest configuration rollout.
    pub fn last_push(&self) -> Option<String> {
        self.newest_first().find_map(|used| {
            let pushed = used.tool == "gf_config_push"
                || used.reply["verb"].as_str().is_some_and(|verb| verb.contains("push"));
            let undone = used.arguments["action"] == "rollback";
            work_of(used).filter(|_| pushed && !undone)
        })
    }

    /// The tool of the newest call that asked for a change.
    pub fn last_change(&self) -> Option<&'a str> {
        const CHANGES: [&str; 4] = ["gf_provision", "gf_teardown", "gf_config_push", "gf_tier_resize"];
        self.newest_first().map(|used| used.tool.as_str()).find(|tool| CHANGES.contains(tool))
    }

    /// The provider, and where it was named the region, that was looked at last.
    pub fn last_place(&self) -> Option<Value> {
        const LOOKS: [&str; 2] = ["gf_fleet_status", "gf_provider_health"];
        let place = |used: &ToolUse| {
            let keys = ["provider", "region"].into_iter();
            let named = keys.filter_map(|key| Some((key.to_owned(), text(&used.arguments[key])?.into())));
            named.collect::<serde_json::Map<_, _>>()
        };
        let looks = self.newest_first().filter(|used| LOOKS.contains(&used.tool.as_str()));
        let places: Vec<_> = looks.map(place).filter(|place| !place.is_empty()).collect();
        let newest = places.first()?;
        // A provider's own notice names the region that is in trouble.
        if newest.get("region").is_none()
            && let Some(told) = self.trouble_shown()
            && let [region, ..] = Slots::read(&tokens(&told)).regions.as_slice()
        {
            let mut place = newest.clone();
            place.insert("region".into(), region.clone().into());
            return Some(Value::Object(place));
        }
        // The same provider with its region, where both were looked at.
        let fuller = places.iter().take(4).find(|place| {
            place.contains_key("region")
                && (newest.get("provider").is_none() || place.get("provider") == newest.get("provider"))
        });
        Some(Value::Object(fuller.unwrap_or(newest).clone()))
    }

    /// The newest call of any tool of ours.
    pub fn last_use(&self) -> Option<&'a ToolUse> {
        self.newest_first().find(|used| used.tool.starts_with("gf_"))
    }

    /// The newest plan that waits for a person and of which nothing else was said or begun since.
    pub fn planned(&self) -> Option<&'a ToolUse> {
        let begun = |used: &&ToolUse| {
            let state = used.reply["state"].as_str().unwrap_or_default();
            used.tool != "gf_operation" || !(state.is_empty() || state.contains("WAIT"))
        };
        let newest = self.newest_first().filter(|used| used.tool.starts_with("gf_")).find(begun)?;
        (newest.tool != "gf_operation" && !newest.reply["approval"].is_null()).then_some(newest)
    }

    /// Instances that were listed last, those in the state that was asked for where one was; only while the list is
    /// the newest thing that was spoken of.
    pub fn listed_instances(&self) -> Vec<InstanceLine> {
        let Some(used) = self.last_use().filter(|used| used.tool == "gf_fleet_status") else {
            return Vec::new();
        };
        let asked = &used.arguments;
        let fits = |line: &InstanceLine| {
            let is = |key: &str, value: &str| {
                asked[key].as_str().is_none_or(|wanted| wanted.eq_ignore_ascii_case(value))
            };
            is("status", &line.state) && is("provider", &line.provider)
        };
        let gateways = used.reply["gateways"].as_array().map(Vec::as_slice).unwrap_or_default();
        let halves = gateways.iter().flat_map(|gateway| [&gateway["primary"], &gateway["standby"]]);
        let lines = halves.filter_map(|half| serde_json::from_value::<InstanceLine>(half.clone()).ok());
        lines.filter(|line| !line.instance_id.is_empty() && fits(line)).collect()
    }

    /// Accounts in the order in which they were last listed; `None` where that list is out of date.
    pub fn listed_accounts(&self) -> Option<Vec<String>> {
        for used in self.lookups.iter().rev().chain(self.newest_first()) {
            let reply = &used.reply;
            let removed = used.tool == "gf_teardown"
                || reply["verb"] == "teardown"
                || used.tool == "gf_restore"
                || reply["verb"] == "restore";
            if removed {
                return None;
            }
            let list =
                [&reply["gateways"], &reply["plan"], &reply["accountIds"]].into_iter().find_map(account_list);
            if list.is_some() {
                return list;
            }
        }
        None
    }

    /// The one account that was last spoken of.
    pub fn last_account(&self) -> Option<String> {
        self.past.iter().rev().find_map(|exchange| {
            let used = exchange.uses.iter().rev().find_map(|used| {
                let one = text(&used.reply["accountId"]).or_else(|| text(&used.arguments["accountId"]));
                one.or_else(|| {
                    account_list(&used.arguments["accountIds"])
                        .filter(|all| all.len() == 1)
                        .map(|mut all| all.remove(0))
                })
            });
            used.or_else(|| {
                let said: Vec<String> = tokens(&exchange.said.text)
                    .into_iter()
                    .filter_map(|token| if let Kind::Account(id) = token.kind { Some(id) } else { None })
                    .collect();
                <[String; 1]>::try_from(said).ok().map(|[only]| only)
            })
        })
    }

    /// The one instance that was last spoken of.
    pub fn last_instance(&self) -> Option<String> {
        self.newest_first().take(3).find_map(|used| {
            let only = used.arguments["instanceIds"].as_array().filter(|ids| ids.len() == 1);
            text(&used.arguments["instanceId"]).or_else(|| text(&only?[0]))
        })
    }

    /// The newest teardown, with the archives that are known of it.
    pub fn last_teardown(&self) -> Option<Gone> {
        let accounts = self.newest_first().find_map(|used| {
            let torn = used.tool == "gf_teardown" || used.reply["verb"] == "teardown";
            let of_reply = account_list(&used.reply["accountIds"]);
            of_reply.or_else(|| account_list(&used.arguments["accountIds"])).filter(|_| torn)
        })?;
        let archives = self.newest_first().flat_map(|used| archives_of(&used.reply)).collect();
        Some(Gone { accounts, archives })
    }

    /// A waste item of the newest cost report.
    pub fn waste(&self, kind: &str) -> Option<Waste> {
        let report = self
            .lookups
            .iter()
            .rev()
            .chain(self.newest_first())
            .find(|used| used.tool == "gf_cost_report")?;
        let report: CostReportReply = serde_json::from_value(report.reply.clone()).ok()?;
        let item = report.waste.into_iter().find(|item| item.kind.replace(['-', '_'], "") == kind)?;
        Some(Waste { accounts: item.account_ids, to_tier: item.to_tier })
    }

    /// Accounts as they were listed before the newest teardown was asked for.
    pub fn listed_before_teardown(&self) -> Option<Vec<String>> {
        let torn = |used: &&ToolUse| used.tool != "gf_teardown";
        let mut older = self.newest_first().skip_while(torn);
        older.find_map(|used| {
            let reply = &used.reply;
            let lists = [&reply["gateways"], &reply["plan"], &reply["accountIds"]];
            lists.into_iter().find_map(account_list).filter(|_| used.tool != "gf_teardown")
        })
    }

    /// Whether this turn has looked up that already.
    pub fn looked_up(&self, tool: &str) -> bool {
        self.lookups.iter().any(|used| used.tool == tool)
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// What gf_operation can be asked about this call's work.
fn work_of(used: &ToolUse) -> Option<String> {
    let reply = &used.reply;
    let own = text(&reply["id"]).filter(|_| used.tool == "gf_operation");
    let asked =
        text(&used.arguments["id"]).filter(|_| used.tool == "gf_operation" && reply["error"].is_null());
    own.or_else(|| text(&reply["operationId"]))
        .or_else(|| text(&reply["approval"]["operationId"]))
        .or_else(|| text(&reply["approval"]["code"]))
        .or(asked)
}

/// Account ids of a list of ids or of objects that have one.
fn account_list(list: &Value) -> Option<Vec<String>> {
    let items = list.as_array()?;
    let ids: Vec<String> =
        items.iter().filter_map(|item| text(item).or_else(|| text(&item["accountId"]))).collect();
    (!ids.is_empty()).then_some(ids)
}

/// Archive ids with their account, where the reply says whose they are.
fn archives_of(reply: &Value) -> Vec<(Option<String>, String)> {
    let items = reply["archives"].as_array().map(Vec::as_slice).unwrap_or_default();
    items
        .iter()
        .filter_map(|item| {
            text(item)
                .map(|id| (None, id))
                .or_else(|| text(&item["id"]).map(|id| (text(&item["accountId"]), id)))
        })
        .collect()
}
