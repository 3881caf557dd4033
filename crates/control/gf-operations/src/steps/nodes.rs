//! Has a node become another release of gf-clawnode, or go back to the one before.
//!
//! Nothing is decided about the program here: the node checks the signature, tries it and stays what it is where it does
//! not come up. The order's answer comes from whichever of the two serves afterwards.

use super::context::{StepContext, StepError};
use gf_model::{InstanceId, NodeId, fleet::Fleet, health::RECOVERED_ABOVE, release::Release, verb::Verb};
use gf_node_hub::CommandMeta;
use gf_node_proto::{NodeStage, NodeUpdate, Reply, command, reply};
use serde_json::{Value, json};
use std::time::Duration;

/// A quarter of the largest frame.
const PIECE: usize = 1 << 20;
/// A node tries a program for 15 s at most, and then comes back.
const UPDATE: Duration = Duration::from_secs(60);

/// What the update is judged by and what its undo goes back to.
pub(super) fn foresee(fleet: &Fleet, node: &NodeId, instances: &[InstanceId]) -> Value {
    let is_well = |id: &&InstanceId| {
        let Some(instance) = fleet.instances.get(*id) else { return false };
        let score = instance.health.as_ref().map(|health| health.score);
        instance.is_active() && score.is_none_or(|score| score > RECOVERED_ABOVE)
    };
    let before = fleet.nodes.get(node).and_then(|node| node.software.clone());
    json!({ "before": before, "well": instances.iter().filter(is_well).collect::<Vec<_>>() })
}

pub(super) async fn update(context: &StepContext<'_>, node: &NodeId) -> Result<Value, StepError> {
    let Verb::UpdateNodes { release, .. } = &context.operation.verb else {
        return Err(StepError::Failed("this operation names no release".into()));
    };
    context.reconnected(node).await;
    let runs = context.hands.store.read(|fleet| fleet.nodes.get(node).and_then(|node| node.software.clone()));
    if runs.as_ref() != Some(&release.version) {
        stage(context, node, release).await?;
    }
    let order = NodeUpdate { release: Some(on_the_wire(release)?), rollback: false, within_ms: 0 };
    answered(&send(context, node, "update", order, UPDATE).await?)?;
    Ok(context.output.clone())
}

/// To what ran before, where it runs anything else.
pub(super) async fn back(context: &StepContext<'_>, node: &NodeId) -> Result<(), StepError> {
    let Some(before) = context.output["before"].as_str() else { return Ok(()) };
    context.reconnected(node).await;
    let release = gf_node_proto::Release { version: before.to_owned(), ..Default::default() };
    let order = NodeUpdate { release: Some(release), rollback: true, within_ms: 0 };
    answered(&send(context, node, "back", order, UPDATE).await?)
}

/// Sends what the node does not have of it yet.
async fn stage(context: &StepContext<'_>, node: &NodeId, release: &Release) -> Result<(), StepError> {
    let wire = on_the_wire(release)?;
    let mut here = piece(context, node, &wire, 0, &[]).await?;
    if here as u64 >= release.size {
        return Ok(());
    }
    let path = context.hands.paths.releases.join(&release.version).join("gf-clawnode");
    let program = tokio::fs::read(&path).await.map_err(|why| {
        // The control plane that was asked may be another one, which has ended since.
        StepError::Failed(format!(
            "{} cannot be read: {why}; releases are not carried from one control plane to another: put gf-clawnode of \
             {} there, on the machine of the one that leads now, and retry the operation",
            path.display(),
            release.version
        ))
    })?;
    while let Some(rest) = program.get(here..).filter(|rest| !rest.is_empty()) {
        let next = piece(context, node, &wire, here, &rest[..rest.len().min(PIECE)]).await?;
        if next == here {
            return Err(StepError::transient(format!("{node} takes no more of release {}", release.version)));
        }
        here = next;
    }
    Ok(())
}

async fn piece(
    context: &StepContext<'_>,
    node: &NodeId,
    release: &gf_node_proto::Release,
    here: usize,
    chunk: &[u8],
) -> Result<usize, StepError> {
    let order = NodeStage { release: Some(release.clone()), offset: here as u64, chunk: chunk.to_vec() };
    // Asked and sent from the same place: these are two orders.
    let what = format!("stage/{here}/{}", chunk.len());
    match send(context, node, &what, order, context.hands.limits.command).await?.body {
        Some(reply::Body::Staged(staged)) => Ok(usize::try_from(staged.bytes).unwrap_or(usize::MAX)),
        _ => Err(StepError::Failed(format!("{node} did not say how much of the release it has"))),
    }
}

async fn send(
    context: &StepContext<'_>,
    node: &NodeId,
    what: &str,
    order: impl Into<command::Body>,
    timeout: Duration,
) -> Result<Reply, StepError> {
    let meta = CommandMeta {
        operation: context.operation.id.to_string(),
        plan_hash: context.operation.plan_hash.clone(),
        ..CommandMeta::new(format!("{}/{what}", context.key), timeout)
    };
    Ok(context.hands.hub.command(node, order, meta).await?)
}

fn answered(reply: &Reply) -> Result<(), StepError> {
    match &reply.body {
        Some(reply::Body::Updated(_)) => Ok(()),
        _ => Err(StepError::Failed("the node answered something else than what it runs".into())),
    }
}

fn on_the_wire(release: &Release) -> Result<gf_node_proto::Release, StepError> {
    let bytes = |what: &str, text: &str| {
        hex::decode(text)
            .map_err(|why| StepError::Failed(format!("the release's {what} is unreadable: {why}")))
    };
    Ok(gf_node_proto::Release {
        version: release.version.clone(),
        sha256: bytes("digest", &release.sha256)?,
        size: release.size,
        signature: bytes("signature", &release.signature)?,
    })
}
