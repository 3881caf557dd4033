//! A simulated machine's gf-clawnode: its instances, its numbered events, its answers by key.
//!
//! What it does follows from what it is told and from the scene it is handed; it knows no link and no clock.

use crate::{
    chance::Chance,
    instance::{OPENCLAW, Phase, SimInstance, told},
    refusal::Refusals,
    software::Software,
    vault::{Kept, Vault},
};
use bytes::Bytes;
use gf_model::health::{RESTART_LIMIT, RESTART_WINDOW_SECONDS};
use gf_node_proto::{
    CommandFailure, CommandResult, Event, FailureCode, FailureReason, HealthChanged, InstanceExited,
    InstanceFailed, InstanceReady, InstanceStarted, InstanceSummary, Reply, Resources, command_result,
    encode, event,
};
use serde::{Deserialize, Serialize};
use std::{collections::VecDeque, time::Duration};
use tokio::time::Instant;

/// Answers that are kept for repetitions of their commands.
const ANSWERS_KEPT: usize = 8;
/// Between a death and the next start: the first, the second and the third within the window.
const RESTART_AFTER: [Duration; RESTART_LIMIT] =
    [Duration::ZERO, Duration::from_secs(2), Duration::from_secs(10)];

/// Something that a machine will do by itself.
#[derive(Debug)]
pub(crate) enum Due {
    Dial,
    /// It waited at the door, and its turn has come.
    Turn,
    Beat,
    /// The machine is there: its instance begins to start.
    Born,
    /// The `boots`-th start of an instance is over.
    Booted {
        instance: Box<str>,
        boots: u32,
    },
    Restart {
        instance: Box<str>,
        boots: u32,
    },
    Answer {
        key: Box<str>,
        frame: Bytes,
        lasting: bool,
    },
    /// A lease is to be looked at. The world's: it may need another machine.
    Leases,
    /// A witness said yes.
    Witnessed {
        instance: Box<str>,
        terms: u64,
        asked: Duration,
    },
    /// Whoever waits for this command's instance has waited long enough.
    Lapse {
        key: Box<str>,
    },
}

/// What surrounds a machine while it acts.
pub(crate) struct Scene<'a> {
    pub now: Instant,
    /// The same on the machine's own clock, which nobody sets.
    pub moment: Duration,
    pub at_ms: i64,
    pub chance: Chance,
    /// How much longer things take than at the provider's usual pace.
    pub pace: f64,
    pub vault: &'a Vault,
    pub refusals: &'a Refusals,
    /// Releases that came up nowhere do now.
    pub mended: bool,
    /// What is to be written beside the machine itself.
    pub kept: Vec<Kept>,
    pub later: Vec<(Instant, Due)>,
}

impl Scene<'_> {
    pub(crate) fn after(&mut self, usual: Duration, due: Due) {
        self.later.push((self.now + usual.mul_f64(self.pace), due));
    }
}

/// A command that is answered when its instance serves, or has failed.
#[derive(Debug)]
struct Waiting {
    key: Box<str>,
    instance: Box<str>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Host {
    pub instances: Vec<SimInstance>,
    /// Encoded events that nobody took care of yet, by number.
    #[serde(with = "crate::journal::frames")]
    pub events: VecDeque<(u64, Bytes)>,
    pub last_seq: u64,
    #[serde(default)]
    pub software: Software,
    #[serde(with = "crate::journal::answers")]
    answers: VecDeque<(Box<str>, Bytes)>,
    #[serde(skip)]
    waiting: Vec<Waiting>,
    /// Keys of commands whose answer is on its way.
    #[serde(skip)]
    pub under_way: Vec<Box<str>>,
}

/// Boxed: it is rare, and most of what could have failed is small.
pub(crate) type Failed = Box<CommandFailure>;

pub(crate) fn failure(code: FailureCode, message: impl Into<String>) -> Failed {
    Box::new(CommandFailure { code: code.into(), message: message.into(), ..CommandFailure::default() })
}

/// A failure with the field that caused it, what stood there, and what would be right.
pub(crate) fn about(mut failed: Failed, field: &str, value: impl ToString, fix: impl Into<String>) -> Failed {
    failed.field = field.to_owned();
    failed.value = value.to_string();
    failed.fix = fix.into();
    failed
}

/// The frame that answers a command.
pub(crate) fn answer_frame(key: &str, outcome: Result<Reply, Failed>) -> Bytes {
    let outcome = match outcome {
        Ok(reply) => command_result::Outcome::Ok(reply),
        Err(failure) => command_result::Outcome::Error(*failure),
    };
    encode(CommandResult { key: key.to_owned(), outcome: Some(outcome) }).unwrap_or_default()
}

impl Host {
    pub(crate) fn instance(&mut self, id: &str) -> Result<&mut SimInstance, Failed> {
        self.instances.iter_mut().find(|instance| &*instance.id == id).ok_or_else(|| {
            let unknown = failure(FailureCode::UnknownInstance, "this node has no such instance");
            about(unknown, "instance_id", id, "list the node's instances")
        })
    }

