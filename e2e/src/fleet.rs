//! The fleet's own gateways, seen from beside: their files, their processes, and their users' conversation.

use crate::{Universe, processes, wait};
use openclaw_client::chat::{AgentTurn, Target, TurnEnd};
use openclaw_client::{Client, Endpoint, Token};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const ACTIVE_WITHIN: Duration = Duration::from_secs(300);
static SAID: AtomicU64 = AtomicU64::new(0);
const TURN_WITHIN: Duration = Duration::from_secs(120);

/// One account's pair as it was when it was looked at.
#[derive(Debug, Clone)]
pub struct Pair {
    pub account: String,
    pub primary: String,
    pub standby: Option<String>,
    pub primary_addr: SocketAddr,
}

impl Universe {
    /// All gateways, oldest first, with both halves.
    pub fn gateways(&self) -> Vec<Value> {
        self.json(&["pairs"]).as_array().cloned().unwrap_or_default()
    }

    pub fn gateway(&self, account: &str) -> Value {
        let found = self.gateways().into_iter().find(|gateway| gateway["accountId"] == account);
        found.unwrap_or_else(|| panic!("there is no gateway of {account}"))
    }

    /// Waits until both halves of every pair answer.
    pub fn await_all_protected(&self) {
        wait::until("every pair is protected", ACTIVE_WITHIN, || {
            self.gateways().iter().all(|gateway| gateway["condition"] == "protected").then_some(())
        });
    }

    /// Where an instance's files are, on whichever node it is.
    pub fn instance_dir(&self, instance: &str) -> Option<PathBuf> {
        let nodes = std::fs::read_dir(self.home().join("hosts")).ok()?.flatten();
        nodes.map(|node| node.path().join("instances").join(instance)).find(|dir| dir.is_dir())
    }

    fn spec(&self, instance: &str) -> Value {
        let dir = self.instance_dir(instance).unwrap_or_else(|| panic!("{instance} has no directory"));
        let text = std::fs::read(dir.join("spec.json")).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    pub fn instance_pid(&self, instance: &str) -> i32 {
        let pid = self.spec(instance)["process"]["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok());
        pid.unwrap_or_else(|| panic!("{instance} has no process"))
    }

    pub fn kill_instance(&self, instance: &str) {
        processes::signal(self.instance_pid(instance), rustix::process::Signal::KILL);
    }

    pub fn instance_state(&self, instance: &str) -> String {
        let instances = self.json(&["instances"]);
        let found = instances.as_array().into_iter().flatten().find(|line| line["instanceId"] == instance);
        found.and_then(|line| line["state"].as_str()).unwrap_or("gone").to_owned()
    }

    /// A user of COMPANION says something to the account's bot; its answer.
    pub fn tell_bot(&self, instance: &str, text: &str) -> String {
        let spec = self.spec(instance);
        let port = spec["port"].as_u64().unwrap_or_default();
        let addr: SocketAddr = format!("127.0.0.1:{port}").parse().unwrap_or_else(|e| panic!("{e}"));
        let token = Token::new(spec["gatewayToken"].as_str().unwrap_or_default());
        let turn = AgentTurn {
            target: Target::Agent("main".into()),
            message: text.to_owned(),
            // A user who says the same again says it again.
            idempotency_key: format!("user-{}", SAID.fetch_add(1, Ordering::Relaxed)),
            deliver: None,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.unwrap_or_else(|e| panic!("no runtime: {e}"));
        let end = runtime.block_on(async {
            let client = Client::connect(&Endpoint { addr, token }, TURN_WITHIN).await?;
            client.converse(&turn, TURN_WITHIN, |_| {}).await
        });
        match end.unwrap_or_else(|e| panic!("{instance} does not answer: {e}")) {
            TurnEnd::Replied(text) => text.unwrap_or_default(),
            other => panic!("{instance} did not reply: {other:?}"),
        }
    }
}

impl Pair {
    pub fn first(universe: &Universe) -> Self {
        let gateways = universe.gateways();
        Self::of(gateways.first().unwrap_or_else(|| panic!("there is no gateway")))
    }

    pub fn of(gateway: &Value) -> Self {
        let id = |half: &str| gateway[half]["instanceId"].as_str().map(str::to_owned);
        let endpoint = gateway["primary"]["endpoint"].as_str().unwrap_or_default();
        let addr = endpoint.trim_start_matches("http://").trim_end_matches('/').parse();
        Self {
            account: gateway["accountId"].as_str().unwrap_or_default().to_owned(),
            primary: id("primary").unwrap_or_else(|| panic!("a pair without a primary: {gateway}")),
            standby: id("standby"),
            primary_addr: addr.unwrap_or_else(|e| panic!("{endpoint:?} is no address: {e}")),
        }
    }

    pub fn primary_state(&self, universe: &Universe) -> String {
        universe.instance_state(&self.primary)
    }

    pub fn await_active(&self, universe: &Universe) {
        wait::until("the primary is ACTIVE", ACTIVE_WITHIN, || {
            (self.primary_state(universe) == "ACTIVE").then_some(())
        });
    }

    pub fn kill_primary(&self, universe: &Universe) {
        universe.kill_instance(&self.primary);
    }
}
