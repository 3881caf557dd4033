//! From a command to what does it. Every field that came over the link is checked here.

use super::{Failure, Outcome, commands::Progress, instances::Instances};
use crate::{
    instance::{Instance, Order},
    machine,
};
use gf_model::{AccountId, InstanceId, Tier};
use gf_node_proto::{
    Done, FailureCode, InstanceCreate, InstanceListing, InstanceRole, NodeStaged, ParkReport, Reply,
    Sensitive, WitnessRaised, changes_something, command::Body, instance_of, needs_it_awake,
};
use openclaw_client::Token;
use serde_json::Value;
use std::{path::PathBuf, time::Duration};

const LONGEST_DRAIN: Duration = Duration::from_secs(600);

pub async fn carry_out(
    instances: &Instances,
    generation: u64,
    body: Option<Body>,
    progress: &Progress<'_>,
) -> Outcome<Reply> {
    let body = body.ok_or_else(|| {
        Failure::new(FailureCode::Unsupported, "this gf-clawnode does not know the command; update it")
    })?;
    if changes_something(&body)
        && let Some(instance) = instance_of(&body).and_then(|id| instances.find(id))
    {
        instance.accept_generation(generation)?;
    }
    match body {
        Body::InstanceCreate(create) => {
            let memory = !create.restore_from.is_empty();
            progress.step(0, 2, if memory { "bringing the memory back" } else { "making the place" });
            let made = instances.make(order(create)?).await?;
            progress.step(1, 2, "OpenClaw is starting");
            Ok(made.summary().into())
        }
        Body::InstanceDelete(delete) => {
            instances.delete(&delete.instance_id).await?;
            Ok(Done {}.into())
        }
        Body::InstanceList(_) => Ok(InstanceListing { instances: instances.summaries() }.into()),
        Body::VpsHealth(_) | Body::VpsMetrics(_) => Ok(instances.local.measure().into()),
        Body::VpsInfo(_) => {
            let (runtime, mut info) = (&instances.local.runtime, machine::info());
            info.openclaw_version = runtime.openclaw_version().unwrap_or_default();
            info.node_version = runtime.node_version().unwrap_or_default();
            info.can_freeze = instances.local.cgroups.can_freeze();
            info.software_version = instances.local.program.version().to_owned();
            Ok(info.into())
        }
        Body::NodeStage(stage) => {
            let bytes = instances.local.program.stage(stage.release, stage.offset, &stage.chunk)?;
            Ok(NodeStaged { bytes }.into())
        }
        Body::NodeUpdate(update) => {
            progress.step(0, 1, "the new program is tried");
            Ok(instances.local.program.update(progress.key(), update).await?.into())
        }
        of_one if instance_of(&of_one).is_some() => of_instance(instances, of_one, progress).await,
        of_machine => of_programs(instances, of_machine, progress).await,
    }
}

/// What this machine's own programs are asked for.
async fn of_programs(instances: &Instances, body: Body, progress: &Progress<'_>) -> Outcome<Reply> {
    let programs = &instances.local.programs;
    match body {
        Body::SshExec(call) => Ok(programs.exec(&call.argv).await?.into()),
        Body::DockerPs(_) => Ok(programs.docker_ps().await?.into()),
        Body::DockerRestart(restart) => {
            programs.docker_restart(&restart.container).await?;
            Ok(Done {}.into())
        }
        Body::DockerPull(pull) => {
            progress.step(0, 1, "the image is on its way");
            Ok(programs.docker_pull(&pull.image).await?.into())
        }
        Body::DockerLogs(logs) => Ok(programs.docker_logs(&logs.container, logs.max_lines).await?.into()),
        Body::FirewallStatus(_) => Ok(programs.firewall_status().await?.into()),
        Body::TailscaleStatus(_) => Ok(programs.tailscale_status().await?.into()),
        Body::SshAudit(_) => Ok(programs.ssh_audit().await?.into()),
        Body::VpsReboot(_) if !instances.local.may_reboot => {
            let message = "this node may not restart its machine; start gf-clawnode with --may-reboot";
            Err(Failure::new(FailureCode::Refused, message))
        }
        Body::VpsReboot(_) => {
            programs.reboot().await?;
            Ok(Done {}.into())
        }
        _ => Err(Failure::new(
            FailureCode::Unsupported,
            "this gf-clawnode does not know the command; update it",
        )),
    }
}

