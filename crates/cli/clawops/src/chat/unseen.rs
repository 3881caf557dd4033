//! What Commander said while nobody listened: told at the next opportunity, and told once.
//!
//! Which of its messages were on a screen is kept in the home, by the run that they came from.

use crate::problem::{Problem, Result};
use openclaw_client::Client;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// Runs of our own lines are replies, which whoever wrote the line has seen.
pub const OWN_RUN: &str = "cli-";
const WITHIN: Duration = Duration::from_secs(15);
const LOOK_BACK: u32 = 100;
/// More than the look-back, so that nothing in it is told again.
const REMEMBERED: usize = 400;

pub struct Unseen {
    file: PathBuf,
    seen: VecDeque<String>,
}

/// Something that nobody has seen yet.
pub struct Said {
    pub run: String,
    pub text: String,
}

impl Unseen {
    pub fn open(file: PathBuf) -> Self {
        let kept: Option<VecDeque<String>> =
            fs::read(&file).ok().and_then(|text| serde_json::from_slice(&text).ok());
        Self { file, seen: kept.unwrap_or_default() }
    }

    /// In the order in which it was said.
    pub async fn look(&self, client: &Client, session: &str) -> Result<Vec<Said>> {
        let history =
            client.call("chat.history", json!({ "sessionKey": session, "limit": LOOK_BACK }), WITHIN).await?;
        Ok(said_unasked(&history).into_iter().filter(|said| !self.seen.contains(&said.run)).collect())
    }

    pub fn saw(&mut self, run: &str) -> Result<()> {
        if self.seen.iter().any(|seen| seen == run) {
            return Ok(());
        }
        self.seen.push_back(run.to_owned());
        while self.seen.len() > REMEMBERED {
            self.seen.pop_front();
        }
        let text = serde_json::to_vec(&self.seen).unwrap_or_default();
        fs::write(&self.file, text).map_err(|e| Problem::file(&self.file, e))
    }
}

fn said_unasked(history: &Value) -> Vec<Said> {
    let messages = history["messages"].as_array().into_iter().flatten();
    messages
        .filter(|message| message["role"] == "assistant")
        .filter_map(|message| {
            let run = message["__openclaw"]["runId"].as_str().filter(|run| !run.starts_with(OWN_RUN))?;
            let parts = message["content"].as_array().into_iter().flatten();
            let text: String = parts.filter_map(|part| part["text"].as_str()).collect();
            (!text.trim().is_empty()).then(|| Said { run: run.to_owned(), text })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_asked_for_is_news() {
        let message = |run: &str, text: &str| json!({ "role": "assistant", "content": [{ "type": "text", "text": text }], "__openclaw": { "runId": run } });
        let history = json!({ "messages": [message("cli-1", "a reply"), message("note-2", "healed"), message("note-3", "")] });
        let said = said_unasked(&history);
        assert_eq!(said.iter().map(|said| said.text.as_str()).collect::<Vec<_>>(), ["healed"]);
    }

    #[test]
    fn what_was_seen_stays_seen_in_the_next_process() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("seen.json");
        Unseen::open(file.clone()).saw("note-2").unwrap();
        assert!(Unseen::open(file).seen.contains(&"note-2".to_owned()));
    }
}
