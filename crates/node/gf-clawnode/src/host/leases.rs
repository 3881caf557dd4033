//! Keeps the leases of this machine's instances: counts what is asked of the control plane, asks witnesses while it is
//! silent, and closes what nobody renews.

use super::{instances::Instances, witness};
use crate::{instance::Question, machine};
use gf_node_proto::{LeaseGrant, SigningKey};
use parking_lot::Mutex;
use std::{collections::VecDeque, sync::Arc, time::Duration};

/// Heartbeats whose answer may still come.
const KEPT: usize = 32;
/// How often the leases are looked at; a lease's end is seen so late at most.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// When each heartbeat left.
#[derive(Debug, Default)]
pub struct Beats {
    sent: Mutex<VecDeque<(u64, Duration)>>,
}

impl Beats {
    /// The number of a heartbeat that leaves now.
    pub fn next(&self) -> u64 {
        let mut sent = self.sent.lock();
        let number = sent.back().map_or(1, |(last, _)| last + 1);
        sent.push_back((number, machine::since_boot()));
        while sent.len() > KEPT {
            sent.pop_front();
        }
        number
    }

    fn left_at(&self, number: u64) -> Option<Duration> {
        self.sent.lock().iter().find(|(known, _)| *known == number).map(|(_, at)| *at)
    }
}

/// Who asks: this node's name and key.
pub struct Holder {
    pub node: String,
    pub key: SigningKey,
}

impl Instances {
    /// The answer of the control plane to a heartbeat.
    pub fn granted(self: &Arc<Self>, grant: &LeaseGrant) {
        let Some(asked) = self.local.beats.left_at(grant.seq) else { return };
        for lease in &grant.leases {
            let Some(instance) = self.find(&lease.instance_id) else { continue };
            if let Some(question) = instance.granted(lease, asked) {
                // New terms: nothing is believed of a witness that has not shown that it answers.
                let holder = Arc::clone(&self.holder);
                tokio::spawn(async move {
                    match witness::ask(&holder, &question).await {
                        Ok(_) => instance.tried(&question),
                        Err(why) => {
                            tracing::info!(instance = instance.id(), why, "its witness cannot be used")
                        }
                    }
                });
            }
        }
        for duty in &grant.duties {
            if let Some(instance) = self.find(&duty.instance_id) {
                instance.told_to_witness(duty);
            }
        }
    }

    /// Runs for as long as it is polled.
    pub async fn keep_leases(self: Arc<Self>) {
        self.all().iter().for_each(|instance| instance.be_guarded());
        let mut following = tokio::task::JoinSet::new();
        loop {
            let now = machine::since_boot();
            for instance in self.all() {
                if let Some(question) = instance.asks_witness(now) {
                    let (holder, instance) = (Arc::clone(&self.holder), Arc::clone(&instance));
                    tokio::spawn(async move { ask(&holder, &instance, &question).await });
                }
                if instance.is_out_of_step(now) && instance.begin_to_follow() {
                    following.spawn(async move {
                        instance.follow_lease().await;
                        instance.followed();
                    });
                }
            }
            while following.try_join_next().is_some() {}
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

async fn ask(holder: &Holder, instance: &crate::instance::Instance, question: &Question) {
    match witness::ask(holder, question).await {
        Ok(lasts) => instance.witnessed(question, lasts),
        Err(why) => tracing::info!(instance = instance.id(), why, "its witness did not renew its lease"),
    }
}