async fn of_instance(instances: &Instances, body: Body, progress: &Progress<'_>) -> Outcome<Reply> {
    let instance = instances.get(instance_of(&body).unwrap_or_default())?;
    if needs_it_awake(&body) && !matches!(body, Body::InstanceWake(_)) {
        match instance.wake().await {
            // One that does not come to itself can still be ended.
            Err(why) if ends_it(&body) => tracing::warn!(instance = instance.id(), %why, "it was not woken"),
            woken => drop(woken?),
        }
    }
    match body {
        Body::InstancePark(_) => {
            let took = instance.park().await?;
            return Ok(park_report(&instance, took));
        }
        Body::InstanceWake(_) => {
            let took = instance.wake().await?;
            return Ok(park_report(&instance, took));
        }
        Body::OpenclawUpdate(update) => {
            progress.step(0, 1, "changing the release");
            instance.update(&update.version, update.drain, update.wait_ready).await?;
        }
        Body::InstanceStart(start) => {
            progress.step(0, 1, "OpenClaw is starting");
            instance.start_wanted(start.wait_ready).await?;
        }
        Body::InstanceStop(stop) => instance.stop(stop.drain).await?,
        Body::InstanceRestart(restart) => {
            progress.step(0, 1, "OpenClaw is restarting");
            instance.restart(restart.drain, restart.wait_ready).await?;
        }
        Body::InstanceResize(resize) => instance.resize(tier(&resize.tier)?)?,
        Body::OpenclawHealth(_) => return Ok(instance.health_now().await.into()),
        Body::OpenclawLogs(logs) => return Ok(instance.logs(logs.max_lines).into()),
        Body::OpenclawDrain(drain) => {
            let wait = Duration::from_millis(drain.wait_ms.into()).min(LONGEST_DRAIN);
            progress.step(0, 1, "waiting until no work is left");
            return Ok(instance.drain(wait).await?.into());
        }
        Body::OpenclawResume(_) => instance.resume().await?,
        Body::ChannelsSet(set) => {
            let role = set.role();
            let channels = json("channels", set.channels)?;
            instance.set_channels(set.generation, set.open, channels, role).await?;
        }
        Body::WitnessRaise(raise) => {
            let idle = instance.raise(raise.generation)?;
            let idle_ms = u64::try_from(idle.as_millis()).unwrap_or(u64::MAX);
            return Ok(WitnessRaised { idle_ms }.into());
        }
        Body::ConfigPush(push) => {
            let patch = required("patch", push.patch)?;
            if push.whole {
                return Ok(instance.align(&push.revision, &patch).await?.into());
            }
            return Ok(instance.push(&push.revision, &patch, &push.expected_hash).await?.into());
        }
        Body::ConfigGet(get) => return Ok(instance.document(get.owned).await?.into()),
        Body::ConfigDiff(diff) => return Ok(instance.diff(&required("patch", diff.patch)?)?.into()),
        Body::ConfigValidate(validate) => {
            return Ok(instance.validate(&required("patch", validate.patch)?).await?.into());
        }
        Body::ConfigRollback(rollback) => return Ok(instance.rollback(&rollback.revision).await?.into()),
        Body::SecretsApply(apply) => {
            for credential in apply.credentials {
                let key = Token::new(credential.api_key.unwrap_or_default().value);
                instance.apply_secret(&credential.provider, &key, &credential.agent_id).await?;
            }
        }
        Body::SnapshotCreate(create) => {
            progress.step(0, 1, "copying the memory");
            let made = instance.snapshot(&create.snapshot_id, &create.destination, create.only_if_changed);
            return Ok(made.await?.into());
        }
        Body::ArchiveCreate(create) => {
            progress.step(0, 1, "packing the memory and reading it back");
            return Ok(instance.archive(&create.archive_id, &create.destination).await?.into());
        }
        Body::SnapshotRestore(restore) => {
            progress.step(0, 1, "bringing the memory back");
            instance.restore(&restore.source, restore.generation, restore.wait_ready).await?;
        }
        Body::ArchiveRestore(restore) => {
            progress.step(0, 1, "bringing the memory back");
            instance.restore(&restore.source, restore.generation, restore.wait_ready).await?;
        }
        _ => {
            return Err(Failure::new(FailureCode::Unsupported, "this gf-clawnode does not know the command"));
        }
    }
    Ok(instance.summary().into())
}

fn ends_it(body: &Body) -> bool {
    matches!(
        body,
        Body::InstanceStop(_) | Body::InstanceRestart(_) | Body::SnapshotRestore(_) | Body::ArchiveRestore(_)
    )
}

