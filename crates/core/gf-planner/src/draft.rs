//! A plan while it is being worked out.

use crate::IdSource;
use gf_model::{
    AccountId, ArchiveId, Cents, InstanceId, Timestamp,
    fleet::Fleet,
    instance::{Instance, Role},
    operation::{Lane, Stage},
    plan::Plan,
    provider::ProviderId,
    verb::Verb,
};
use hashbrown::HashSet;
use std::collections::BTreeSet;

pub(crate) struct Draft<'a> {
    pub fleet: &'a Fleet,
    pub now: Timestamp,
    ids: &'a mut dyn IdSource,
    /// Ids given out by this plan.
    fresh: BTreeSet<InstanceId>,
    named_accounts: HashSet<AccountId>,
    /// By where they lie: there is one record of each, and its id need not be looked at.
    named_instances: HashSet<*const Instance>,
    /// Where the named instances are.
    providers: BTreeSet<&'a ProviderId>,
    pub plan: Plan,
}

impl<'a> Draft<'a> {
    pub fn new(fleet: &'a Fleet, verb: &Verb, ids: &'a mut dyn IdSource, now: Timestamp) -> Self {
        let plan = Plan {
            verb: verb.clone(),
            accounts: Vec::new(),
            instances: Vec::new(),
            stages: Vec::new(),
            cost_delta: Cents(0),
            monthly_before: fleet.loads().monthly(),
            lines: Vec::new(),
            irreversible: Vec::new(),
            warnings: Vec::new(),
        };
        Self {
            fleet,
            now,
            ids,
            fresh: BTreeSet::new(),
            named_accounts: HashSet::new(),
            named_instances: HashSet::new(),
            providers: BTreeSet::new(),
            plan,
        }
    }

    /// The id of an instance that does not exist yet. Four digits while there is room, then more.
    pub fn instance_id(&mut self) -> InstanceId {
        let mut digits = 4;
        loop {
            for _ in 0..8 {
                let id = InstanceId::from_bits(self.ids.next_u64(), digits);
                if !self.fleet.instances.contains_key(&id) && self.fresh.insert(id.clone()) {
                    return id;
                }
            }
            digits += 2;
        }
    }

    pub fn archive_id(&mut self) -> ArchiveId {
        loop {
            let id = ArchiveId::from_bits(self.ids.next_u64(), 8);
            if !self.fleet.archives.contains_key(&id) {
                return id;
            }
        }
    }

    /// Names an account that feels it; twice is once.
    pub fn touches_account(&mut self, account: &AccountId) {
        // Accounts mostly come in the order of their names, and then none can have come before.
        if self.named_accounts.is_empty() && self.plan.accounts.last().is_none_or(|last| last < account) {
            return self.plan.accounts.push(account.clone());
        }
        if self.named_accounts.is_empty() {
            self.named_accounts.extend(self.plan.accounts.iter().cloned());
        }
        if self.named_accounts.insert(account.clone()) {
            self.plan.accounts.push(account.clone());
        }
    }

    /// Names an instance that exists and is changed. New ones are not named: their ids mean nothing to anybody yet.
    pub fn touches(&mut self, instance: &'a Instance) {
        self.providers.insert(&instance.provider);
        self.names(instance, instance.id.clone());
    }

    /// The same where it is known otherwise where they are. Its id is at hand: its record need not be looked at again.
    pub fn names(&mut self, instance: &'a Instance, id: InstanceId) {
        if self.named_instances.insert(std::ptr::from_ref(instance)) {
            self.plan.instances.push(id);
        }
    }

    /// So many more are about to be named.
    pub fn makes_room_for(&mut self, accounts: usize, instances: usize) {
        self.plan.accounts.reserve(accounts);
        self.plan.instances.reserve(instances);
        self.named_instances.reserve(instances);
    }

    pub fn line(&mut self, line: impl Into<String>) {
        self.plan.lines.push(line.into());
    }