    /// A number of this instance's own that stays the same.
    pub(crate) fn load(chance: Chance, instance: &str) -> u64 {
        chance.bits("load", instance, 0) % 1_000
    }

    pub(crate) fn summary(&self, instance: &SimInstance, scene: &Scene<'_>) -> InstanceSummary {
        instance.summary(Self::load(scene.chance, &instance.id), scene.at_ms)
    }

    pub(crate) fn resources(&self, name: &str, scene: &Scene<'_>) -> Resources {
        const GIB: u64 = 1 << 30;
        let load = scene.chance.bits("machine", name, 0) % 100;
        Resources {
            cpu_count: 2,
            cpu_permille: 20 + load as u32,
            memory_total_bytes: 4 * GIB,
            memory_available_bytes: 4 * GIB - GIB * (40 + load) / 100,
            disk_total_bytes: 40 * GIB,
            disk_available_bytes: 30 * GIB - GIB * load / 20,
            load_centi: vec![load as u32; 3],
            uptime_s: (scene.at_ms / 1000).unsigned_abs() % 8_640_000,
            cpu_permille_5m: Some(20 + load as u32),
        }
    }

    pub(crate) fn emit(
        &mut self,
        instance: &str,
        generation: u64,
        kind: impl Into<event::Kind>,
        scene: &Scene<'_>,
    ) {
        self.last_seq += 1;
        let event = Event {
            seq: self.last_seq,
            at_ms: scene.at_ms,
            instance_id: instance.to_owned(),
            generation,
            kind: Some(kind.into()),
        };
        if let Ok(frame) = encode(event) {
            self.events.push_back((self.last_seq, frame));
        }
    }

    pub(crate) fn acknowledged(&mut self, seq: u64) {
        while self.events.front().is_some_and(|(first, _)| *first <= seq) {
            self.events.pop_front();
        }
        // A node that lost its counter goes on after what the other side has seen.
        self.last_seq = self.last_seq.max(seq);
    }

    /// Starts OpenClaw in an instance.
    pub(crate) fn boot(&mut self, id: &str, scene: &mut Scene<'_>) -> Result<(), Failed> {
        let instance = self.instance(id)?;
        instance.phase = Phase::Booting;
        instance.boots += 1;
        instance.sick = false;
        let (boots, generation, pid) = (instance.boots, instance.generation, instance.pid());
        let takes = if instance.broken == 0 {
            scene.chance.between(8_000, 18_000, "boot", id, boots.into())
        } else {
            700
        };
        scene.after(Duration::from_millis(takes), Due::Booted { instance: id.into(), boots });
        self.emit(id, generation, InstanceStarted { pid, adopted: false }, scene);
        Ok(())
    }

    pub(crate) fn booted(&mut self, id: &str, boots: u32, scene: &mut Scene<'_>) {
        let Ok(instance) = self.instance(id) else { return };
        if instance.boots != boots || instance.phase != Phase::Booting {
            return;
        }
        let generation = instance.generation;
        if instance.broken == 0 && !instance.document.is_malformed() {
            let took = scene.chance.between(8_000, 18_000, "boot", id, boots.into());
            let boot_ms = Duration::from_millis(took).mul_f64(scene.pace).as_millis() as u32;
            instance.phase = Phase::Serving;
            instance.last_boot_ms = boot_ms;
            let channels_open = instance.channels_open;
            let ready = InstanceReady { boot_ms, openclaw_version: OPENCLAW.to_owned(), channels_open };
            self.emit(id, generation, ready, scene);
        } else {
            if instance.broken == 0 {
                instance.broken = FailureReason::InvalidConfig.into();
            }
            instance.phase = Phase::Failed;
            let reason = instance.broken;
            let detail = "OpenClaw exited before it was ready".to_owned();
            self.emit(id, generation, InstanceFailed { reason, detail, issues: Vec::new() }, scene);
        }
        self.tell_who_waits(id, scene);
    }

