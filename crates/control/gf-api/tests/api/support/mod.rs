//! A control plane's front door with a real store in a directory of its own, and a fleet to put behind it.
#![allow(dead_code, reason = "each test file uses its own part")]

pub mod chromium;
pub mod fleet;

use async_trait::async_trait;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use futures_util::{Stream, StreamExt};
use gf_api::{Api, ApiConfig, ApiOptions, auth::person, limits::Limits};
use gf_driver::{Drivers, Enrolment, EnrolmentError};
use gf_model::{
    NodeId, PersonId, Timestamp,
    ambient::{Clock, Entropy},
    fleet::Change,
    person::{Person, PersonRole},
    provider::{ProviderId, Region},
};
use gf_node_hub::{EnrolRefusal, Hub, HubConfig, NodeRegistry, RegistryError};
use gf_node_proto::{SigningKey, VerifyingKey};
use gf_operations::{Engine, Hands, Paths};
use gf_policy_cedar::CedarPolicy;
use gf_requests::Requests;
use gf_secrets::Secrets;
use gf_store::{FleetStore, MemoryBackend, Pace, StoreOptions};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

pub const PLUGIN_KEY: &str = "the plugin's key of this test";

pub struct TestClock;
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// Different every time and the same in every run.
#[derive(Default)]
pub struct Counting(AtomicU64);
impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let n = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            chunk.copy_from_slice(&n.to_le_bytes()[..chunk.len()]);
        }
    }
}

struct NoNodes;
#[async_trait]
impl Enrolment for NoNodes {
    async fn token(&self, node: &NodeId, _: &ProviderId, _: &Region) -> Result<String, EnrolmentError> {
        Ok(format!("gfn_token-for-{node}"))
    }
}

#[async_trait]
impl NodeRegistry for NoNodes {
    async fn key_of(&self, _: &NodeId) -> Result<Option<[u8; 32]>, RegistryError> {
        Ok(None)
    }
    async fn enrol(
        &self,
        _: &NodeId,
        _: [u8; 32],
        _: VerifyingKey,
    ) -> Result<Result<(), EnrolRefusal>, RegistryError> {
        Ok(Err(EnrolRefusal::TokenUnknown))
    }
}

pub struct Door {
    pub address: SocketAddr,
    pub store: FleetStore,
    pub api: Api,
    pub http: reqwest::Client,
    ending: CancellationToken,
    home: TempDir,
}

impl Drop for Door {
    fn drop(&mut self) {
        self.ending.cancel();
    }
}

/// One key for each role: `viewer-key`, `operator-key`, `approver-key`, `admin-key`.
pub fn people() -> Vec<Change> {
    let roles = [
        ("viewer", PersonRole::Viewer),
        ("operator", PersonRole::Operator),
        ("approver", PersonRole::Approver),
        ("admin", PersonRole::Admin),
    ];
    let person = |(name, role): (&str, PersonRole)| {
        Person {
            id: name.parse::<PersonId>().unwrap(),
            first_name: name.to_owned(),
            role,
            identities: Vec::new(),
            key_sha256: vec![person::digest(&format!("{name}-key"))],
            signing_keys: Vec::new(),
            zone: None,
            created_at: Timestamp::UNIX_EPOCH,
            disabled: false,
        }
        .into()
    };
    roles.into_iter().map(person).collect()
}

impl Door {
    pub async fn open(changes: Vec<Change>) -> Self {
        Self::with_policy(changes, gf_policy_cedar::standard()).await
    }

    pub async fn with_policy(changes: Vec<Change>, policy: CedarPolicy) -> Self {
        Self::with_limits(changes, policy, Limits::default()).await
    }

    pub async fn with_limits(changes: Vec<Change>, policy: CedarPolicy, limits: Limits) -> Self {
        let home = tempfile::tempdir().unwrap();
        let entropy: Arc<dyn Entropy> = Arc::new(Counting::default());
        let store = FleetStore::open_home(home.path(), &*entropy).unwrap();
        Self::over(home, entropy, store, changes, policy, limits).await
    }

    /// Over a disk that takes so long for each commit, by whoever is asked before it.
    pub async fn on_a_disk(changes: Vec<Change>, pace: Pace) -> Self {
        let home = tempfile::tempdir().unwrap();
        let options = StoreOptions { pace: Some(pace), ..StoreOptions::default() };
        let store = FleetStore::open(Arc::new(MemoryBackend::default()), options).unwrap();
        let entropy: Arc<dyn Entropy> = Arc::new(Counting::default());
        Self::over(home, entropy, store, changes, gf_policy_cedar::standard(), Limits::default()).await
    }

