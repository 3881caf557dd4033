//! The right to receive and to send: channels are opened and closed under a generation, never below the one
//! that the instance has seen.

use super::{
    Instance,
    write::{Rounds, Unwritten},
};
use crate::{
    files,
    host::{Failure, Outcome},
};
use gf_model::patch;
use gf_node_proto::{ChannelsChanged, FailureCode, InstanceRole};
use openclaw_client::{Client, methods::ConfigPatched};
use serde_json::{Map, Value, json};

impl Instance {
    /// Opens or closes all channels. Closing takes the credentials out of the configuration.
    pub async fn set_channels(
        &self,
        generation: u64,
        open: bool,
        channels: Option<Value>,
        role: InstanceRole,
    ) -> Outcome<()> {
        let _turn = self.turn.lock().await;
        if generation == 0 {
            return Err(Failure::invalid("generation", 0, "say under which generation the channels are set"));
        }
        self.accept_generation(generation)?;
        let standby = self.spec.lock().standby;
        match role {
            InstanceRole::Primary if standby => self.forget_lease()?,
            _ if open => self.await_lease().await?,
            _ => {}
        }
        let current = self.config_on_disk()?;
        let change = change(&current, open, channels)?;
        // Remembered first: should this be interrupted, a restart must not open them again, and what may have them by now
        // must not keep them past its lease.
        self.remember(|spec| {
            spec.channels_held |= open || spec.channels_open;
            spec.channels_open &= open;
        })?;
        if change["channels"].as_object().is_some_and(|map| !map.is_empty()) {
            self.write_channels(current, &change).await?;
        }
        self.remember(|spec| {
            spec.channels_open = open;
            spec.channels_held = open;
            spec.lease.forget_shelved();
            match role {
                InstanceRole::Primary => spec.standby = false,
                InstanceRole::Standby => spec.standby = true,
                InstanceRole::Unspecified => {}
            }
        })?;
        self.report(ChannelsChanged { open });
        Ok(())
    }

    pub(super) async fn write_channels(&self, mut current: Value, change: &Value) -> Outcome<()> {
        let runs = self.live.lock().process.is_some();
        if runs {
            let client = self.client().await?;
            let mut rounds = Rounds::default();
            while rounds.judge(self.write_once(&client, change).await)?.is_none() {}
            return self.read_back(change);
        }
        patch::apply(&mut current, change);
        let text = serde_json::to_vec_pretty(&current).map_err(std::io::Error::from)?;
        Ok(files::write_private(&self.layout.config(), &text)?)
    }

    async fn write_once(&self, client: &Client, change: &Value) -> Result<ConfigPatched, Unwritten> {
        let hash = self.hash_of_valid(client).await?;
        self.write(client, change, &hash, "ClawOps sets the channels").await
    }
}

/// The patch that opens the given channels, or removes those that are there.
pub(super) fn change(current: &Value, open: bool, channels: Option<Value>) -> Outcome<Value> {
    let map = match (open, channels) {
        (true, Some(Value::Object(map))) => map,
        (true, Some(_)) => {
            let fix = "give OpenClaw's `channels` object";
            return Err(Failure::new(
                FailureCode::InvalidArgument,
                format!("channels: not an object; {fix}"),
            ));
        }
        (true, None) => Map::new(),
        (false, _) => {
            let names = current["channels"].as_object().into_iter().flat_map(|map| map.keys());
            names.map(|name| (name.clone(), Value::Null)).collect()
        }
    };
    Ok(json!({"channels": map}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_removes_every_channel_with_its_credentials() {
        let current = json!({"channels": {"telegram": {"botToken": "x"}, "irc": {}}, "tts": {}});
        let mut closed = current.clone();
        patch::apply(&mut closed, &change(&current, false, None).unwrap());
        assert_eq!(closed, json!({"channels": {}, "tts": {}}));
    }

    #[test]
    fn opening_sets_what_was_given() {
        let given = json!({"telegram": {"enabled": true}});
        assert_eq!(change(&json!({}), true, Some(given.clone())).unwrap(), json!({"channels": given}));
        assert!(change(&json!({}), true, Some(json!([]))).is_err());
    }
}
