//! A control plane that is killed at every commit of what it does, just before it and just after it, and started again.
//! A kill just before a step's end is written makes the step (or its undo) run twice.
//!
//! Whatever the moment: the operation ends as it ends undisturbed, nothing is made twice, and the audit chain holds.

use crate::{
    disk::{Cut, Disk, Log},
    rig::{Rig, World, calm},
};
use gf_model::{
    OperationId,
    approval::ApprovalState,
    fleet::Fleet,
    gateway::Desired,
    instance::Instance,
    notice::Recipient,
    operation::{Operation, OperationState},
};
use std::{future::Future, pin::Pin, sync::Arc};

pub type Doing<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// What is prepared once, and what is then done and cut off. Neither may rely on the store being there.
pub struct Story {
    pub before: for<'a> fn(&'a Rig) -> Doing<'a>,
    pub act: for<'a> fn(&'a Rig) -> Doing<'a>,
    /// What goes wrong at the providers in the first life; it does not outlive that.
    pub trouble: fn(&Rig),
    pub ends: OperationState,
    /// How it ends instead where the kill came before what makes it end so.
    pub or: OperationState,
    pub verb: &'static str,
    /// What the control plane begins by itself after it.
    pub followed_by: &'static [&'static str],
}

/// A moment from which every case begins.
pub struct Moment {
    log: Log,
    machines: Vec<u8>,
    pub world: World,
}

impl Moment {
    /// A control plane that begins from here, with every node back.
    pub async fn begin(&self) -> (Rig, Arc<Disk>) {
        std::fs::write(self.world.sim_file(), &self.machines).unwrap();
        let disk = Disk::replayed(&self.log);
        let rig = self.world.start(Arc::clone(&disk) as _, calm()).await;
        rig.until("the nodes are back", |fleet| {
            fleet.live_instances().all(|i| i.node.as_ref().is_some_and(|node| fleet.nodes[node].connected))
        })
        .await;
        (rig, disk)
    }
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

fn calm_trouble(_: &Rig) {}

pub fn a_pair(rig: &Rig) -> Doing<'_> {
    Box::pin(async {
        let made = rig.confirmed(crate::rig::provision(1)).await;
        assert_eq!(rig.ended(&made).await.state, OperationState::Done);
        rig.delivered().await;
    })
}

pub fn nothing(_: &Rig) -> Doing<'_> {
    Box::pin(async {})
}

/// Everything that a person would call the outcome, without names and times.
pub fn shape(rig: &Rig) -> Vec<String> {
    rig.read(|fleet| {
        let seen = |instance: Option<&Instance>| {
            let i = instance?;
            let runs = i.node.as_ref().and_then(|node| fleet.nodes.get(node)?.software.as_deref());
            let (state, tier) = (i.state, i.tier);
            Some(format!("{state} {tier} {:?} {} {} on {runs:?}", i.revision, i.channels_on, i.uncertain))
        };
        let mut lines: Vec<String> = fleet
            .gateways
            .values()
            .map(|g| {
                let (primary, standby) = (fleet.primary_of(&g.account), fleet.standby_of(&g.account));
                format!(
                    "{} {:?} {} {} {:?} {} {} {} primary {:?} standby {:?}",
                    g.account,
                    g.desired,
                    g.tier,
                    g.generation,
                    g.revision,
                    g.owned,
                    g.taken.len(),
                    g.endpoint.is_some(),
                    seen(primary),
                    seen(standby)
                )
            })
            .collect();
        lines.extend(fleet.providers.values().map(|p| format!("{} {:?}", p.id, p.pool)));
        lines.push(format!("{} machines, {} archives", rig.sim.len(), fleet.archives.len()));
        let mut told: Vec<_> = fleet
            .notices
            .values()
            .filter_map(|notice| match &notice.recipient {
                Recipient::Companion { event, .. } => Some(format!("COMPANION {event}")),
                _ => None,
            })
            .collect();
        told.sort();
        lines.extend(told);
        lines
    })
}

pub fn is_settled(fleet: &Fleet) -> bool {
    let whole = |gateway: &gf_model::gateway::Gateway| {
        let active = |i: Option<&Instance>| i.is_some_and(Instance::is_active);
        gateway.desired == Desired::Archived
            || (active(fleet.primary_of(&gateway.account)) && active(fleet.standby_of(&gateway.account)))
    };
    fleet.operations.values().all(|operation| operation.finished_at.is_some())
        && fleet.approvals.values().all(|a| a.state != ApprovalState::Granted || a.operation.is_some())
        && fleet.gateways.values().all(whole)
        && fleet.notices.values().all(|notice| notice.delivered_at.is_some())
}

