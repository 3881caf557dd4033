//! What each command of the node protocol does to a simulated machine, and what it answers.

use crate::{
    document::Document,
    host::{Failed, Host, Scene, about, failure},
    instance::{OPENCLAW, Phase, SimInstance},
    parking::not_simulated,
    vault::{self, Kept},
};
use gf_model::{Tier, tier::UnknownTier};
use gf_node_proto::{
    ArchiveReport, Command, ConfigChanges, Done, DrainReport, ExecOutput, FailureCode, HealthReport,
    InstanceCreate, InstanceDeleted, InstanceListing, InstanceRole, InstanceStopped, LogLines, MachineInfo,
    Reply, SnapshotCreate, SnapshotMade, SnapshotReport, command::Body, instance_of,
};

/// How a command is answered.
pub(crate) enum Outcome {
    /// With this, after so many milliseconds at the usual pace.
    Said(Box<Said>, u64),
    /// With the instance's state, when it serves or has failed.
    WhenReady(String),
}

pub(crate) type Said = Result<Reply, Failed>;

impl Outcome {
    fn said(said: Said, after_ms: u64) -> Self {
        Self::Said(Box::new(said), after_ms)
    }
}

fn text(value: Option<&gf_node_proto::Sensitive>) -> &str {
    value.map_or("", |sensitive| &sensitive.value)
}

fn tier(given: &str) -> Result<Tier, Failed> {
    given.parse().map_err(|why: UnknownTier| {
        about(failure(FailureCode::InvalidArgument, why.to_string()), "tier", given, "")
    })
}

impl Host {
    pub(crate) fn act(&mut self, machine: &str, command: Command, scene: &mut Scene<'_>) -> Outcome {
        let Some(body) = command.body else {
            return Outcome::said(
                Err(failure(FailureCode::Unsupported, "this node does not know that command")),
                0,
            );
        };
        if let Err(stale) = self.check_generation(command.generation, &body) {
            return Outcome::said(Err(stale), 0);
        }
        if gf_node_proto::needs_it_awake(&body) {
            self.wake(instance_of(&body).unwrap_or_default());
        }
        let wait = match &body {
            Body::InstanceStart(c) => c.wait_ready,
            Body::InstanceRestart(c) => c.wait_ready,
            Body::SnapshotRestore(c) => c.wait_ready,
            Body::ArchiveRestore(c) => c.wait_ready,
            _ => false,
        };
        let instance = instance_of(&body).unwrap_or_default().to_owned();
        let takes = match &body {
            Body::SnapshotCreate(_) => scene.chance.between(60, 250, "snapshot", &instance, self.last_seq),
            Body::ArchiveCreate(_) => scene.chance.between(300, 900, "archive", &instance, self.last_seq),
            Body::ConfigPush(_) | Body::ConfigRollback(_) => {
                scene.chance.between(80, 400, "config", &instance, self.last_seq)
            }
            _ => scene.chance.between(2, 20, "command", machine, self.last_seq),
        };
        let said = self.carry_out(machine, body, scene);
        let serves =
            self.instances.iter().any(|other| *other.id == *instance && other.phase == Phase::Serving);
        if wait && said.is_ok() && !serves {
            return Outcome::WhenReady(instance);
        }
        Outcome::said(said, takes)
    }

    /// A sender that believes in an older generation than the instance does not know that it was fenced.
    fn check_generation(&mut self, claimed: u64, body: &Body) -> Result<(), Failed> {
        let Some(instance) = instance_of(body).and_then(|id| self.instances.iter().find(|i| *i.id == *id))
        else {
            return Ok(());
        };
        if claimed != 0 && claimed < instance.generation && gf_node_proto::changes_something(body) {
            return Err(stale(claimed, instance.generation));
        }
        Ok(())
    }