    /// OpenClaw dies; the node starts it again, unless it did so too often.
    pub(crate) fn crash(&mut self, id: &str, scene: &mut Scene<'_>) {
        let Ok(instance) = self.instance(id) else { return };
        if !instance.runs() {
            return;
        }
        let pid = instance.pid();
        let since = scene.at_ms - RESTART_WINDOW_SECONDS * 1000;
        instance.deaths_ms.retain(|death| *death > since);
        instance.deaths_ms.push(scene.at_ms);
        let pause = RESTART_AFTER.get(instance.deaths_ms.len() - 1).copied();
        let restarting = pause.is_some();
        instance.phase = if restarting { Phase::Booting } else { Phase::Failed };
        let (boots, generation) = (instance.boots, instance.generation);
        let exited = InstanceExited {
            pid,
            exit_code: None,
            signal: Some(9),
            reason: FailureReason::Killed.into(),
            detail: "killed by signal 9".into(),
            restarting,
            restart_in_ms: pause.unwrap_or_default().as_millis() as u32,
            restarts_in_window: instance.deaths_ms.len() as u32,
        };
        self.emit(id, generation, exited, scene);
        if let Some(pause) = pause {
            scene.after(pause, Due::Restart { instance: id.into(), boots });
        } else {
            let detail = format!("it died more than {RESTART_LIMIT} times in ten minutes");
            let reason = FailureReason::ExitsAtOnce.into();
            self.emit(id, generation, InstanceFailed { reason, detail, issues: Vec::new() }, scene);
            self.tell_who_waits(id, scene);
        }
    }

    pub(crate) fn restart(&mut self, id: &str, boots: u32, scene: &mut Scene<'_>) {
        let still = |instance: &SimInstance| {
            &*instance.id == id && instance.boots == boots && instance.phase == Phase::Booting
        };
        if self.instances.iter().any(still) {
            let _ = self.boot(id, scene);
        }
    }

    /// It runs and stops answering, or answers again.
    pub(crate) fn sicken(&mut self, id: &str, sick: bool, scene: &Scene<'_>) {
        let Ok(instance) = self.instance(id) else { return };
        if instance.phase != Phase::Serving || instance.sick == sick {
            return;
        }
        let load = Self::load(scene.chance, id);
        let before = instance.health(load, scene.at_ms);
        instance.sick = sick;
        let (now, generation) = (instance.health(load, scene.at_ms), instance.generation);
        let changed = HealthChanged {
            score: now.score.into(),
            previous_score: before.score.into(),
            failing_checks: now.deductions.iter().map(|deduction| deduction.reason.clone()).collect(),
            observation: Some(told(&now.observed)),
        };
        self.emit(id, generation, changed, scene);
    }

    /// Everything in here stops at once.
    pub(crate) fn power_off(&mut self) {
        for instance in &mut self.instances {
            instance.phase = Phase::Stopped;
        }
        self.forget_work();
    }

    /// Its node was cut off in whatever it was doing.
    pub(crate) fn forget_work(&mut self) {
        self.waiting.clear();
        self.under_way.clear();
    }

    pub(crate) fn remember_answer(&mut self, key: &str, frame: &Bytes) {
        self.answers.push_back((key.into(), frame.clone()));
        while self.answers.len() > ANSWERS_KEPT {
            self.answers.pop_front();
        }
    }

    pub(crate) fn answered_before(&self, key: &str) -> Option<Bytes> {
        self.answers.iter().find(|(kept, _)| &**kept == key).map(|(_, frame)| frame.clone())
    }

    pub(crate) fn is_under_way(&self, key: &str) -> bool {
        self.under_way.iter().any(|other| &**other == key)
            || self.waiting.iter().any(|other| &*other.key == key)
    }

    pub(crate) fn wait_for(&mut self, key: &str, instance: &str, patience: Duration, scene: &mut Scene<'_>) {
        self.waiting.push(Waiting { key: key.into(), instance: instance.into() });
        scene.later.push((scene.now + patience, Due::Lapse { key: key.into() }));
    }

    /// Stops waiting for a command's instance and says why.
    pub(crate) fn give_up(&mut self, key: &str, code: FailureCode, why: &str, scene: &mut Scene<'_>) {
        if let Some(place) = self.waiting.iter().position(|waiting| &*waiting.key == key) {
            self.waiting.swap_remove(place);
            let frame = answer_frame(key, Err(failure(code, why)));
            scene.later.push((scene.now, Due::Answer { key: key.into(), frame, lasting: false }));
        }
    }

    fn tell_who_waits(&mut self, id: &str, scene: &mut Scene<'_>) {
        let Some(instance) = self.instances.iter().find(|instance| &*instance.id == id) else { return };
        let summary = self.summary(instance, scene);
        let all = std::mem::take(&mut self.waiting);
        let (told, waiting): (Vec<_>, Vec<_>) = all.into_iter().partition(|waiting| &*waiting.instance == id);
        self.waiting = waiting;
        for Waiting { key, .. } in told {
            let outcome = match instance.phase {
                Phase::Serving => Ok(Reply::from(summary.clone())),
                _ => {
                    let mut failed = failure(FailureCode::InstanceFailed, "OpenClaw did not become ready");
                    failed.reason = summary.failure;
                    Err(failed)
                }
            };
            let frame = answer_frame(&key, outcome);
            scene.later.push((scene.now, Due::Answer { key, frame, lasting: true }));
        }
    }
}