/// Holds whatever happened.
pub async fn is_sound(rig: &Rig) {
    rig.audit_is_whole().await;
    let instances: Vec<_> = rig.read(|fleet| fleet.instances.values().cloned().collect());
    for instance in &instances {
        let expected = usize::from(instance.state.exists());
        assert_eq!(
            rig.sim.count(&instance.id),
            expected,
            "{} {}\n{}",
            instance.id,
            instance.state,
            rig.picture()
        );
    }
    let live = instances.iter().filter(|instance| instance.state.exists()).count();
    assert_eq!(rig.sim.len(), live, "nothing is left at the providers that nobody knows\n{}", rig.picture());
    for gateway in rig.read(|fleet| fleet.gateways.values().cloned().collect::<Vec<_>>()) {
        let own =
            instances.iter().filter(|i| i.account == gateway.account && i.state.exists() && i.channels_on);
        assert!(own.count() <= 1, "two could act\n{}", rig.picture());
    }
}

pub fn prepare(story: &Story) -> Moment {
    let world = World::new(7);
    let disk = Disk::empty();
    runtime().block_on(async {
        let rig = world.start(Arc::clone(&disk) as _, calm()).await;
        (story.before)(&rig).await;
        rig.until("all is calm", is_settled).await;
        world.time.end();
    });
    Moment { log: disk.log(), machines: std::fs::read(world.sim_file()).unwrap_or_default(), world }
}

/// The operation that a story is about, once there is one.
pub fn new_of<'a>(fleet: &'a Fleet, verb: &str, known: &[OperationId]) -> Option<&'a Operation> {
    let own = |op: &&Operation| op.verb.name() == verb && !known.contains(&op.id);
    fleet.operations.values().find(own)
}

/// What it was to be followed by has been begun since.
fn is_followed(rig: &Rig, story: &Story, known: &[OperationId]) {
    for kind in story.followed_by {
        assert!(rig.read(|fleet| new_of(fleet, kind, known).is_some()), "no {kind}\n{}", rig.picture());
    }
}

/// One case; the shape that it ended in, or `None` where nothing durable was begun. `false` where it was never cut.
fn case(story: &Story, moment: &Moment, cut: Cut) -> (bool, Option<Vec<String>>) {
    let mut disk = Disk::empty();
    let mut known = Vec::new();
    let ended = runtime().block_on(async {
        let (rig, begun_on) = moment.begin().await;
        disk = begun_on;
        known = known_operations(&rig);
        (story.trouble)(&rig);
        disk.arm(cut);
        let whole = async {
            (story.act)(&rig).await;
            rig.until("all is settled", is_settled).await;
        };
        let ended = tokio::select! {
            biased;
            () = disk.died() => None,
            () = whole => (!disk.is_dead()).then(|| shape(&rig)),
        };
        if ended.is_some() {
            is_sound(&rig).await;
            assert_eq!(
                rig.read(|fleet| new_of(fleet, story.verb, &known).map(|own| own.state)),
                Some(story.ends),
                "{}",
                rig.picture()
            );
            is_followed(&rig, story, &known);
        }
        moment.world.time.end();
        ended
    });
    if ended.is_some() {
        return (false, ended);
    }
    runtime().block_on(async {
        let rig = moment.world.start(disk.reopened() as _, calm()).await;
        rig.until("all is settled", is_settled).await;
        is_sound(&rig).await;
        let state = rig.read(|fleet| new_of(fleet, story.verb, &known).map(|own| own.state));
        let shape = state.filter(|state| *state != story.or || story.or == story.ends).map(|state| {
            assert_eq!(state, story.ends, "{cut:?}\n{}", rig.picture());
            is_followed(&rig, story, &known);
            shape(&rig)
        });
        moment.world.time.end();
        (true, shape)
    })
}

pub fn known_operations(rig: &Rig) -> Vec<OperationId> {
    rig.read(|fleet| fleet.operations.keys().cloned().collect())
}

/// Cuts it at every commit, once before and once after.
pub fn everywhere(story: &Story) {
    let moment = prepare(story);
    let (_, undisturbed) = case(story, &moment, Cut::Never);
    let undisturbed = undisturbed.unwrap();
    let mut begun = 0;
    for nth in 1..400 {
        let mut was_cut = false;
        for cut in [Cut::Before(nth), Cut::After(nth)] {
            let (cut_off, shape) = case(story, &moment, cut);
            was_cut |= cut_off;
            if let Some(shape) = shape {
                begun += 1;
                assert_eq!(shape, undisturbed, "{cut:?}");
            }
        }
        if !was_cut {
            assert!(begun > 4, "it was cut in the middle of something");
            return;
        }
    }
    panic!("it never ended by itself");
}

pub fn story(act: for<'a> fn(&'a Rig) -> Doing<'a>, verb: &'static str) -> Story {
    Story {
        before: a_pair,
        act,
        trouble: calm_trouble,
        ends: OperationState::Done,
        or: OperationState::Done,
        verb,
        followed_by: &[],
    }
}
