//! What a stock OpenClaw may ask its node: reads, each named, each without secrets. There is no other table.

use crate::{instance::tail, machine, redact};
use openclaw_client::probe;
use serde_json::{Value, json};
use std::{fs, net::SocketAddr, path::PathBuf, time::Duration};

/// The commands that this node declares. What changes anything exists on the control plane's link only.
pub const COMMANDS: [&str; 6] =
    ["vps.health", "vps.metrics", "vps.info", "openclaw.health", "openclaw.logs", "config.get"];
const PATIENCE: Duration = Duration::from_secs(4);
const MOST_LINES: usize = 200;

/// What can be seen from here.
#[derive(Debug)]
pub struct Sight {
    pub openclaw: SocketAddr,
    pub config: Option<PathBuf>,
    pub log: Option<PathBuf>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    #[error("{0:?} is not offered; there is {offered}", offered = COMMANDS.join(", "))]
    Unknown(String),
    #[error("this guest was not shown {0}")]
    NotShown(&'static str),
    #[error("{0}")]
    Failed(String),
}

impl Sight {
    pub async fn read(&self, command: &str, params: &Value) -> Result<Value, Unanswered> {
        match command {
            "vps.health" | "vps.metrics" => Ok(metrics()),
            "vps.info" => Ok(info()),
            "openclaw.health" => Ok(self.openclaw_health().await),
            "openclaw.logs" => self.logs(params),
            "config.get" => self.configuration(),
            other => Err(Unanswered::Unknown(other.to_owned())),
        }
    }

    /// By a real HTTP request.
    pub async fn openclaw_health(&self) -> Value {
        match probe::http_health(self.openclaw, PATIENCE).await {
            Ok(health) => json!({
                "live": health.live,
                "ready": health.readiness.ready,
                "failing": health.readiness.failing,
                "version": health.version
            }),
            Err(why) => json!({"live": false, "ready": false, "problem": why.to_string()}),
        }
    }

    fn logs(&self, params: &Value) -> Result<Value, Unanswered> {
        let path = self.log.as_ref().ok_or(Unanswered::NotShown("a log; start it with --log"))?;
        let wanted = params["lines"].as_u64().and_then(|lines| usize::try_from(lines).ok());
        let lines = tail(path, wanted.unwrap_or(100).clamp(1, MOST_LINES));
        Ok(json!({"lines": lines.iter().map(|line| redact::line(line, &[])).collect::<Vec<_>>()}))
    }

    fn configuration(&self) -> Result<Value, Unanswered> {
        let path =
            self.config.as_ref().ok_or(Unanswered::NotShown("a configuration; start it with --config"))?;
        let text = fs::read(path).map_err(|why| Unanswered::Failed(why.to_string()))?;
        let mut document: Value = serde_json::from_slice(&text)
            .map_err(|why| Unanswered::Failed(format!("it is malformed: {why}")))?;
        redact::document(&mut document);
        Ok(document)
    }
}

fn metrics() -> Value {
    let now = machine::Meter::default().read(std::path::Path::new("/"));
    json!({
        "cpuCount": now.cpu_count,
        "loadAverage": now.load_centi.iter().map(|load| f64::from(*load) / 100.0).collect::<Vec<_>>(),
        "memoryTotalBytes": now.memory_total_bytes,
        "memoryFreeBytes": now.memory_available_bytes,
        "diskTotalBytes": now.disk_total_bytes,
        "diskFreeBytes": now.disk_available_bytes,
        "uptimeSeconds": now.uptime_s
    })
}

fn info() -> Value {
    let info = machine::info();
    json!({
        "hostname": info.hostname, "os": info.os, "kernel": info.kernel,
        "cpuCount": info.cpu_count, "memoryTotalBytes": info.memory_total_bytes,
        "gfClawnode": info.software_version
    })
}

/// What OpenClaw shows of a node's machine.
pub fn host_stats() -> Value {
    let all = metrics();
    json!({
        "cpuCount": all["cpuCount"], "loadAverage": all["loadAverage"],
        "memoryTotalBytes": all["memoryTotalBytes"], "memoryFreeBytes": all["memoryFreeBytes"]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sight(config: Option<PathBuf>) -> Sight {
        Sight { openclaw: ([127, 0, 0, 1], 1).into(), config, log: None }
    }

    #[tokio::test]
    async fn only_reads_are_answered() {
        for command in ["vps.metrics", "vps.info", "openclaw.health"] {
            assert!(sight(None).read(command, &Value::Null).await.is_ok(), "{command}");
        }
        for command in ["openclaw.restart", "config.push", "ssh_exec", "vps.reboot", "system.run", ""] {
            let why = sight(None).read(command, &Value::Null).await.unwrap_err();
            assert!(matches!(why, Unanswered::Unknown(_)), "{command}");
        }
    }

    #[tokio::test]
    async fn a_configuration_is_shown_without_its_secrets() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("openclaw.json");
        fs::write(&path, r#"{"gateway":{"auth":{"token":"t0p-secret"},"port":1}}"#).unwrap();
        let shown = sight(Some(path)).read("config.get", &Value::Null).await.unwrap();
        assert_eq!(shown["gateway"]["port"], 1);
        assert!(!shown.to_string().contains("t0p-secret"));
        assert!(matches!(sight(None).read("config.get", &Value::Null).await, Err(Unanswered::NotShown(_))));
    }
}
