//! Making an instance: from nothing, or with the memory of another. Its configuration is always its own: what was
//! ordered, the keys that it owns, and its place. A copy's configuration is of the time of the copy and left out.

use super::{Instance, Layout, Spec, claim, copies, place, spec::Owned};
use crate::{
    files,
    host::{Failure, Local, Outcome, Runtime},
    snapshot::{self, Source},
};
use gf_model::patch;
use gf_node_proto::FailureCode;
use serde_json::Value;
use std::{path::PathBuf, sync::Arc};

/// What was ordered, checked.
#[derive(Debug, Clone)]
pub struct Order {
    pub id: String,
    pub account: String,
    pub standby: bool,
    pub tier: String,
    pub generation: u64,
    pub port: u16,
    /// The configuration before any revision.
    pub config: Value,
    /// The keys of `revision` and those before it.
    pub owned: Value,
    pub memory: Option<PathBuf>,
    pub channels_open: bool,
    pub openclaw_version: String,
    pub revision: String,
}

impl Instance {
    /// Makes the directory of an instance and starts it. What an earlier attempt left half-done is made anew.
    pub async fn make(local: Arc<Local>, order: Order) -> Outcome<Arc<Self>> {
        let layout = Layout::new(&local.instances(), &order.id);
        files::remove_tree(layout.root())?;
        files::make_private_dir(layout.root())?;
        let spec = Spec {
            instance: order.id.clone(),
            account: order.account.clone(),
            standby: order.standby,
            tier: order.tier.clone(),
            generation: order.generation,
            port: order.port,
            gateway_token: fresh_token()?,
            openclaw_version: order.openclaw_version.clone(),
            wanted: true,
            process: None,
            channels_open: order.channels_open && !order.standby,
            base: order.config.clone(),
            owned: Owned { patch: order.owned.clone(), revision: order.revision.clone(), steps: Vec::new() },
            last_snapshot: None,
            last_boot_ms: 0,
            parked: None,
            channels_held: false,
            lease: Default::default(),
        };
        match &order.memory {
            Some(source) => bring_memory(&local.runtime, &layout, source).await?,
            None => files::make_private_dir(&layout.state())?,
        }
        let config = configuration(&spec, &layout);
        let text = serde_json::to_vec_pretty(&config).map_err(std::io::Error::from)?;
        files::write_private(&layout.config(), &text)?;
        // Written last: a directory without it is no instance.
        spec.save(&layout)?;
        Ok(Self::new(local, layout, spec))
    }
}

/// Restores memory into the state directory, nobody's yet.
async fn bring_memory(runtime: &Runtime, layout: &Layout, source: &std::path::Path) -> Outcome<()> {
    let (fresh, source) = (layout.state(), Source::at(source));
    copies::in_background(move |cancel| snapshot::restore(&source, &fresh, cancel)).await?;
    claim::drop_claims(runtime, &layout.state()).await
}

/// What it was made with, the keys that it owns on top, and its place on top of both.
pub(super) fn configuration(spec: &Spec, layout: &Layout) -> Value {
    let mut config = spec.base.clone();
    if spec.owned.patch.is_object() {
        patch::apply(&mut config, &spec.owned.patch);
    }
    place::put_in_place(&config, place::Place::of(spec, layout))
}

fn fresh_token() -> Outcome<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|why| {
        Failure::new(FailureCode::Io, format!("this system gives no random numbers: {why}"))
    })?;
    Ok(hex::encode(bytes))
}
