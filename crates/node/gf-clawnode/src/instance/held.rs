//! The state of an instance's channels, asked over one connection that is held as long as it serves.
//!
//! It only looks. Whether OpenClaw answers at all is judged by HTTP; a question that fails here says nothing.

use super::{Instance, InstanceState};
use crate::host::Outcome;
use openclaw_client::{Client, methods::ChannelAccount};
use std::{convert::Infallible, time::Duration};
use tokio::time::sleep;

/// Between two questions.
const EVERY: Duration = Duration::from_secs(15);
/// A channel that reconnects is down for a moment; one that is down twice in a row is down.
const LOOKS_THAT_COUNT: u32 = 2;

/// What was seen of the channels so far.
#[derive(Debug, Default)]
pub(super) struct Channels {
    looks_down: u32,
}

impl Channels {
    pub(super) fn are_down(&self) -> bool {
        self.looks_down >= LOOKS_THAT_COUNT
    }

    fn saw(&mut self, accounts: &[ChannelAccount]) {
        self.looks_down = if accounts.iter().any(should_be_up) { self.looks_down + 1 } else { 0 };
    }
}

/// Configured, not switched off, and nevertheless not up.
fn should_be_up(account: &ChannelAccount) -> bool {
    account.configured && account.enabled && !account.is_up()
}

impl Instance {
    /// Looks for as long as it is polled.
    pub(super) async fn follow_channels(&self) -> Infallible {
        let mut held = None;
        loop {
            sleep(EVERY).await;
            let serves = matches!(self.state(), InstanceState::Active | InstanceState::Degraded);
            if !serves || !self.spec.lock().channels_open {
                self.live.lock().channels = Channels::default();
                if !self.is_parked() {
                    held = None;
                }
                continue;
            }
            match self.ask_channels(&mut held).await {
                Ok(accounts) => self.live.lock().channels.saw(&accounts),
                Err(why) => {
                    tracing::debug!(instance = self.id, %why, "its channels could not be asked for");
                    held = None;
                }
            }
        }
    }

    async fn ask_channels(&self, held: &mut Option<Client>) -> Outcome<Vec<ChannelAccount>> {
        let client = match held {
            Some(client) => client,
            None => held.insert(self.client().await?),
        };
        Ok(client.channels_status().await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(configured: bool, enabled: bool, running: bool, connected: Option<bool>) -> ChannelAccount {
        ChannelAccount {
            channel: "telegram".into(),
            account: "default".into(),
            configured,
            enabled,
            running,
            connected,
            last_error: None,
        }
    }

    #[test]
    fn a_channel_that_stays_down_counts_and_one_that_blinks_does_not() {
        let mut channels = Channels::default();
        let (up, down) = (account(true, true, true, Some(true)), account(true, true, true, Some(false)));
        channels.saw(&[up.clone(), down.clone()]);
        assert!(!channels.are_down());
        channels.saw(std::slice::from_ref(&up));
        channels.saw(std::slice::from_ref(&down));
        assert!(!channels.are_down());
        channels.saw(&[down]);
        assert!(channels.are_down());
        channels.saw(&[up]);
        assert!(!channels.are_down());
    }

    #[test]
    fn what_nobody_configured_or_somebody_switched_off_is_not_missed() {
        for fine in [
            account(false, true, false, None),
            account(true, false, false, None),
            account(true, true, true, None),
        ] {
            assert!(!should_be_up(&fine), "{fine:?}");
        }
        assert!(should_be_up(&account(true, true, false, None)));
    }
}
