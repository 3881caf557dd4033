//! Making an instance: from nothing, or from the memory of another.

use super::{Instance, Layout, Spec, claim, copies, place};
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
    pub config: Value,
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
            owned: super::spec::Owned { revision: order.revision.clone(), ..Default::default() },
            last_snapshot: None,
            last_boot_ms: 0,
        };
        let remembered = match &order.memory {
            Some(source) => bring_memory(&local.runtime, &layout, source).await?,
            None => {
                files::make_private_dir(&layout.state())?;
                Value::Null
            }
        };
        let config = configuration(remembered, &order.config, &spec, &layout);
        files::write_private(&layout.config(), &serde_json::to_vec_pretty(&config).unwrap_or_default())?;
        // Written last: a directory without it is no instance.
        spec.save(&layout)?;
        Ok(Self::new(local, layout, spec))
    }
}

/// Restores memory into the state directory and returns the configuration in it, its paths moved here.
async fn bring_memory(runtime: &Runtime, layout: &Layout, source: &std::path::Path) -> Outcome<Value> {
    let (fresh, source) = (layout.state(), Source::at(source));
    let manifest = copies::in_background(move |cancel| snapshot::restore(&source, &fresh, cancel)).await?;
    claim::drop_claims(runtime, &layout.state()).await?;
    copies::moved_config(&layout.state(), &manifest.state_dir, &layout.state())
}

/// The remembered configuration, what was ordered on top of it, and the place on top of both.
fn configuration(remembered: Value, ordered: &Value, spec: &Spec, layout: &Layout) -> Value {
    let mut account = remembered;
    if let Some(map) = account.as_object_mut() {
        // The channels of another instance are never taken over with its memory.
        map.remove("channels");
    }
    patch::apply(&mut account, ordered);
    let (log, state) = (layout.log(), layout.state());
    place::put_in_place(
        &account,
        place::Place {
            port: spec.port,
            token: &spec.gateway_token,
            log: &log,
            state: &state,
            channels_open: spec.channels_open,
        },
    )
}

fn fresh_token() -> Outcome<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|why| {
        Failure::new(FailureCode::Io, format!("this system gives no random numbers: {why}"))
    })?;
    Ok(hex::encode(bytes))
}
