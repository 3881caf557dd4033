//! Closes the channels of an instance whose lease is over, and opens them again when it is renewed.
//!
//! What closed for a lease lies aside, credentials included, until somebody renews it or the control plane says something
//! about the channels. Nothing here decides whether a lease stands ([`super::lease`] does).

use super::{Instance, Spec, channels};
use crate::{
    files,
    host::{Failure, Outcome},
    machine,
};
use gf_model::{lease::CLOSES_WITHIN, patch};
use gf_node_proto::{ChannelsChanged, FailureCode};
use rustix::process::Signal;
use serde_json::Value;
use std::{io, time::Duration};

/// What a command that opens channels waits for a lease that has just ended.
const RENEWED_WITHIN: Duration = Duration::from_secs(15);

impl Instance {
    /// Whether its channels may be open and must not be, or the other way round.
    pub fn is_out_of_step(&self, now: Duration) -> bool {
        let (open, lapsed) = {
            let spec = self.spec.lock();
            (spec.may_have_channels(), spec.lease.is_lapsed())
        };
        if self.may_serve(now) { lapsed } else { open }
    }

    /// One at a time follows a lease.
    pub fn begin_to_follow(&self) -> bool {
        !std::mem::replace(&mut self.live.lock().following, true)
    }

    pub fn followed(&self) {
        self.live.lock().following = false;
    }

    /// Opens or closes its channels as its lease allows.
    pub async fn follow_lease(&self) {
        if self.may_serve(machine::since_boot()) {
            if let Err(why) = self.unshelve().await {
                tracing::warn!(instance = self.id, %why, "its channels could not be opened again; trying again");
            }
            return;
        }
        tracing::warn!(instance = self.id, "its lease is over and nobody renews it: its channels close");
        let closed = tokio::time::timeout(CLOSES_WITHIN, self.shelve()).await;
        if matches!(closed, Ok(Ok(()))) {
            return;
        }
        // It cannot be asked in time. What has no channels in its file has none once it is started anew.
        tracing::warn!(instance = self.id, "it could not be asked to close its channels: its process ends");
        if let Err(why) = self.shelve_on_disk() {
            // It is not started again before that has been done.
            tracing::error!(instance = self.id, %why, "its channels could not be taken out of its file");
        }
        let process = self.live.lock().process.clone();
        if let Some(process) = process {
            process.signal_group(Signal::KILL);
        }
    }

    async fn shelve(&self) -> Outcome<()> {
        let _turn = self.turn.lock().await;
        let current = self.config_on_disk()?;
        self.put_aside(&current)?;
        let change = channels::change(&current, false, None)?;
        self.write_channels(current, &change).await?;
        self.closed()
    }

    fn closed(&self) -> Outcome<()> {
        self.remember(Spec::channels_are_gone)?;
        self.report(ChannelsChanged { open: false });
        Ok(())
    }

    /// Remembered before anything closes: should this be cut off, nothing of it is lost.
    fn put_aside(&self, current: &Value) -> io::Result<()> {
        let channels = current["channels"].clone();
        self.remember(|spec| {
            spec.lease.shelved.get_or_insert(channels);
        })
    }

    /// The same while nothing of it runs, or is about to end.
    fn shelve_on_disk(&self) -> Outcome<()> {
        let mut current = self.config_on_disk()?;
        self.put_aside(&current)?;
        let change = channels::change(&current, false, None)?;
        patch::apply(&mut current, &change);
        let text = serde_json::to_vec_pretty(&current).map_err(io::Error::from)?;
        Ok(files::write_private(&self.layout.config(), &text)?)
    }

    /// Before its process starts: what may not serve starts without channels.
    pub(super) fn close_before_start(&self) -> Outcome<()> {
        if !self.is_out_of_step(machine::since_boot()) || self.may_serve(machine::since_boot()) {
            return Ok(());
        }
        self.shelve_on_disk()?;
        self.closed()
    }

    async fn unshelve(&self) -> Outcome<()> {
        let _turn = self.turn.lock().await;
        let Some(shelved) = self.spec.lock().lease.shelved.clone() else { return Ok(()) };
        let current = self.config_on_disk()?;
        let change = channels::change(&current, true, Some(shelved).filter(Value::is_object))?;
        self.remember(|spec| spec.channels_held = true)?;
        if change["channels"].as_object().is_some_and(|map| !map.is_empty()) {
            self.write_channels(current, &change).await?;
        }
        self.remember(|spec| {
            spec.channels_open = true;
            spec.lease.shelved = None;
        })?;
        self.report(ChannelsChanged { open: true });
        Ok(())
    }

    /// Waits for the lease that channels open under. An order of long ago opens nothing.
    pub(super) async fn await_lease(&self) -> Outcome<()> {
        let renewed = async {
            loop {
                let notified = self.lease_renewed.notified();
                if self.may_serve(machine::since_boot()) {
                    return;
                }
                self.local.changed();
                notified.await;
            }
        };
        tokio::time::timeout(RENEWED_WITHIN, renewed).await.map_err(|_| {
            let message =
                format!("the lease of {} is over and was not renewed; its channels stay closed", self.id);
            Failure::new(FailureCode::TimedOut, message)
        })
    }
}