    fn carry_out(&mut self, machine: &str, body: Body, scene: &mut Scene<'_>) -> Said {
        match body {
            Body::InstanceCreate(create) => self.create(create, scene),
            Body::InstanceStart(c) => {
                let runs = self.instance(&c.instance_id)?.runs();
                if !runs {
                    self.boot(&c.instance_id, scene)?;
                }
                self.told(&c.instance_id, scene)
            }
            Body::InstanceStop(c) => {
                let instance = self.instance(&c.instance_id)?;
                let (ran, generation) = (instance.runs(), instance.generation);
                instance.phase = Phase::Stopped;
                if ran {
                    self.emit(&c.instance_id, generation, InstanceStopped { drained: c.drain }, scene);
                }
                self.told(&c.instance_id, scene)
            }
            Body::InstanceRestart(c) => {
                self.boot(&c.instance_id, scene)?;
                self.told(&c.instance_id, scene)
            }
            Body::InstanceDelete(c) => {
                if let Some(place) = self.instances.iter().position(|i| *i.id == *c.instance_id) {
                    let gone = self.instances.swap_remove(place);
                    self.emit(&gone.id, gone.generation, InstanceDeleted {}, scene);
                }
                Ok(Done {}.into())
            }
            Body::InstanceList(_) => {
                let instances = self.instances.iter().map(|instance| self.summary(instance, scene)).collect();
                Ok(InstanceListing { instances }.into())
            }
            Body::InstanceResize(c) => {
                self.instance(&c.instance_id)?.tier = tier(&c.tier)?;
                if self.instance(&c.instance_id)?.runs() {
                    self.boot(&c.instance_id, scene)?;
                }
                self.told(&c.instance_id, scene)
            }
            Body::OpenclawHealth(c) => self.health(&c.instance_id, scene),
            Body::OpenclawLogs(c) => self.logs(&c.instance_id, c.max_lines),
            Body::OpenclawDrain(c) => {
                self.move_to(&c.instance_id, Phase::Draining)?;
                Ok(DrainReport { ready: true, active: 0, blockers: Vec::new() }.into())
            }
            Body::OpenclawResume(c) => {
                self.move_to(&c.instance_id, Phase::Serving)?;
                self.told(&c.instance_id, scene)
            }
            Body::ChannelsSet(set) => self.set_channels(set, scene),
            Body::WitnessRaise(order) => self.raise(&order, scene),
            Body::ConfigPush(c) => {
                let document = &mut self.instance(&c.instance_id)?.document;
                if c.whole {
                    return Ok(document.align(&c.revision, text(c.patch.as_ref()))?.into());
                }
                Ok(document.push(&c.revision, text(c.patch.as_ref()), &c.expected_hash)?.into())
            }
            Body::ConfigGet(c) => Ok(self.instance(&c.instance_id)?.document.read_back(c.owned)?.into()),
            Body::ConfigDiff(c) => {
                let (.., changes) = self.instance(&c.instance_id)?.document.with(text(c.patch.as_ref()))?;
                Ok(ConfigChanges { changes, valid: true, issues: Vec::new() }.into())
            }
            Body::ConfigValidate(c) => {
                match self.instance(&c.instance_id)?.document.with(text(c.patch.as_ref())) {
                    Ok((.., changes)) => {
                        Ok(ConfigChanges { changes, valid: true, issues: Vec::new() }.into())
                    }
                    Err(wrong) if wrong.code() == FailureCode::ConfigFlagged => {
                        Ok(ConfigChanges { changes: Vec::new(), valid: false, issues: wrong.issues.clone() }
                            .into())
                    }
                    Err(wrong) => Err(wrong),
                }
            }
            Body::ConfigRollback(c) => {
                Ok(self.instance(&c.instance_id)?.document.roll_back(&c.revision)?.into())
            }
            Body::SecretsApply(c) => self.told(&c.instance_id, scene),
            Body::SnapshotCreate(c) => self.snapshot(c, scene),
            Body::ArchiveCreate(c) => {
                let kept = self.keep(&c.instance_id, &c.destination, scene)?;
                let (bytes, sha256) = (kept.bytes(), kept.digest());
                let taken_at_ms = scene.at_ms;
                Ok(ArchiveReport {
                    archive_id: c.archive_id,
                    bytes,
                    sha256,
                    path: c.destination,
                    taken_at_ms,
                }
                .into())
            }
            Body::SnapshotRestore(c) => self.restore(&c.instance_id, &c.source, c.generation, scene),
            Body::ArchiveRestore(c) => self.restore(&c.instance_id, &c.source, c.generation, scene),
            Body::NodeStage(stage) => Ok(crate::software::staged(&stage)),
            // The machine itself does it: its link is part of it.
            body @ Body::NodeUpdate(_) => Err(not_simulated(&body)),
            Body::VpsHealth(_) | Body::VpsMetrics(_) => Ok(self.resources(machine, scene).into()),
            Body::VpsInfo(_) => Ok(MachineInfo {
                hostname: machine.to_owned(),
                os: "Debian GNU/Linux 13".into(),
                kernel: "6.12.0-simulated".into(),
                software_version: self.software.version().to_owned(),
                openclaw_version: OPENCLAW.into(),
                node_version: "24".into(),
                can_freeze: true,
                cpu_count: 2,
                memory_total_bytes: 4 << 30,
            }
            .into()),
            Body::InstancePark(c) => self.park(&c.instance_id, scene),
            // It was woken before any command that needs it.
            Body::InstanceWake(c) => self.told_awake(&c.instance_id, scene),
            Body::OpenclawUpdate(c) => self.update(&c.instance_id, &c.version, scene),
            absent @ (Body::VpsReboot(_)
            | Body::DockerPs(_)
            | Body::DockerRestart(_)
            | Body::DockerPull(_)
            | Body::DockerLogs(_)
            | Body::FirewallStatus(_)
            | Body::TailscaleStatus(_)
            | Body::SshAudit(_)) => Err(not_simulated(&absent)),
            Body::SshExec(c) => match c.argv.first().map(String::as_str) {
                Some("uptime") => {
                    Ok(ExecOutput { stdout: "up 12 days\n".into(), ..ExecOutput::default() }.into())
                }
                other => {
                    let refused =
                        failure(FailureCode::Refused, "this command is not on the list of allowed ones");
                    Err(about(refused, "argv", other.unwrap_or_default(), "ask for uptime"))
                }
            },
        }
    }

