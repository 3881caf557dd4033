//! One instance: its health, and what that is made of.

use crate::api::Api;
use crate::output::{self, Paint, paint};
use crate::problem::{Problem, Result};
use gf_tools::InstanceHealthReply;
use serde_json::json;

pub async fn show(api: &Api, id: &str, as_json: bool) -> Result<()> {
    let reply = api.tool("gf_instance_health", json!({ "instanceId": id })).await?;
    if as_json {
        output::json(&reply);
        return Ok(());
    }
    let health: InstanceHealthReply = serde_json::from_value(reply)
        .map_err(|e| Problem::Unexpected { path: "gf_instance_health".into(), problem: e.to_string() })?;
    output::page(&described(&health));
    Ok(())
}

fn described(health: &InstanceHealthReply) -> String {
    let resources = health.resources.clone().unwrap_or_default();
    let memory = resources.memory_bytes.map(|bytes| format!("{} MB", bytes >> 20));
    let facts = [
        ("place", Some(format!("{}/{}", health.instance.provider, health.instance.region))),
        ("node", Some(health.instance.node.clone())),
        ("endpoint", health.instance.endpoint.clone()),
        ("last heartbeat", health.last_heartbeat.as_deref().map(output::time)),
        ("last boot", health.last_boot_seconds.map(|seconds| format!("{seconds:.1} s"))),
        ("restarts", Some(format!("{} in the last ten minutes", health.recent_restarts))),
        ("memory", memory),
        ("CPU", resources.cpu_percent.map(|percent| format!("{percent:.1} %"))),
        ("to do", Some(health.recommended_action.clone()).filter(|action| action != "none")),
    ];
    let mut lines = vec![paint(&health.summary, Paint::Bold), String::new()];
    lines.extend(facts.into_iter().filter_map(|(name, value)| Some(format!("{name:<15} {}", value?))));
    let checks = health.checks.iter().map(|check| {
        let (result, how) = if check.ok { ("ok", Paint::Good) } else { ("failed", Paint::Bad) };
        let detail = check.detail.clone().unwrap_or_default();
        vec![check.name.clone(), paint(result, how), format!("-{}", check.penalty), detail]
    });
    let head = ["CHECK", "RESULT", "POINTS", ""];
    lines.extend([String::new(), output::list(&head, checks.collect(), "Nothing was measured yet.")]);
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use gf_tools::InstanceLine;
    use gf_tools::instance::Check;

    #[test]
    fn what_is_not_known_is_left_out_and_a_failed_check_is_named() {
        let health = InstanceHealthReply {
            summary: "i-7f3a is DEGRADED.".into(),
            instance: InstanceLine {
                provider: "local-a".into(),
                region: "here".into(),
                ..InstanceLine::default()
            },
            checks: vec![Check {
                name: "http".into(),
                ok: false,
                penalty: 60,
                detail: Some("refused".into()),
            }],
            recommended_action: "restart".into(),
            ..InstanceHealthReply::default()
        };
        let told = described(&health);
        assert!(told.contains("http") && told.contains("failed") && told.contains("refused"), "{told}");
        assert!(told.contains("to do           restart"), "{told}");
        assert!(!told.contains("last boot") && !told.contains("null"), "{told}");
    }
}
