//! What there is now, whatever the store says: every place at every provider, and what each node that is connected says of
//! itself and of what it runs. It only looks; what follows from it is for others to decide.

use crate::hands::Hands;
use futures_util::{StreamExt, stream};
pub use gf_driver::Place;
use gf_model::{
    AccountId, InstanceId, NodeId, RevisionId, Tier,
    gateway::Generation,
    instance::{InstanceState, Role},
    provider::ProviderId,
};
use gf_node_hub::{CommandMeta, NodeView};
use gf_node_proto::{self as wire, ConfigGet, InstanceRole, InstanceSummary, reply};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Questions to nodes at the same time.
const ABREAST: usize = 32;
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Default)]
pub struct Sighted {
    /// Of each provider that a driver serves, or why it could not be asked.
    pub places: BTreeMap<ProviderId, Result<Vec<Place>, String>>,
    /// Connected now.
    pub nodes: BTreeMap<NodeId, SeenNode>,
    pub instances: BTreeMap<InstanceId, Running>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenNode {
    /// The Ed25519 key that it proved, hex.
    pub key: String,
    pub software: String,
    /// As it says itself.
    pub provider: String,
}

/// What its node says of an instance.
#[derive(Debug, Clone, PartialEq)]
pub struct Running {
    pub account: Option<AccountId>,
    pub role: Option<Role>,
    pub state: InstanceState,
    /// A node of an older version does not say it.
    pub tier: Option<Tier>,
    pub generation: Generation,
    pub revision: Option<RevisionId>,
    pub channels_on: bool,
    pub lease_terms: u64,
    pub last_boot_ms: Option<u64>,
    /// The keys that it owns, where that was asked for and said.
    pub owned: Option<Value>,
}

/// Looks at all of it. What an instance owns is asked of those only that are in `asked`.
pub async fn sight(hands: &Hands, asked: impl Fn(&InstanceId, &Running) -> bool) -> Sighted {
    let providers: BTreeSet<ProviderId> =
        hands.drivers.providers().into_iter().map(|provider| provider.id).collect();
    let lists = stream::iter(providers).map(|provider| async move {
        let places = match hands.drivers.for_provider(&provider) {
            Ok(driver) => driver.list(&provider).await,
            Err(error) => Err(error),
        };
        (provider, places.map_err(|error| error.to_string()))
    });
    let places = lists.buffer_unordered(ABREAST).collect().await;
    let mut sighted = Sighted { places, ..Sighted::default() };
    let mut questions = Vec::new();
    for view in hands.hub.nodes().into_iter().filter(|view| view.connected) {
        for summary in &view.instances {
            let Ok(id) = summary.instance_id.parse::<InstanceId>() else { continue };
            let running = Running::of(summary);
            if asked(&id, &running) {
                questions.push((view.id.clone(), id.clone()));
            }
            sighted.instances.insert(id, running);
        }
        let NodeView { id, key, software, provider, .. } = view;
        if let Some(key) = key {
            sighted.nodes.insert(id, SeenNode { key: hex::encode(key), software, provider });
        }
    }
    let answers = stream::iter(questions).map(|(node, id)| async move {
        let owned = owned(hands, &node, &id).await;
        (id, owned)
    });
    let answers: Vec<_> = answers.buffer_unordered(ABREAST).collect().await;
    for (id, owned) in answers {
        if let Some(running) = sighted.instances.get_mut(&id) {
            running.owned = owned;
        }
    }
    sighted
}

async fn owned(hands: &Hands, node: &NodeId, id: &InstanceId) -> Option<Value> {
    let get = ConfigGet { instance_id: id.to_string(), owned: true };
    let key = format!("adopt/{id}/{:016x}", hands.entropy.next_u64());
    let reply = hands.hub.command(node, get, CommandMeta::new(key, PATIENCE)).await.ok()?;
    let Some(reply::Body::Config(document)) = reply.body else { return None };
    let owned: Value = serde_json::from_str(&document.owned?.value).ok()?;
    // An instance that never took a revision owns nothing.
    Some(if owned.is_null() { Value::Object(Default::default()) } else { owned })
}

impl Running {
    fn of(summary: &InstanceSummary) -> Self {
        let role = match summary.role() {
            InstanceRole::Primary => Some(Role::Primary),
            InstanceRole::Standby => Some(Role::Standby),
            InstanceRole::Unspecified => None,
        };
        let state = match summary.state() {
            wire::InstanceState::Active => InstanceState::Active,
            wire::InstanceState::Degraded => InstanceState::Degraded,
            wire::InstanceState::Failed => InstanceState::Failed,
            wire::InstanceState::Parked => InstanceState::Parked,
            wire::InstanceState::Draining => InstanceState::Draining,
            wire::InstanceState::Stopped | wire::InstanceState::TearingDown => InstanceState::Stopped,
            wire::InstanceState::Bootstrapping | wire::InstanceState::Unspecified => {
                InstanceState::Bootstrapping
            }
        };
        Self {
            account: summary.account.parse().ok(),
            role,
            state,
            tier: summary.tier.parse().ok(),
            generation: Generation(summary.generation),
            revision: summary.revision.parse().ok(),
            channels_on: summary.channels_open,
            lease_terms: summary.lease_terms,
            last_boot_ms: (summary.last_boot_ms > 0).then_some(summary.last_boot_ms.into()),
            owned: None,
        }
    }
}