    async fn over(
        home: TempDir,
        entropy: Arc<dyn Entropy>,
        store: FleetStore,
        changes: Vec<Change>,
        policy: CedarPolicy,
        limits: Limits,
    ) -> Self {
        store
            .update(|_, tx| changes.into_iter().chain(people()).for_each(|change| tx.put(change)))
            .await
            .unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let ending = CancellationToken::new();
        let clock: Arc<dyn Clock> = Arc::new(TestClock);
        let config = HubConfig::new(SigningKey::from_bytes(&[7; 32]), 1);
        let (hub, _) = Hub::new(config, Arc::new(NoNodes), clock.clone(), entropy.clone());
        let secrets = Secrets::open(store.clone(), &home.path().join("keys/master.key"), entropy.clone())
            .await
            .unwrap();
        let engine = Engine::new(Hands {
            store: store.clone(),
            drivers: Drivers::default(),
            hub,
            secrets: secrets.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            paths: Paths {
                snapshots: home.path().join("snapshots"),
                archives: home.path().join("archives"),
                releases: home.path().join("releases"),
            },
            limits: gf_operations::Limits::default(),
            companion_listens: false,
            base_configuration: Arc::new(json!({})),
        });
        let requests = Requests::new(engine, Arc::new(policy));
        let api = Api::new(ApiConfig {
            store: store.clone(),
            requests,
            secrets,
            clock,
            entropy,
            plugin_key: PLUGIN_KEY.as_bytes().to_vec(),
            options: ApiOptions {
                allow_remote: false,
                public_url: format!("http://{address}"),
                limits,
                ..ApiOptions::default()
            },
            enrolment: Arc::new(NoNodes),
            ending: ending.clone(),
        });
        let router = gf_api::router(api.clone());
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        Self { address, store, api, http: reqwest::Client::new(), ending, home }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A request by a person: the status and the body.
    pub async fn ask(&self, key: &str, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let method = method.parse().unwrap();
        let mut request = self.http.request(method, self.url(path)).bearer_auth(key);
        // Who changes a person says what they saw; a test that is not about that saw whatever there is.
        if path.starts_with("/v1/people/") {
            request = request.header("if-match", "*");
        }
        if let Some(body) = body {
            request = request.body(body.to_string());
        }
        catalogued(request.send().await.unwrap()).await
    }

    /// A tool called by a person with the role operator.
    pub async fn tool(&self, name: &str, arguments: Value) -> (u16, Value) {
        self.ask("operator-key", "POST", &format!("/v1/tools/{name}"), Some(arguments)).await
    }

    /// A request as the plugin signs it.
    pub async fn signed(&self, claims: Value, method: &str, path: &str, body: &str) -> (u16, Value) {
        let mut claims = claims;
        let fresh = self.api.entropy.next_u64();
        let at = Timestamp::now().to_string();
        for (name, value) in [("at", json!(at)), ("nonce", json!(format!("nonce-{fresh}")))] {
            if claims.get(name).is_none() {
                claims[name] = value;
            }
        }
        let caller = URL_SAFE_NO_PAD.encode(claims.to_string());
        let signature = sign(PLUGIN_KEY, method, path, &caller, body);
        self.send_signed(method, path, body, &caller, &signature).await
    }

    pub async fn send_signed(
        &self,
        method: &str,
        path: &str,
        body: &str,
        caller: &str,
        signature: &str,
    ) -> (u16, Value) {
        let request = self
            .http
            .request(method.parse().unwrap(), self.url(path))
            .header("x-clawops-caller", caller)
            .header("x-clawops-signature", signature)
            .body(body.to_owned());
        catalogued(request.send().await.unwrap()).await
    }

    /// Everything that is kept, the audit trail aside, byte for byte.
    pub fn kept(&self) -> Vec<String> {
        let path = self.home.path().join("store/gatewayforge.db");
        let connection = rusqlite::Connection::open(path).unwrap();
        let mut rows = Vec::new();
        for sql in [
            "SELECT kind, id, json FROM objects ORDER BY kind, id",
            "SELECT 'sealed', id, sealed FROM sealed ORDER BY id",
        ] {
            let mut all = connection.prepare(sql).unwrap();
            let row = |row: &rusqlite::Row<'_>| {
                Ok(format!(
                    "{} {} {}",
                    row.get::<_, String>(0)?,
                    row.get::<_, String>(1)?,
                    row.get::<_, String>(2)?
                ))
            };
            rows.extend(all.query_map([], row).unwrap().map(Result::unwrap));
        }
        rows
    }

    /// A link that lets one browser in.
    pub async fn link(&self) -> String {
        let request = self.http.post(self.url("/v1/page/link")).bearer_auth("viewer-key");
        let reply: serde_json::Value = request.send().await.unwrap().json().await.unwrap();
        reply["url"].as_str().unwrap().to_owned()
    }
}

pub fn sign(key: &str, method: &str, path: &str, caller: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(gf_api::auth::plugin::to_sign(method, path, caller, body.as_bytes()).as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// The status and the body; an error is one of the catalogue, with its status, or the name of a rule.
async fn catalogued(answer: reqwest::Response) -> (u16, Value) {
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap_or_default();
    if let Some(code) = body["error"]["code"].as_str() {
        let statuses = gf_api::catalogue::entry(code).map_or(&[403][..], |entry| entry.statuses);
        assert!(statuses.contains(&status), "{code} came with {status}: {body}");
    }
    (status, body)
}

/// The code of an error's body.
pub fn code(answer: &(u16, Value)) -> &str {
    answer.1["error"]["code"].as_str().unwrap_or("no error")
}

/// Server-sent events as they come.
pub struct Events {
    stream: std::pin::Pin<Box<dyn Stream<Item = reqwest::Result<bytes::Bytes>> + Send>>,
    text: String,
}

impl Events {
    pub fn of(answer: reqwest::Response) -> Self {
        Self { stream: Box::pin(answer.bytes_stream()), text: String::new() }
    }

    /// Everything that came until this was in it.
    pub async fn until(&mut self, wanted: &str) -> String {
        while !self.text.contains(wanted) {
            let more = self.stream.next().await.expect("the stream ended").unwrap();
            self.text.push_str(std::str::from_utf8(&more).unwrap());
        }
        self.text.clone()
    }
}
