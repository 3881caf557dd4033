//! What a command is called, whom it concerns, and whether it changes anything.

use crate::command::Body;

/// The command's name as logs, audit rows and people say it.
pub fn body_name(body: &Body) -> &'static str {
    match body {
        Body::InstanceCreate(_) => "instance.create",
        Body::InstanceStart(_) => "instance.start",
        Body::InstanceStop(_) => "instance.stop",
        Body::InstanceRestart(_) => "instance.restart",
        Body::InstanceDelete(_) => "instance.delete",
        Body::InstanceList(_) => "instance.list",
        Body::InstanceResize(_) => "instance.resize",
        Body::OpenclawHealth(_) => "openclaw.health",
        Body::OpenclawLogs(_) => "openclaw.logs",
        Body::OpenclawDrain(_) => "openclaw.drain",
        Body::OpenclawResume(_) => "openclaw.resume",
        Body::ChannelsSet(_) => "channels.set",
        Body::WitnessRaise(_) => "witness.raise",
        Body::ConfigPush(_) => "config.push",
        Body::ConfigGet(_) => "config.get",
        Body::ConfigDiff(_) => "config.diff",
        Body::ConfigValidate(_) => "config.validate",
        Body::ConfigRollback(_) => "config.rollback",
        Body::SecretsApply(_) => "secrets.apply",
        Body::SnapshotCreate(_) => "snapshot.create",
        Body::SnapshotRestore(_) => "snapshot.restore",
        Body::ArchiveCreate(_) => "archive.create",
        Body::ArchiveRestore(_) => "archive.restore",
        Body::VpsHealth(_) => "vps.health",
        Body::VpsMetrics(_) => "vps.metrics",
        Body::VpsInfo(_) => "vps.info",
        Body::SshExec(_) => "ssh_exec",
        Body::VpsReboot(_) => "vps.reboot",
        Body::NodeStage(_) => "node.stage",
        Body::NodeUpdate(_) => "node.update",
        Body::InstancePark(_) => "instance.park",
        Body::InstanceWake(_) => "instance.wake",
        Body::OpenclawUpdate(_) => "openclaw.update",
        Body::DockerPs(_) => "docker.ps",
        Body::DockerRestart(_) => "docker.restart",
        Body::DockerPull(_) => "docker.pull",
        Body::DockerLogs(_) => "docker.logs",
        Body::FirewallStatus(_) => "firewall.status",
        Body::TailscaleStatus(_) => "tailscale.status",
        Body::SshAudit(_) => "ssh.audit",
    }
}

/// The instance that a command is about, where it is about one.
pub fn instance_of(body: &Body) -> Option<&str> {
    let id = match body {
        Body::InstanceCreate(c) => &c.instance_id,
        Body::InstanceStart(c) => &c.instance_id,
        Body::InstanceStop(c) => &c.instance_id,
        Body::InstanceRestart(c) => &c.instance_id,
        Body::InstanceDelete(c) => &c.instance_id,
        Body::InstanceResize(c) => &c.instance_id,
        Body::OpenclawHealth(c) => &c.instance_id,
        Body::OpenclawLogs(c) => &c.instance_id,
        Body::OpenclawDrain(c) => &c.instance_id,
        Body::OpenclawResume(c) => &c.instance_id,
        Body::ChannelsSet(c) => &c.instance_id,
        Body::WitnessRaise(c) => &c.instance_id,
        Body::ConfigPush(c) => &c.instance_id,
        Body::ConfigGet(c) => &c.instance_id,
        Body::ConfigDiff(c) => &c.instance_id,
        Body::ConfigValidate(c) => &c.instance_id,
        Body::ConfigRollback(c) => &c.instance_id,
        Body::SecretsApply(c) => &c.instance_id,
        Body::SnapshotCreate(c) => &c.instance_id,
        Body::SnapshotRestore(c) => &c.instance_id,
        Body::ArchiveCreate(c) => &c.instance_id,
        Body::ArchiveRestore(c) => &c.instance_id,
        Body::InstancePark(c) => &c.instance_id,
        Body::InstanceWake(c) => &c.instance_id,
        Body::OpenclawUpdate(c) => &c.instance_id,
        Body::InstanceList(_)
        | Body::VpsHealth(_)
        | Body::VpsMetrics(_)
        | Body::VpsInfo(_)
        | Body::VpsReboot(_)
        | Body::NodeStage(_)
        | Body::NodeUpdate(_)
        | Body::SshExec(_)
        | Body::DockerPs(_)
        | Body::DockerRestart(_)
        | Body::DockerPull(_)
        | Body::DockerLogs(_)
        | Body::FirewallStatus(_)
        | Body::TailscaleStatus(_)
        | Body::SshAudit(_) => return None,
    };
    Some(id)
}

/// Whether a command has an effect. The answer of one that has is kept, so that a repetition finds it.
pub fn changes_something(body: &Body) -> bool {
    !matches!(
        body,
        Body::InstanceList(_)
            | Body::OpenclawHealth(_)
            | Body::OpenclawLogs(_)
            | Body::ConfigGet(_)
            | Body::ConfigDiff(_)
            | Body::ConfigValidate(_)
            | Body::VpsHealth(_)
            | Body::VpsMetrics(_)
            | Body::VpsInfo(_)
            // What is here already is looked at, and a piece is taken once.
            | Body::NodeStage(_)
            | Body::SshExec(_)
            | Body::DockerPs(_)
            | Body::DockerLogs(_)
            | Body::FirewallStatus(_)
            | Body::TailscaleStatus(_)
            | Body::SshAudit(_)
    )
}

/// Whether a command needs the instance awake: one that is parked is woken for it.
pub fn needs_it_awake(body: &Body) -> bool {
    match body {
        Body::OpenclawHealth(_)
        | Body::OpenclawDrain(_)
        | Body::OpenclawResume(_)
        | Body::OpenclawUpdate(_)
        | Body::ChannelsSet(_)
        | Body::ConfigPush(_)
        | Body::ConfigGet(_)
        | Body::ConfigValidate(_)
        | Body::ConfigRollback(_)
        | Body::SecretsApply(_)
        | Body::InstanceStart(_)
        | Body::InstanceStop(_)
        | Body::InstanceRestart(_)
        | Body::SnapshotRestore(_)
        | Body::ArchiveRestore(_)
        | Body::InstanceWake(_) => true,
        // Reads of files, copies of a state that stands still anyway, and what is not about an instance.
        _ => false,
    }
}
