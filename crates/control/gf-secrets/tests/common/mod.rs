//! A fleet of two accounts with an instance each, and a place to keep their secrets.
#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use gf_model::{
    InstanceId, Tier, Timestamp,
    ambient::Entropy,
    channel::SecretName,
    gateway::Generation,
    instance::{Instance, InstanceState, Role},
    person::Principal,
};
use gf_secrets::{Listed, Plain, Purpose, Revealed, Scope, Secrets, SecretsError, Use};
use gf_store::FleetStore;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
};

static PRINCIPAL: LazyLock<Principal> = LazyLock::new(|| Principal::Service("operations".into()));

/// The machine's own randomness: nonces must differ, and keys of two homes too.
pub struct Machine;

impl Entropy for Machine {
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).unwrap();
    }
}

#[derive(Clone)]
pub struct Room {
    pub home: Arc<tempfile::TempDir>,
    pub store: FleetStore,
    pub secrets: Secrets,
}

impl Room {
    /// In memory, except for the master key.
    pub async fn new() -> Self {
        Self::with(FleetStore::in_memory().unwrap(), Arc::new(tempfile::tempdir().unwrap())).await
    }

    pub async fn on_disk() -> Self {
        let home = Arc::new(tempfile::tempdir().unwrap());
        Self::with(FleetStore::open_home(home.path(), &Machine).unwrap(), home).await
    }

    async fn with(store: FleetStore, home: Arc<tempfile::TempDir>) -> Self {
        store
            .update(|_, tx| {
                tx.put(instance(1));
                tx.put(instance(2));
            })
            .await
            .unwrap();
        let secrets =
            Secrets::open(store.clone(), &master_key(home.path()), Arc::new(Machine)).await.unwrap();
        Self { home, store, secrets }
    }

    pub fn by(&self) -> Use<'static> {
        Use { principal: &PRINCIPAL, at: moment() }
    }

    /// The first account's own instance.
    pub fn purpose(&self) -> Purpose {
        Purpose::Instance { node: "node-a".parse().unwrap(), instance: InstanceId::from_bits(1, 4) }
    }

    pub async fn set(&self, account: &str, secret_name: &str, value: &str) -> Result<Listed, SecretsError> {
        let scope = Scope::Account(account.parse().unwrap());
        self.secrets.set(self.by(), &scope, &name(secret_name), secret(value)).await
    }

    pub async fn reveal(&self, account: &str, secret_name: &str) -> Result<Revealed, SecretsError> {
        let scope = Scope::Account(account.parse().unwrap());
        self.secrets.reveal_for(self.by(), &self.purpose(), &scope, &name(secret_name)).await
    }

    pub async fn reveal_version(
        &self,
        account: &str,
        secret_name: &str,
        version: u64,
    ) -> Result<Revealed, SecretsError> {
        let scope = Scope::Account(account.parse().unwrap());
        self.secrets.reveal_version(self.by(), &self.purpose(), &scope, &name(secret_name), version).await
    }
}

pub fn master_key(home: &Path) -> PathBuf {
    home.join("keys/master.key")
}

pub fn moment() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

pub fn name(name: &str) -> SecretName {
    SecretName(name.into())
}

pub fn secret(value: &str) -> Plain {
    Plain::new(value)
}

fn instance(number: u64) -> Instance {
    Instance {
        state: InstanceState::Active,
        monthly_cost: gf_model::Cents(600),
        node: Some("node-a".parse().unwrap()),
        generation: Generation(1),
        channels_on: true,
        ..Instance::new(
            InstanceId::from_bits(number, 4),
            format!("acct-{number:04}").parse().unwrap(),
            Role::Primary,
            Tier::Standard,
            "local-a".into(),
            "here".into(),
            moment(),
        )
    }
}