    pub(crate) fn create(&mut self, create: InstanceCreate, scene: &mut Scene<'_>) -> Said {
        if let Some(there) = self.instances.iter().find(|other| *other.id == *create.instance_id) {
            return if *there.account == *create.account && there.port == create.port {
                self.told(&create.instance_id, scene)
            } else {
                Err(failure(
                    FailureCode::AlreadyExists,
                    "this instance exists here for another account or port",
                ))
            };
        }
        let memory = match create.restore_from.as_str() {
            "" => 0,
            path => self.find_kept(&create.account, path, scene)?.memory,
        };
        let primary = create.role() == InstanceRole::Primary;
        self.instances.push(SimInstance {
            id: create.instance_id.as_str().into(),
            account: create.account.as_str().into(),
            primary,
            tier: tier(&create.tier)?,
            phase: Phase::Stopped,
            generation: create.generation,
            port: create.port,
            channels_open: create.channels_open && primary,
            document: Document::new(
                text(create.config.as_ref()),
                text(create.owned.as_ref()),
                &create.revision,
            )?,
            memory,
            last_snapshot: None,
            boots: 0,
            last_boot_ms: 0,
            deaths_ms: Vec::new(),
            broken: 0,
            sick: false,
            lease: None,
        });
        self.boot(&create.instance_id, scene)?;
        self.told(&create.instance_id, scene)
    }

    pub(crate) fn told(&mut self, id: &str, scene: &Scene<'_>) -> Said {
        self.instance(id)?;
        let found = self.instances.iter().find(|instance| &*instance.id == id);
        Ok(found.map(|instance| self.summary(instance, scene)).unwrap_or_default().into())
    }

    fn move_to(&mut self, id: &str, phase: Phase) -> Result<(), Failed> {
        let instance = self.instance(id)?;
        match instance.phase {
            Phase::Serving | Phase::Draining => {
                instance.phase = phase;
                Ok(())
            }
            _ => Err(failure(FailureCode::NotRunning, "OpenClaw does not run in this instance")),
        }
    }

