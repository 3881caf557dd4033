//! `settings.json` of the home: what an operator may choose for their own ClawOps. All of it is optional.
//!
//! It never holds a secret, only the files that hold them.

use crate::home::Home;
use crate::problem::{Problem, Result};
use ops_gateway::{Channels, ExtraModel, Irc, Telegram};
use serde::Deserialize;
use std::fs;
use std::path::PathBuf;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    /// Another model in front of claw-brain: `local/qwen-7b base-url=http://127.0.0.1:9000/v1`.
    model: Option<String>,
    /// Where COMPANION hears of its accounts, by signed webhooks.
    pub companion_url: Option<String>,
    /// Who outside is told that the control plane works, and pages when nothing comes.
    pub heartbeat_url: Option<String>,
    /// How often (60).
    pub heartbeat_seconds: Option<u64>,
    /// The authorities, as PEM, that alone vouch for those two over https; without it those that this machine trusts.
    pub outside_authorities: Option<PathBuf>,
    /// The OTLP collector that spans of the control plane are sent to.
    pub otlp_endpoint: Option<String>,
    /// How often each primary's memory is copied: what a failover may lose at most (300).
    pub snapshot_seconds: Option<u64>,
    telegram: Option<TelegramSettings>,
    irc: Option<IrcSettings>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TelegramSettings {
    token_file: PathBuf,
    /// Numeric ids of the operators; nobody else is heard.
    allow_from: Vec<String>,
    api_root: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct IrcSettings {
    host: String,
    port: u16,
    #[serde(default = "yes")]
    tls: bool,
    nick: String,
    /// Nicknames of the operators; nobody else is heard, and none of them can approve from there.
    allow_from: Vec<String>,
    #[serde(default)]
    rooms: Vec<String>,
}

fn yes() -> bool {
    true
}

impl Settings {
    pub fn read(home: &Home) -> Result<Self> {
        let path = home.dir.join("settings.json");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(e) => return Err(Problem::file(&path, e)),
        };
        serde_json::from_str(&text).map_err(|e| Problem::Bad {
            what: "the settings in",
            value: path.display().to_string(),
            fix: format!("{e}; mend or remove that file (docs/operating.md shows all settings)"),
        })
    }

    /// What can be seen to be wrong without starting anything.
    pub fn check(&self) -> Result<()> {
        self.model()?;
        let fits = |name: &'static str, given: Option<u64>, range: std::ops::RangeInclusive<u64>| match given
        {
            Some(seconds) if !range.contains(&seconds) => Err(Problem::Bad {
                what: name,
                value: seconds.to_string(),
                fix: format!("give a number from {} to {}", range.start(), range.end()),
            }),
            _ => Ok(()),
        };
        fits("snapshotSeconds in settings.json,", self.snapshot_seconds, 10..=86_400)?;
        fits("heartbeatSeconds in settings.json,", self.heartbeat_seconds, 1..=3_600)?;
        let addresses = [
            ("heartbeatUrl in settings.json", &self.heartbeat_url),
            ("otlpEndpoint in settings.json", &self.otlp_endpoint),
        ];
        let bad = addresses.into_iter().find_map(|(what, url)| {
            Some((
                what,
                url.as_ref().filter(|url| !url.starts_with("http://") && !url.starts_with("https://"))?,
            ))
        });
        match bad {
            Some((what, url)) => Err(Problem::Bad {
                what,
                value: url.split("://").next().unwrap_or_default().to_owned(),
                fix: "give an address that begins with http:// or https://".into(),
            }),
            None => Ok(()),
        }
    }

    pub fn model(&self) -> Result<Option<ExtraModel>> {
        Ok(self.model.as_deref().map(str::parse).transpose()?)
    }

    pub fn channels(&self) -> Channels {
        let telegram = self.telegram.as_ref().map(|telegram| Telegram {
            token_file: telegram.token_file.clone(),
            allow_from: telegram.allow_from.clone(),
            api_root: telegram.api_root.clone(),
        });
        let irc = self.irc.as_ref().map(|irc| Irc {
            host: irc.host.clone(),
            port: irc.port,
            tls: irc.tls,
            nick: irc.nick.clone(),
            allow_from: irc.allow_from.clone(),
            rooms: irc.rooms.clone(),
        });
        Channels { telegram, irc }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_setting_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::find(Some(dir.path().into()), None).unwrap();
        assert!(Settings::read(&home).unwrap().channels().irc.is_none(), "no file is fine");
        fs::write(dir.path().join("settings.json"), r#"{"modell": "x/y"}"#).unwrap();
        assert!(Settings::read(&home).unwrap_err().to_string().contains("modell"));
    }
}
