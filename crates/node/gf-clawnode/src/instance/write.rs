//! Writing a configuration through the OpenClaw that runs with it, and what OpenClaw says of its own file.
//!
//! A running OpenClaw answers `config.get` from memory until it notices that somebody changed the file, but reads
//! the file anew for every write and refuses one that is based on an older reading. So a refusal says something
//! about the file only where the reading behind it is the newest one; nothing is ever judged by an older one.

use super::{Instance, dotted};
use crate::host::{Failure, Outcome};
use gf_model::patch;
use gf_node_proto::{FailureCode, FailureReason};
use openclaw_client::{Client, RpcError, methods::ConfigPatched};
use serde_json::{Value, json};
use std::time::Duration;

const QUICK: Duration = Duration::from_secs(15);
/// How often a write is tried whose ground is moved under it by somebody else's.
const ROUNDS: u32 = 4;

/// Why nothing was written.
#[derive(Debug)]
pub(super) enum Unwritten {
    /// The file was changed since it was read: read it again.
    Outdated,
    Refused(Failure),
}

impl From<Failure> for Unwritten {
    fn from(why: Failure) -> Self {
        Self::Refused(why)
    }
}

impl From<std::io::Error> for Unwritten {
    fn from(why: std::io::Error) -> Self {
        Self::Refused(why.into())
    }
}

/// Counts how often a reading was outdated by the time of the write.
#[derive(Debug, Default)]
pub(super) struct Rounds(u32);

impl Rounds {
    /// What came of a round: it is done, it is refused, or (`None`) everything must be read and tried anew.
    pub(super) fn judge<T>(&mut self, round: Result<T, Unwritten>) -> Outcome<Option<T>> {
        match round {
            Ok(done) => Ok(Some(done)),
            Err(Unwritten::Refused(why)) => Err(why),
            Err(Unwritten::Outdated) if self.0 + 1 < ROUNDS => {
                self.0 += 1;
                Ok(None)
            }
            Err(Unwritten::Outdated) => {
                let message = format!("somebody changed the configuration {ROUNDS} times meanwhile");
                Err(Failure::new(FailureCode::Overloaded, message))
            }
        }
    }
}

impl Instance {
    /// The hash that guards a write, of a configuration that OpenClaw itself calls valid.
    pub(super) async fn hash_of_valid(&self, client: &Client) -> Result<String, Unwritten> {
        let (hash, found) = read(client).await?;
        let Some(found) = found else { return Ok(hash) };
        // What it calls invalid may have been put right since. An empty patch makes it read the file.
        match client.config_patch(&json!({}), &hash, "ClawOps asks for a new reading", &[]).await {
            Ok(_) => Ok(hash),
            Err(why) if why.rpc().is_none() => Err(Failure::from(why).into()),
            Err(_) if read(client).await?.0 != hash => Err(Unwritten::Outdated),
            Err(_) => {
                let message = format!("the configuration of {} is malformed; nothing was written", self.id);
                Err(flagged(message, found).into())
            }
        }
    }

    /// Writes through OpenClaw, which checks first and writes nothing of what it refuses.
    pub(super) async fn write(
        &self,
        client: &Client,
        change: &Value,
        hash: &str,
        note: &str,
    ) -> Result<ConfigPatched, Unwritten> {
        let why = match client.config_patch(change, hash, note, &arrays(change)).await {
            Ok(written) => return Ok(written),
            Err(why) => why,
        };
        let Some(refusal) = why.rpc().filter(|refusal| refusal.code == "INVALID_REQUEST") else {
            return Err(Failure::from(why).into());
        };
        if read(client).await?.0 != hash {
            return Err(Unwritten::Outdated);
        }
        let message = format!("OpenClaw refuses this configuration on {}; nothing was written", self.id);
        Err(flagged(message, issues_of(refusal)).into())
    }

    /// What was asked for is what stands there now.
    pub(super) fn read_back(&self, change: &Value) -> Outcome<()> {
        let missed = dotted(patch::differences(&self.config_on_disk()?, change));
        if missed.is_empty() {
            return Ok(());
        }
        let message =
            format!("{} answered that it wrote, but {} read back differently", self.id, missed.join(", "));
        Err(Failure::new(FailureCode::ConfigFlagged, message))
    }
}

/// The hash of the configuration as OpenClaw knows it, and what it finds wrong with it, if it calls it invalid.
async fn read(client: &Client) -> Outcome<(String, Option<Vec<String>>)> {
    let got = client.call("config.get", json!({}), QUICK).await?;
    let found = (got["valid"] == Value::Bool(false)).then(|| issues(&got["issues"]));
    match got["hash"].as_str() {
        Some(hash) => Ok((hash.to_owned(), found)),
        None => Err(Failure::new(FailureCode::Openclaw, "config.get answered without a hash")),
    }
}

fn flagged(message: String, found: Vec<String>) -> Failure {
    Failure::new(FailureCode::ConfigFlagged, message).because(FailureReason::InvalidConfig).with_issues(found)
}

/// Arrays that a patch replaces or may remove; OpenClaw shortens only those that are named.
fn arrays(change: &Value) -> Vec<String> {
    let paths = patch::owned_paths(change).into_iter();
    paths
        .filter(|path| patch::at(change, path).is_some_and(|value| value.is_array() || value.is_null()))
        .map(|path| path.join("."))
        .collect()
}

fn issues_of(refusal: &RpcError) -> Vec<String> {
    let found = refusal.details.as_ref().map(|details| issues(&details["issues"])).unwrap_or_default();
    if found.is_empty() { vec![refusal.message.clone()] } else { found }
}

pub(super) fn issues(found: &Value) -> Vec<String> {
    let one = |issue: &Value| {
        let message = issue["message"].as_str().or(issue.as_str()).unwrap_or("refused").to_owned();
        match issue["path"].as_str() {
            Some(path) if !path.is_empty() => format!("{path}: {message}"),
            _ => message,
        }
    };
    found.as_array().map(|issues| issues.iter().map(one).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_named_and_issues_are_read_in_both_shapes() {
        let change = json!({"fresh": [1], "a": {"b": []}, "gone": null, "c": 1});
        assert_eq!(arrays(&change), ["fresh", "a.b", "gone"]);
        assert_eq!(issues(&json!([{"path": "a.b", "message": "bad"}, "worse"])), ["a.b: bad", "worse"]);
    }

    #[test]
    fn an_outdated_reading_is_taken_again_and_not_for_ever() {
        let mut rounds = Rounds::default();
        assert_eq!(rounds.judge::<()>(Err(Unwritten::Outdated)).unwrap(), None);
        assert_eq!(rounds.judge(Ok(7)).unwrap(), Some(7));
        let refused = Unwritten::Refused(Failure::new(FailureCode::ConfigFlagged, "malformed"));
        assert_eq!(rounds.judge::<()>(Err(refused)).unwrap_err().code(), FailureCode::ConfigFlagged);
        let left: Vec<_> = (1..ROUNDS).map(|_| rounds.judge::<()>(Err(Unwritten::Outdated))).collect();
        let (last, before) = left.split_last().unwrap();
        assert!(before.iter().all(|round| *round == Ok(None)), "{before:?}");
        assert_eq!(last.as_ref().unwrap_err().code(), FailureCode::Overloaded);
    }
}