    fn health(&mut self, id: &str, scene: &Scene<'_>) -> Said {
        let instance = self.instance(id)?;
        let answers = matches!(instance.phase, Phase::Serving | Phase::Draining) && !instance.is_sick();
        let (http_status, body) = if answers { (200, r#"{"ok":true,"status":"live"}"#) } else { (0, "") };
        let found = self.instances.iter().find(|instance| &*instance.id == id);
        let instance = found.map(|instance| self.summary(instance, scene));
        let latency_ms = if answers { 3 + scene.chance.bits("latency", id, 0) as u32 % 20 } else { 0 };
        Ok(HealthReport { instance, http_status, latency_ms, body: body.to_owned() }.into())
    }

    fn logs(&mut self, id: &str, most: u32) -> Said {
        let instance = self.instance(id)?;
        let mut lines = vec![format!("[gateway] OpenClaw {OPENCLAW} starting, start {}", instance.boots)];
        match instance.phase {
            Phase::Serving | Phase::Draining => {
                lines.push(format!("[gateway] listening on ws://127.0.0.1:{}", instance.port));
                lines.push("[gateway] ready".to_owned());
            }
            Phase::Failed => lines.push("[gateway] exited before it was ready".to_owned()),
            Phase::Booting | Phase::Stopped | Phase::Parked => {}
        }
        let truncated = most != 0 && lines.len() > most as usize;
        if truncated {
            lines.drain(..lines.len() - most as usize);
        }
        Ok(LogLines { lines, truncated }.into())
    }

    /// Puts what an instance remembers under a path.
    fn keep(&mut self, id: &str, path: &str, scene: &mut Scene<'_>) -> Result<Kept, Failed> {
        let instance = self.instance(id)?;
        let kept = Kept { path: path.into(), account: instance.account.clone(), memory: instance.memory };
        scene.vault.keep(kept.clone());
        scene.kept.push(kept.clone());
        Ok(kept)
    }

    fn snapshot(&mut self, create: SnapshotCreate, scene: &mut Scene<'_>) -> Said {
        let instance = self.instance(&create.instance_id)?;
        let (generation, memory) = (instance.generation, instance.memory);
        let (bytes, sha256) = (vault::bytes(memory), vault::digest(&instance.account, memory));
        let mut report = SnapshotReport {
            snapshot_id: create.snapshot_id,
            changed: true,
            bytes,
            files: 42,
            taken_at_ms: scene.at_ms,
            frozen_ms: scene.chance.between(4, 30, "freeze", &create.instance_id, memory) as u32,
            sha256,
            path: create.destination,
        };
        match &instance.last_snapshot {
            Some((last, then)) if create.only_if_changed && *then == memory => {
                report.snapshot_id = last.to_string();
                report.changed = false;
                return Ok(report.into());
            }
            _ => instance.last_snapshot = Some((report.snapshot_id.as_str().into(), memory)),
        }
        self.keep(&create.instance_id, &report.path, scene)?;
        let made = SnapshotMade { snapshot_id: report.snapshot_id.clone(), bytes, changed: true };
        self.emit(&create.instance_id, generation, made, scene);
        Ok(report.into())
    }

    fn find_kept(&self, account: &str, path: &str, scene: &Scene<'_>) -> Result<Kept, Failed> {
        scene.vault.find(account, path).ok_or_else(|| {
            let unknown =
                failure(FailureCode::InvalidArgument, "there is no such snapshot or archive of this account");
            about(unknown, "source", path, "name one of this account's snapshots or archives")
        })
    }

    fn restore(&mut self, id: &str, source: &str, generation: u64, scene: &mut Scene<'_>) -> Said {
        let instance = self.instance(id)?;
        if generation < instance.generation {
            return Err(stale(generation, instance.generation));
        }
        let account = instance.account.clone();
        let memory = self.find_kept(&account, source, scene)?.memory;
        let instance = self.instance(id)?;
        instance.memory = memory;
        instance.generation = generation;
        self.boot(id, scene)?;
        self.told(id, scene)
    }
}

pub(crate) fn stale(claimed: u64, known: u64) -> Failed {
    let stale = failure(FailureCode::StaleGeneration, "a newer generation of this pair exists");
    about(stale, "generation", claimed, format!("this instance has heard of generation {known}"))
}
