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

/// Another model, written on one line: `local/qwen-7b base-url=http://127.0.0.1:9000/v1`, with `key-file=/home/ana/.key`
/// where its provider wants a key.
///
/// It is reached by its OpenAI-compatible address. The providers that OpenClaw knows by name are plugins of its own; with
/// one of them loaded for the model, OpenClaw 2026.9.6 shows its agents without our tools.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtraModel {
    pub provider: String,
    pub model: String,
    pub base_url: String,
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
        let (mut base_url, mut key_file) = (None, None);
        for word in words {
            match word.split_once('=') {
                Some(("base-url", url)) if url.starts_with("http") => base_url = Some(url.to_owned()),
                Some(("key-file", path)) if !path.is_empty() => key_file = Some(path.into()),
                _ => return Err(wrong(&format!("{word:?} is neither base-url=… nor key-file=…"))),
            }
        }
        let missing =
            || wrong("its OpenAI-compatible address is missing, as base-url=https://api.openai.com/v1");
        let base_url = base_url.ok_or_else(missing)?;
        Ok(Self { provider: provider.into(), model: model.into(), base_url, key_file })
    }
}

impl ExtraModel {
    pub fn reference(&self) -> String {
        format!("{}/{}", self.provider, self.model)
    }

    pub(crate) fn provider_entry(&self, key: Option<&str>) -> Value {
        let mut entry = json!({
            "baseUrl": self.base_url,
            "api": "openai-completions",
            "models": [model_entry(&self.model, &self.model)],
        });
        if let Some(key) = key {
            entry["apiKey"] = json!(key);
        }
        entry
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_names_a_model() {
        let extra: ExtraModel =
            "acme/large base-url=https://llm.acme.example/v1 key-file=/k".parse().unwrap();
        assert_eq!(extra.reference(), "acme/large");
        assert_eq!(extra.key_file, Some(PathBuf::from("/k")));
        assert_eq!(extra.provider_entry(Some("a-key"))["apiKey"], "a-key");
        let own: ExtraModel = "local/qwen/7b base-url=http://127.0.0.1:9/v1".parse().unwrap();
        assert_eq!((own.provider.as_str(), own.model.as_str()), ("local", "qwen/7b"));
        assert!(own.provider_entry(None).get("apiKey").is_none());
        for wrong in
            ["", "gpt", "claw-brain/operator", "a/b key=x", "a/b base-url=ftp://x", "a/b key-file=/k"]
        {
            assert!(wrong.parse::<ExtraModel>().is_err(), "{wrong}");
        }
    }
}
