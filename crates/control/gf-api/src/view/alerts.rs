//! What somebody should look at, worst first.

use super::{
    automation,
    condition::{Condition, Pair},
    tally::Tally,
    words,
};
use gf_model::{
    Timestamp,
    fleet::Fleet,
    health::HEARTBEAT_LIMIT_SECONDS,
    instance::{Instance, InstanceState},
    node::Node,
    operation::OperationState,
    provider::ProviderStatus,
    verb::SilenceScope,
};
use gf_planner::score;
use gf_tools::fleet::Alert;

const ORDER: [&str; 4] = ["critical", "high", "warning", "info"];

/// Alerts of these pairs.
pub fn of_pairs(fleet: &Fleet, pairs: &[Pair<'_>], now: Timestamp) -> Vec<Alert> {
    worst_first(pairs.iter().flat_map(|pair| of_pair(fleet, pair, now)).collect())
}

/// Alerts of the whole fleet.
pub fn of_fleet(fleet: &Fleet, tally: &Tally, now: Timestamp) -> Vec<Alert> {
    let pairs = tally.troubled(fleet);
    let mut found: Vec<Alert> = pairs.iter().flat_map(|pair| of_pair(fleet, pair, now)).collect();
    found.extend(of_providers(fleet, now));
    found.extend(of_nodes(fleet, tally, now));
    found.extend(of_operations(fleet));
    found.extend(of_automation(fleet));
    worst_first(found)
}

fn worst_first(mut found: Vec<Alert>) -> Vec<Alert> {
    found.sort_by_key(|alert| rank(&alert.severity));
    found
}

/// The worst is 0.
fn rank(severity: &str) -> usize {
    ORDER.iter().position(|name| *name == severity).unwrap_or(ORDER.len())
}

fn of_pair(fleet: &Fleet, pair: &Pair<'_>, now: Timestamp) -> Vec<Alert> {
    let account = pair.gateway.account.to_string();
    let state = |half: Option<&Instance>| half.map_or("missing".to_owned(), |i| i.state.to_string());
    let silenced = |half: Option<&Instance>| half.is_some_and(|instance| is_silenced(fleet, instance, now));
    let mut found = Vec::new();
    match pair.condition {
        Condition::Down => {
            let (severity, what_now) = if pair.is_protected() {
                ("high", "its standby is ACTIVE and can take over")
            } else if pair.is_unheard {
                ("critical", "nobody takes over before it is confirmed off: its node is silent")
            } else {
                ("critical", "no standby can take over")
            };
            found.push(Alert {
                severity: severity.into(),
                subject: account,
                text: format!("no primary serves: it is {}; {what_now}", state(pair.primary)),
                since: pair.primary.map(|i| i.state_since.to_string()),
                // What leaves a user without service always pages.
                silenced: severity != "critical" && silenced(pair.primary),
            });
        }
        Condition::Unprotected => found.push(Alert {
            severity: "warning".into(),
            subject: account,
            text: match pair.primary.filter(|_| pair.is_unheard) {
                Some(primary) => format!(
                    "unprotected: the node of its primary {} is silent. It may serve on, and nobody takes over before it \
                     is confirmed off",
                    primary.id
                ),
                None => format!("unprotected: its standby is {}", state(pair.standby)),
            },
            since: pair.standby.map(|i| i.state_since.to_string()),
            silenced: silenced(pair.standby.or(pair.primary)),
        }),
        Condition::Building | Condition::TearingDown | Condition::Parked | Condition::Protected => {}
    }
    // What goes away needs nobody's look: where its deletion cannot go on, the operation is stuck and says so.
    for instance in pair.instances().filter(|instance| instance.state != InstanceState::TearingDown) {
        if let Some(flag) = &instance.flagged {
            found.push(about(fleet, instance, "warning", format!("flagged: {flag}"), now));
        }
        if instance.uncertain && instance.state != InstanceState::Creating {
            found.push(about(fleet, instance, "info", "a remote call's answer is not known yet".into(), now));
        }
    }
    found
}

fn about(fleet: &Fleet, instance: &Instance, severity: &str, text: String, now: Timestamp) -> Alert {
    Alert {
        severity: severity.into(),
        subject: instance.id.to_string(),
        text,
        since: Some(instance.state_since.to_string()),
        silenced: is_silenced(fleet, instance, now),
    }
}

fn is_silenced(fleet: &Fleet, instance: &Instance, now: Timestamp) -> bool {
    fleet.silences.values().filter(|silence| now < silence.until).any(|silence| match &silence.scope {
        SilenceScope::Provider(provider) => *provider == instance.provider,
        SilenceScope::Region(region) => *region == instance.region,
        SilenceScope::Instance(id) => *id == instance.id,
    })
}

fn of_providers(fleet: &Fleet, now: Timestamp) -> Vec<Alert> {
    let mut found = Vec::new();
    for provider in fleet.providers.values() {
        let silenced = fleet.silences.values().any(|silence| {
            now < silence.until && matches!(&silence.scope, SilenceScope::Provider(id) if *id == provider.id)
        });
        let alert = |text: String| Alert {
            severity: "high".into(),
            subject: provider.id.to_string(),
            text,
            since: None,
            silenced,
        };
        if let ProviderStatus::Incident { title, .. } = &provider.status {
            found.push(alert(format!("the provider reports an incident: {title}")));
        }
        if let Some(score) =
            provider.score.filter(|points| score::is_degraded(*points) && !provider.low_confidence)
        {
            found.push(alert(format!("degraded: its seven-day score is {score}")));
        }
    }
    found
}

/// A node that was here a moment ago is most likely back in a moment.
const AWAY_SECONDS: i64 = 20;
/// Nodes beyond these are told of together.
const NODES_ONE_BY_ONE: usize = 5;

fn of_nodes(fleet: &Fleet, tally: &Tally, now: Timestamp) -> Vec<Alert> {
    let away_for = |node: &Node| now.as_second() - node.last_change.as_second();
    let is_away = |node: &&Node| away_for(node) > AWAY_SECONDS;
    let count = |node: &Node| tally.on_node(&node.id);
    // A provider's machine goes with its last instance, and is away because it was meant to be.
    let is_missed = |node: &&Node| count(node) > 0 || is_host(fleet, node);
    let away = tally.away().filter_map(|id| fleet.nodes.get(id));
    let away: Vec<&Node> = away.filter(is_away).filter(is_missed).collect();
    let severity = |node: &Node| match count(node) {
        0 => "info",
        _ if away_for(node) > HEARTBEAT_LIMIT_SECONDS => "high",
        _ => "warning",
    };
    let (shown, rest) = away.split_at(away.len().min(NODES_ONE_BY_ONE));
    let mut found: Vec<Alert> = shown
        .iter()
        .map(|node| Alert {
            severity: severity(node).into(),
            subject: node.id.to_string(),
            text: format!("not connected; {} there", words::instances(count(node))),
            since: Some(node.last_change.to_string()),
            silenced: false,
        })
        .collect();
    if !rest.is_empty() {
        let lost: u64 = rest.iter().map(|node| count(node)).sum();
        found.push(Alert {
            severity: rest
                .iter()
                .map(|node| severity(node))
                .min_by_key(|name| rank(name))
                .unwrap_or("info")
                .into(),
            subject: "nodes".to_owned(),
            text: format!(
                "{} not connected; {} there",
                words::count(rest.len() as u64, "more is", "more are"),
                words::instances(lost)
            ),
            since: rest.iter().map(|node| node.last_change).min().map(|at| at.to_string()),
            silenced: false,
        });
    }
    found
}

/// Whether the machine stays when nobody is on it.
fn is_host(fleet: &Fleet, node: &Node) -> bool {
    fleet.providers.get(&node.provider).is_none_or(|provider| provider.driver == "process")
}

fn of_automation(fleet: &Fleet) -> Option<Alert> {
    let freeze = fleet.frozen()?;
    let waiting = automation::waiting(fleet, freeze).len() as u64;
    Some(Alert {
        severity: "high".into(),
        subject: "automation".into(),
        text: format!(
            "{}; {}",
            automation::sentence(fleet, freeze),
            words::count(waiting, "operation waits", "operations wait")
        ),
        since: Some(freeze.at.to_string()),
        silenced: false,
    })
}

fn of_operations(fleet: &Fleet) -> Vec<Alert> {
    let stuck = fleet.operations.values().filter(|operation| operation.state == OperationState::Stuck);
    stuck
        .map(|operation| Alert {
            severity: "critical".into(),
            subject: operation.id.to_string(),
            text: format!(
                "stuck: {}; a person must look",
                operation.error.as_deref().unwrap_or("it could not be undone")
            ),
            since: Some(operation.finished_at.unwrap_or(operation.created_at).to_string()),
            silenced: false,
        })
        .collect()
}