fn park_report(instance: &Instance, took: Duration) -> Reply {
    let took_ms = u32::try_from(took.as_millis()).unwrap_or(u32::MAX);
    ParkReport { instance: Some(instance.summary()), took_ms }.into()
}

fn tier(given: &str) -> Outcome<Tier> {
    given.parse().map_err(|why| Failure::invalid("tier", format!("{given:?}"), why))
}

fn order(create: InstanceCreate) -> Outcome<Order> {
    let id: InstanceId = create
        .instance_id
        .parse()
        .map_err(|why| Failure::invalid("instance_id", format!("{:?}", create.instance_id), why))?;
    let account: AccountId = create
        .account
        .parse()
        .map_err(|why| Failure::invalid("account", format!("{:?}", create.account), why))?;
    let tier = tier(&create.tier)?;
    let port = u16::try_from(create.port).ok().filter(|port| *port >= 1024);
    let port = port.ok_or_else(|| Failure::invalid("port", create.port, "use a port from 1024 to 65535"))?;
    let standby = match create.role() {
        InstanceRole::Primary => false,
        InstanceRole::Standby => true,
        InstanceRole::Unspecified => return Err(Failure::invalid("role", "none", "say PRIMARY or STANDBY")),
    };
    let config = object("config", create.config)?;
    let owned = object("owned", create.owned)?;
    let memory = Some(create.restore_from).filter(|path| !path.is_empty()).map(PathBuf::from);
    if let Some(path) = memory.as_ref().filter(|path| !path.is_absolute() || !path.exists()) {
        return Err(Failure::invalid(
            "restore_from",
            path.display(),
            "give the absolute path of a copy that exists",
        ));
    }
    Ok(Order {
        id: id.as_str().to_owned(),
        account: account.as_str().to_owned(),
        standby,
        tier: tier.name().to_owned(),
        generation: create.generation,
        port,
        config,
        owned,
        memory,
        channels_open: create.channels_open,
        openclaw_version: create.openclaw_version,
        revision: create.revision,
    })
}

/// A JSON text; nothing where it is empty. Its content is never repeated, it may hold secrets.
fn json(field: &str, text: Option<Sensitive>) -> Outcome<Option<Value>> {
    match text.filter(|text| !text.value.trim().is_empty()) {
        Some(text) => serde_json::from_str(&text.value)
            .map(Some)
            .map_err(|why| Failure::invalid(field, "it", format!("it must be JSON ({why})"))),
        None => Ok(None),
    }
}

/// A JSON object; an empty one where nothing is given.
fn object(field: &str, text: Option<Sensitive>) -> Outcome<Value> {
    let given = json(field, text)?.unwrap_or_else(|| Value::Object(Default::default()));
    if given.is_object() {
        return Ok(given);
    }
    Err(Failure::invalid(field, "it", "give OpenClaw's configuration as a JSON object"))
}

fn required(field: &str, text: Option<Sensitive>) -> Outcome<Value> {
    json(field, text)?.ok_or_else(|| Failure::invalid(field, "nothing", "give a JSON merge patch"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn create() -> InstanceCreate {
        InstanceCreate {
            instance_id: "i-7f3a".into(),
            account: "acct-0042".into(),
            role: InstanceRole::Primary.into(),
            tier: "standard".into(),
            generation: 1,
            port: 7500,
            ..InstanceCreate::default()
        }
    }

    #[test]
    fn each_bad_field_is_named() {
        let cases = [
            ("instance_id", InstanceCreate { instance_id: "../x".into(), ..create() }),
            ("account", InstanceCreate { account: "".into(), ..create() }),
            ("tier", InstanceCreate { tier: "gold".into(), ..create() }),
            ("port", InstanceCreate { port: 80, ..create() }),
            ("port", InstanceCreate { port: 70_000, ..create() }),
            ("role", InstanceCreate { role: 0, ..create() }),
            ("config", InstanceCreate { config: Some("{".into()), ..create() }),
            ("config", InstanceCreate { config: Some("[]".into()), ..create() }),
            ("restore_from", InstanceCreate { restore_from: "/nowhere".into(), ..create() }),
        ];
        for (field, bad) in cases {
            let why = order(bad).unwrap_err();
            assert_eq!((why.0.field.as_str(), why.code()), (field, FailureCode::InvalidArgument));
        }
        assert!(order(create()).is_ok());
    }
}