    pub fn warn(&mut self, warning: impl Into<String>) {
        self.plan.warnings.push(warning.into());
    }

    pub fn irreversible(&mut self, what: impl Into<String>) {
        self.plan.irreversible.push(what.into());
    }

    pub fn stage(&mut self, title: &str, parallel: u32, lanes: Vec<Lane>) {
        self.plan.stages.push(Stage::new(title, parallel, lanes));
    }

    /// Batches of at most `size` lanes. More than a tenth of failures in one stops all that follow; a single bad
    /// target never does, however small its batch.
    pub fn batches(&mut self, size: u32, parallel: u32, lanes: Vec<Lane>) {
        let batches = split(lanes, std::iter::repeat(size));
        self.stages_of(batches, parallel, gate_percent);
    }

    /// Batches that grow, then the rest in batches of `size`, or in one. A tenth is the limit however small a batch is:
    /// the first few are there to fail.
    pub fn canary(&mut self, first: &[u32], size: u32, parallel: u32, lanes: Vec<Lane>) {
        let rest = if size == 0 { u32::MAX } else { size };
        let batches = split(lanes, first.iter().copied().chain(std::iter::repeat(rest)));
        self.stages_of(batches, parallel, |_| GATE_PERCENT);
    }

    fn stages_of(&mut self, batches: Vec<Vec<Lane>>, parallel: u32, percent: impl Fn(usize) -> u8) {
        let count = batches.len();
        for (index, batch) in batches.into_iter().enumerate() {
            let mut stage = Stage::new(format!("batch {} of {count}", index + 1), parallel, batch);
            stage.fail_above_percent = percent(stage.lanes.len());
            self.plan.stages.push(stage);
        }
    }

    /// How many lanes run at once. Instances of this host share its processors; at a provider each has its own.
    pub fn parallel<'p>(&self, providers: impl IntoIterator<Item = &'p ProviderId>) -> u32 {
        if providers.into_iter().any(|id| is_this_host(self.fleet, id)) { HERE } else { ELSEWHERE }
    }

    /// How many of the instances that this plan names are written to at once. Their nodes do it, and no provider is asked.
    pub fn writes_there(&self) -> u32 {
        writes_at_once(self.parallel_there() == HERE)
    }

    /// The same for the instances that this plan names.
    pub fn parallel_there(&self) -> u32 {
        self.parallel(self.providers.iter().copied())
    }

    pub fn finish(self) -> Plan {
        self.plan
    }
}

/// Whether what is at this provider shares the processors of this host.
pub(crate) fn is_this_host(fleet: &Fleet, id: &ProviderId) -> bool {
    fleet.providers.get(id).is_none_or(|provider| provider.driver == "process")
}

/// How many instances are written to at once, where some are on this host.
pub(crate) const fn writes_at_once(some_are_here: bool) -> u32 {
    if some_are_here { HERE } else { WRITES }
}

fn split(lanes: Vec<Lane>, sizes: impl Iterator<Item = u32>) -> Vec<Vec<Lane>> {
    let mut lanes = lanes.into_iter();
    sizes
        .map(|size| lanes.by_ref().take(size.max(1) as usize).collect::<Vec<_>>())
        .take_while(|batch| !batch.is_empty())
        .collect()
}

pub(crate) const GATE_PERCENT: u8 = 10;
const HERE: u32 = 4;
const ELSEWHERE: u32 = 20;
const WRITES: u32 = 1000;

/// A tenth, or what one lane of so many is.
pub(crate) const fn gate_percent(lanes: usize) -> u8 {
    match lanes {
        0 | 1 => 100,
        2..=9 => 100_usize.div_ceil(lanes) as u8,
        _ => GATE_PERCENT,
    }
}

pub(crate) const fn role_word(role: Role) -> &'static str {
    match role {
        Role::Primary => "primary",
        Role::Standby => "standby",
    }
}
