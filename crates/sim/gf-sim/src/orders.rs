//! What somebody asks for who has looked at what is there: releases for the nodes, and what others seldom hit upon by
//! chance, since it needs a pair that stands or an archive that lies there.

use crate::people::{Person, ada, commander};
use gf_model::{
    AccountId, Tier,
    gateway::{Desired, Gateway},
    release::Release,
    verb::{Pace, TeardownReason, Verb},
};
use gf_requests::Options;
use std::time::Duration;

/// For so long somebody waits for a teardown before they give up to ask it back.
const PATIENCE: Duration = Duration::from_secs(900);

impl Person {
    pub async fn order(mut self) {
        match self.rng.u32(..6) {
            0 => self.resize().await,
            1 => self.tear_down_and_ask_back().await,
            _ => self.update_nodes().await,
        }
    }

    fn some_gateway(&mut self, wanted: impl Fn(&Gateway) -> bool) -> Option<Gateway> {
        let all: Vec<_> =
            self.look(|fleet| fleet.gateways.values().filter(|it| wanted(it)).cloned().collect());
        let nth = self.rng.usize(..all.len().max(1));
        all.get(nth).cloned()
    }

    async fn confirmed(&mut self, verb: Verb) {
        let name = verb.name();
        let options = Options { confirmed: true, ..Options::default() };
        let outcome = self.requests.request(&ada(), verb, options).await;
        self.see_to(name, outcome).await;
    }

    async fn resize(&mut self) {
        let Some(gateway) = self.some_gateway(|gateway| gateway.desired == Desired::Pair) else { return };
        let tier = if gateway.tier == Tier::Pro { Tier::Standard } else { Tier::Pro };
        self.confirmed(Verb::Resize { accounts: vec![gateway.account], tier }).await;
    }

    async fn tear_down_and_ask_back(&mut self) {
        let Some(gateway) = self.some_gateway(|gateway| gateway.desired == Desired::Pair) else { return };
        let account = gateway.account;
        let reason = TeardownReason::Idle;
        let accounts = vec![account.clone()];
        self.confirmed(Verb::Teardown { accounts, reason, archive: true, standby_only: false }).await;
        if tokio::time::timeout(PATIENCE, self.until_archived(&account)).await.is_ok() {
            let reason = "they are back".to_owned();
            self.confirmed(Verb::Restore { account, archive: None, snapshot: None, reason }).await;
        }
    }

    async fn until_archived(&self, account: &AccountId) {
        let is_archived = || {
            self.look(|fleet| {
                let gateway = fleet.gateways.get(account);
                gateway.is_some_and(|gateway| gateway.desired == Desired::Archived)
                    && !gf_operations::held(fleet).contains_key(account.as_str())
            })
        };
        while !is_archived() {
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
    }

    /// All nodes, or some, become a release that comes up, or does not on one of them, or nowhere.
    async fn update_nodes(&mut self) {
        let mut nodes: Vec<_> = self.look(|fleet| fleet.nodes.keys().cloned().collect());
        if self.rng.bool() {
            nodes.retain(|_| self.rng.bool());
        }
        let nth = self.rng.usize(..nodes.len().max(1));
        let flaw = match self.rng.u32(..6) {
            0 => "-broken".to_owned(),
            1 | 2 => nodes.get(nth).map(|node| format!("-broken.{node}")).unwrap_or_default(),
            _ => String::new(),
        };
        let release = Release {
            version: format!("{}.0.0{flaw}", self.rng.u32(1..=9)),
            // Simulated nodes believe any and say that they have all of it.
            sha256: "00".repeat(32),
            size: 1,
            signature: "00".repeat(64),
        };
        let pace = Pace::gated(if self.rng.bool() { vec![1, 2] } else { Vec::new() });
        let verb = Verb::UpdateNodes { nodes, release, ring_size: self.rng.u32(1..=4), pace };
        let asks = if self.rng.u32(..8) == 0 { commander() } else { ada() };
        let options = Options { confirmed: asks.may_approve && self.rng.bool(), ..Options::default() };
        let outcome = self.requests.request(&asks, verb, options).await;
        self.see_to("update_nodes", outcome).await;
        if self.rng.u32(..3) == 0 {
            tokio::time::sleep(Duration::from_secs(self.rng.u64(1..60))).await;
            self.second_thoughts().await;
        }
    }
}
