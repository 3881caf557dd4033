//! The driver contract on all five simulated providers.

#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

use async_trait::async_trait;
use gf_driver::{
    Driver,
    contract::{Fault, Subject},
};
use gf_driver_sim::{
    CallFault, SimFleet, SimSettings,
    testing::{Office, SeededEntropy, TokioClock, control_key, hub},
};
use gf_model::{
    InstanceId, Tier,
    provider::{ProviderId, Region},
};
use gf_node_hub::NodeEvent;
use std::{path::PathBuf, sync::Arc};
use tempfile::TempDir;
use tokio::sync::mpsc;

struct Simulated {
    provider: &'static str,
    region: &'static str,
    directory: TempDir,
    office: Arc<Office>,
    fleet: Option<(SimFleet, mpsc::Receiver<NodeEvent>)>,
    starts: u64,
}

impl Simulated {
    fn at(provider: &'static str, region: &'static str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut this =
            Self { provider, region, directory, office: Office::new(control_key()), fleet: None, starts: 0 };
        this.open();
        this
    }

    fn open(&mut self) {
        self.fleet = None;
        self.starts += 1;
        let (hub, events) = hub(&self.office, self.starts);
        let state: Option<PathBuf> = Some(self.directory.path().join("sim.jsonl"));
        let settings = SimSettings { failures: false, state, ..SimSettings::default() };
        let office = Arc::clone(&self.office);
        let fleet =
            SimFleet::open(settings, hub, office, TokioClock::starting_now(), SeededEntropy::new(1)).unwrap();
        self.fleet = Some((fleet, events));
    }

    fn fleet(&self) -> &SimFleet {
        &self.fleet.as_ref().unwrap().0
    }
}

#[async_trait]
impl Subject for Simulated {
    fn driver(&self) -> Arc<dyn Driver> {
        Arc::new(self.fleet().driver())
    }

    fn sold(&self) -> (ProviderId, Region, Tier) {
        (self.provider.into(), self.region.into(), Tier::Standard)
    }

    async fn arm(&mut self, fault: Fault) -> bool {
        let fault = match fault {
            Fault::DropAnswer => CallFault::DropAnswer,
            Fault::Refuse => CallFault::Refuse,
            Fault::RateLimit(pause) => CallFault::RateLimit(pause),
            Fault::Away => CallFault::Away,
        };
        self.fleet().next_call(&self.provider.into(), fault);
        true
    }

    async fn kill_and_reopen(&mut self) {
        self.open();
    }

    async fn really_there(&self, label: &InstanceId) -> usize {
        self.fleet().count(label)
    }

    async fn really_runs(&self, label: &InstanceId) -> bool {
        self.fleet().runs(label)
    }

    async fn plant_stranger(&mut self) {
        self.fleet().plant_stranger(&self.provider.into(), &self.region.into());
    }
}

macro_rules! at_each {
    ($($provider:ident in $region:literal),*) => {$(
        mod $provider {
            use super::Simulated;
            gf_driver::contract_tests!(#[tokio::test(start_paused = true)] Simulated::at(stringify!($provider), $region));
        }
    )*};
}

at_each!(hetzner in "nbg1", vultr in "fra", digitalocean in "ams3", contabo in "eu", hostinger in "lt");
