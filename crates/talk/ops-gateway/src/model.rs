//! Which models drive the agents.

use crate::{Error, Result};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::str::FromStr;

/// claw-brain, the model that needs neither key nor network.
#[derive(Debug, Clone)]
pub struct Brain {
    pub port: u16,
}

impl Brain {
    pub const PROVIDER: &str = "claw-brain";
    /// The model that knows operators' sentences.
    pub const OPERATOR: &str = "claw-brain/operator";

    pub(crate) fn provider(&self, key: &str) -> Value {
        json!({
            "baseUrl": format!("http://127.0.0.1:{}/v1", self.port),
            "apiKey": key,
            "api": "openai-completions",
            "models": [model_entry("operator", "ClawOps operator")],
        })
    }
}

fn model_entry(id: &str, name: &str) -> Value {
    json!({
        "id": id, "name": name, "reasoning": false, "input": ["text"],
        "cost": { "input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0 },
        "contextWindow": 128_000, "maxTokens": 4096,
    })
}

/// Another model, written on one line: `anthropic/claude-sonnet-4-5 key-file=/home/ana/.anthropic`, or with
/// `base-url=https://…/v1` any OpenAI-compatible one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtraModel {
    pub provider: String,
    pub model: String,
    pub base_url: Option<String>,
    pub key_file: Option<PathBuf>,
}

impl FromStr for ExtraModel {
    type Err = Error;

    fn from_str(line: &str) -> Result<Self> {
        let wrong = |problem: &str| Error::Model { value: line.into(), problem: problem.into() };
        let mut words = line.split_whitespace();
        let (provider, model) =
            words.next().and_then(|name| name.split_once('/')).ok_or_else(|| wrong("no provider/model"))?;
        if provider.is_empty() || model.is_empty() || provider == Brain::PROVIDER {
            return Err(wrong("the first word must be provider/model, of another provider than claw-brain"));
        }
        let mut extra =
            Self { provider: provider.into(), model: model.into(), base_url: None, key_file: None };
        for word in words {
            match word.split_once('=') {
                Some(("base-url", url)) if url.starts_with("http") => extra.base_url = Some(url.into()),
                Some(("key-file", path)) if !path.is_empty() => extra.key_file = Some(path.into()),
                _ => return Err(wrong(&format!("{word:?} is neither base-url=… nor key-file=…"))),
            }
        }
        Ok(extra)
    }
}

impl ExtraModel {
    pub fn reference(&self) -> String {
        format!("{}/{}", self.provider, self.model)
    }

    /// The provider's entry, for a provider that OpenClaw does not know by itself.
    pub(crate) fn provider_entry(&self, key: Option<&str>) -> Option<Value> {
        let mut entry = json!({
            "baseUrl": self.base_url.as_ref()?,
            "api": "openai-completions",
            "models": [model_entry(&self.model, &self.model)],
        });
        if let Some(key) = key {
            entry["apiKey"] = json!(key);
        }
        Some(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_names_a_model() {
        let extra: ExtraModel = "anthropic/claude-sonnet-4-5 key-file=/k".parse().unwrap();
        assert_eq!(extra.reference(), "anthropic/claude-sonnet-4-5");
        assert_eq!(extra.key_file, Some(PathBuf::from("/k")));
        assert_eq!(extra.provider_entry(None), None);
        let own: ExtraModel = "local/qwen/7b base-url=http://127.0.0.1:9/v1".parse().unwrap();
        assert_eq!((own.provider.as_str(), own.model.as_str()), ("local", "qwen/7b"));
        for wrong in ["", "gpt", "claw-brain/operator", "a/b key=x", "a/b base-url=ftp://x"] {
            assert!(wrong.parse::<ExtraModel>().is_err(), "{wrong}");
        }
    }
}
