//! `From` for every body of a `oneof`, so that code names a message once and not its wrapper too.

use crate::*;

macro_rules! bodies {
    ($wrapper:ident in $owner:ident . $field:ident { $($variant:ident($message:ty)),+ $(,)? }) => {
        $(impl From<$message> for $owner::$wrapper {
            fn from(message: $message) -> Self {
                Self::$variant(message)
            }
        })+
    };
}

bodies!(Body in envelope.body {
    Hello(Hello), Challenge(Challenge), Enrol(Enrol), Proof(Proof), Welcome(Welcome), Heartbeat(Heartbeat),
    Event(Event), EventAck(EventAck), Command(Command), Progress(CommandProgress), Result(CommandResult),
    Cancel(Cancel), Goodbye(Goodbye), LeaseGrant(LeaseGrant), Ticket(Ticket),
});

bodies!(Body in command.body {
    InstanceCreate(InstanceCreate), InstanceStart(InstanceStart), InstanceStop(InstanceStop),
    InstanceRestart(InstanceRestart), InstanceDelete(InstanceDelete), InstanceList(InstanceList),
    InstanceResize(InstanceResize), OpenclawHealth(OpenclawHealth), OpenclawLogs(OpenclawLogs), OpenclawDrain(OpenclawDrain),
    OpenclawResume(OpenclawResume), ChannelsSet(ChannelsSet), WitnessRaise(WitnessRaise), ConfigPush(ConfigPush), ConfigGet(ConfigGet),
    ConfigDiff(ConfigDiff), ConfigValidate(ConfigValidate), ConfigRollback(ConfigRollback),
    SecretsApply(SecretsApply), SnapshotCreate(SnapshotCreate), SnapshotRestore(SnapshotRestore),
    ArchiveCreate(ArchiveCreate), ArchiveRestore(ArchiveRestore), VpsHealth(VpsHealth),
    VpsMetrics(VpsMetrics), VpsInfo(VpsInfo), SshExec(SshExec), VpsReboot(VpsReboot), NodeStage(NodeStage), NodeUpdate(NodeUpdate),
    InstancePark(InstancePark), InstanceWake(InstanceWake), OpenclawUpdate(OpenclawUpdate),
    DockerPs(DockerPs), DockerRestart(DockerRestart), DockerPull(DockerPull), DockerLogs(DockerLogs),
    FirewallStatus(FirewallStatus), TailscaleStatus(TailscaleStatus), SshAudit(SshAudit),
});

bodies!(Body in reply.body {
    Done(Done), Instance(InstanceSummary), Listing(InstanceListing), Health(HealthReport), Logs(LogLines),
    Drain(DrainReport), Applied(ConfigApplied), Config(ConfigDocument), Changes(ConfigChanges),
    Snapshot(SnapshotReport), Archive(ArchiveReport), Metrics(Resources), Info(MachineInfo), Exec(ExecOutput),
    Park(ParkReport), Containers(Containers), Pulled(PulledImage), Firewall(FirewallReport),
    Tailnet(TailnetReport), Ssh(SshReport), Raised(WitnessRaised), Staged(NodeStaged), Updated(NodeUpdated),
});

bodies!(Kind in event.kind {
    Started(InstanceStarted), Ready(InstanceReady), Exited(InstanceExited), Failed(InstanceFailed),
    Health(HealthChanged), Stopped(InstanceStopped), Snapshot(SnapshotMade), Deleted(InstanceDeleted),
    Channels(ChannelsChanged),
});

impl<T: Into<reply::Body>> From<T> for Reply {
    fn from(body: T) -> Self {
        Self { body: Some(body.into()) }
    }
}

impl From<(GoodbyeReason, String)> for Goodbye {
    fn from((reason, detail): (GoodbyeReason, String)) -> Self {
        Self { reason: reason.into(), detail, control: Vec::new() }
    }
}
