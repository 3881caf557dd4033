//! Judges the control plane from outside, at every commit, at every call of a provider and whenever an instance
//! begins or ends to receive and send. It knows what is durable and what is really so; it moves nothing.

use crate::{promise::Promise, rules, trace::Trace, updates};
use gf_driver_sim::Watcher;
use gf_model::{
    InstanceId, NodeId, OperationId,
    audit::{AuditEntry, AuditPhase},
    fleet::{Change, Fleet, Record},
    operation::{Operation, OperationState},
    provider::ProviderId,
};
use gf_store::Batch;
use parking_lot::Mutex;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use tokio::sync::Notify;

/// A promise that was broken, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    pub promise: Promise,
    pub what: String,
    pub at_ms: u64,
}

pub struct Oracle {
    trace: Arc<Trace>,
    books: Mutex<Books>,
    /// Told with the first breach.
    pub breached: Notify,
}

/// What the oracle knows.
#[derive(Default)]
pub(crate) struct Books {
    /// What is durable, whoever has read it.
    pub fleet: Fleet,
    /// By account, what receives and sends.
    pub acting: BTreeMap<String, BTreeSet<String>>,
    /// Instances whose deletion has an audit row.
    pub may_be_deleted: BTreeSet<String>,
    /// The newest audit row, kept where the control plane cannot reach it.
    pub head: Option<(i64, String)>,
    /// Which operations name an instance in their steps.
    pub named: BTreeMap<InstanceId, BTreeSet<OperationId>>,
    pub spent: rules::Spent,
    /// What nodes run that became another gf-clawnode than they were made with.
    pub software: BTreeMap<NodeId, String>,
    /// No control plane runs.
    plane_is_down: bool,
    /// What a fault or an order that is still on its way may stop.
    excused: BTreeSet<String>,
    breach: Option<Breach>,
}

impl Oracle {
    pub fn new(trace: Arc<Trace>) -> Arc<Self> {
        Arc::new(Self { trace, books: Mutex::default(), breached: Notify::new() })
    }

    pub(crate) fn breach(&self, books: &mut Books, promise: Promise, what: String) {
        self.trace.note(format_args!("BROKEN {promise}: {what}"));
        if books.breach.is_none() {
            books.breach = Some(Breach { promise, what, at_ms: self.trace.elapsed_ms() });
            self.breached.notify_one();
        }
    }

    /// A promise that is judged by somebody else was broken.
    pub fn report(&self, promise: Promise, what: String) {
        self.breach(&mut self.books.lock(), promise, what);
    }

    pub fn first_breach(&self) -> Option<Breach> {
        self.books.lock().breach.clone()
    }

    pub(crate) fn look<T>(&self, look: impl FnOnce(&Books) -> T) -> T {
        look(&self.books.lock())
    }

    /// From now on nothing may end to serve by itself, or again.
    pub fn plane_is_down(&self, down: bool) {
        self.books.lock().plane_is_down = down;
    }

    /// A fault was done to this instance: what follows is not the control plane's doing.
    pub fn excuse(&self, instance: &InstanceId) {
        self.books.lock().excused.insert(instance.to_string());
    }

    /// Something is durable now.
    pub fn committed(&self, batches: &[Batch]) {
        let mut guard = self.books.lock();
        let books = &mut *guard;
        for batch in batches {
            self.trace.note(format_args!("commit {}: {}", batch.number, Summary(batch)));
            for row in &batch.rows {
                books.head = Some((row.seq, row.hash.clone()));
                match row.parse() {
                    Ok(parsed) => note_row(books, &parsed.entry),
                    Err(error) => {
                        self.breach(books, Promise::Audited, format!("a row cannot be read: {error}"))
                    }
                }
            }
            let mut begun = Vec::new();
            let mut ended = Vec::new();
            for change in &batch.changes {
                match change {
                    Change::Put(Record::Operation(operation)) => {
                        let known = books.fleet.operations.get(&operation.id);
                        if known.is_none() {
                            begun.push(operation.clone());
                        }
                        let was_over = known.is_some_and(|known| known.finished_at.is_some());
                        if operation.finished_at.is_some() && !was_over {
                            ended.push(operation.clone());
                        }
                    }
                    Change::Put(Record::Lane(record)) => {
                        if let Some(what) = rules::fenced_too_early(books, record) {
                            self.breach(books, Promise::OneActs, what);
                        }
                        if let Some(what) = updates::breach(books, record) {
                            self.breach(books, Promise::OneBatch, what);
                        }
                        for step in &record.lane.steps {
                            if let Some(instance) = step.step.instance() {
                                let by = books.named.entry(instance.clone()).or_default();
                                by.insert(record.id.operation.clone());
                            }
                        }
                    }
                    _ => {}
                }
                books.fleet.apply(change.clone());
            }
            self.judge(books, batch, &begun, &ended);
        }
    }

    fn judge(&self, books: &mut Books, batch: &Batch, begun: &[Operation], ended: &[Operation]) {
        let now = self.trace.elapsed_ms();
        for operation in begun {
            if let Some(what) = rules::outside_its_envelope(&books.fleet, operation) {
                self.breach(books, Promise::Audited, what);
            }
            if let Some(what) = books.spent.began(operation, now) {
                self.breach(books, Promise::Bounded, what);
            }
        }
        for operation in ended {
            if operation.state == OperationState::Stuck && !rules::pages(batch, operation) {
                let what = format!("{} is stuck and nobody was paged", operation.id);
                self.breach(books, Promise::Ends, what);
            }
            if let Some(what) = rules::left_on_a_failed_revision(&books.fleet, operation) {
                self.breach(books, Promise::OneBatch, what);
            }
        }
        for change in &batch.changes {
            if let Change::Put(Record::Lane(record)) = change
                && let Some(what) = rules::went_past_a_failed_batch(&books.fleet, record)
            {
                self.breach(books, Promise::OneBatch, what);
            }
        }
    }

    /// A provider is about to be asked for something.
    pub fn called(&self, provider: &ProviderId, what: &'static str, label: &str) {
        let now = self.trace.elapsed_ms();
        let mut guard = self.books.lock();
        let books = &mut *guard;
        let accounts = books.fleet.gateways.len();
        if let Some(storm) = books.spent.called(provider, accounts, now) {
            self.breach(books, Promise::Bounded, storm);
        }
        if !matches!(what, "create" | "delete" | "power_off" | "resize") {
            return;
        }
        books.excused.insert(label.to_owned());
        if what == "delete" && !books.may_be_deleted.contains(label) {
            self.breach(books, Promise::Audited, format!("{label} is deleted and no audit row says so"));
        }
        let is_named = rules::is_named_by_open_work(books, label);
        let is_announced = what == "delete" && books.may_be_deleted.contains(label);
        if !is_named && !is_announced {
            self.breach(books, Promise::Audited, format!("{what} of {label}, which no open operation names"));
        }
    }
}

fn note_row(books: &mut Books, entry: &AuditEntry) {
    if entry.phase == AuditPhase::Started && rules::says_that_it_deletes(&entry.action) {
        books.may_be_deleted.extend(entry.targets.iter().filter(|target| target.starts_with("i-")).cloned());
    }
}

impl Watcher for Oracle {
    fn runs(&self, node: &NodeId, version: &str) {
        self.trace.note(format_args!("{node} runs {version}"));
        self.books.lock().software.insert(node.clone(), version.to_owned());
    }

    fn lapsed(&self, instance: &str, witness_lived: bool) {
        self.trace.note(format_args!("the lease of {instance} is over (its witness lived: {witness_lived})"));
        let mut guard = self.books.lock();
        let books = &mut *guard;
        if witness_lived {
            let what =
                format!("{instance} closed its channels though its witness would have renewed its lease");
            self.breach(books, Promise::StaticallyStable, what);
        } else {
            books.excused.insert(instance.to_owned());
        }
    }

    fn acts(&self, account: &str, instance: &str, acts: bool) {
        self.trace.note(format_args!("{instance} of {account} {}", if acts { "ACTS" } else { "rests" }));
        let mut guard = self.books.lock();
        let books = &mut *guard;
        let acting = books.acting.entry(account.to_owned()).or_default();
        if acts {
            acting.insert(instance.to_owned());
        } else {
            acting.remove(instance);
        }
        if acting.len() > 1 {
            let what = format!("{acting:?} all receive and send for {account}");
            self.breach(books, Promise::OneActs, what);
        }
        if !acts && books.plane_is_down && !books.excused.contains(instance) {
            let what = format!("{instance} of {account} stopped serving while no control plane ran");
            self.breach(books, Promise::StaticallyStable, what);
        }
    }
}

/// A commit in one line.
struct Summary<'a>(&'a Batch);

impl std::fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for change in &self.0.changes {
            match change {
                Change::Put(Record::Instance(i)) => {
                    write!(
                        f,
                        "{} {} {:?} ch={} unc={}; ",
                        i.id, i.state, i.role, i.channels_on, i.uncertain
                    )?;
                }
                Change::Put(Record::Operation(o)) => write!(f, "{} {} {:?}; ", o.id, o.verb.name(), o.state)?,
                Change::Put(Record::Lane(l)) => {
                    write!(f, "{}/{}/{} {:?}", l.id.operation, l.id.stage, l.id.index, l.lane.state)?;
                    let step = l.lane.steps.iter().rfind(|step| step.attempts > 0);
                    if let Some(step) = step {
                        write!(f, " {} {:?} x{}", step.step.name(), step.state, step.attempts)?;
                        if let Some(error) = &step.error {
                            write!(f, " ({error})")?;
                        }
                    }
                    f.write_str("; ")?;
                }
                Change::Put(Record::Snapshot(s)) => write!(f, "snapshot of {}; ", s.account)?,
                Change::Put(Record::Gateway(g)) => {
                    write!(f, "{} {} {:?}/{:?}; ", g.account, g.generation, g.primary, g.standby)?;
                }
                Change::Put(Record::Node(n)) => write!(f, "{} connected={}; ", n.id, n.connected)?,
                Change::Put(Record::Notice(n)) => write!(f, "notice {:?} {:?}; ", n.key, n.text)?,
                Change::Put(record) => write!(f, "{:?}; ", record.key())?,
                Change::Delete(key) => write!(f, "-{key:?}; ")?,
            }
        }
        match self.0.rows.last() {
            Some(row) => write!(f, "row {} {}", row.seq, row.hash.get(..8).unwrap_or_default()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oracle() -> Arc<Oracle> {
        Oracle::new(Arc::new(Trace::new(false)))
    }

    fn promise(oracle: &Oracle) -> Option<Promise> {
        oracle.first_breach().map(|breach| breach.promise)
    }

    #[tokio::test]
    async fn two_that_act_for_one_account_are_seen_and_one_after_the_other_is_fine() {
        let oracle = oracle();
        oracle.acts("acct-0001", "i-1", true);
        oracle.acts("acct-0002", "i-2", true);
        oracle.acts("acct-0001", "i-1", false);
        oracle.acts("acct-0001", "i-3", true);
        assert_eq!(promise(&oracle), None);
        oracle.acts("acct-0001", "i-1", true);
        assert_eq!(promise(&oracle), Some(Promise::OneActs));
    }

    #[tokio::test]
    async fn a_deletion_that_no_row_announced_is_seen() {
        let oracle = oracle();
        oracle.called(&"hetzner".into(), "list", "");
        assert_eq!(promise(&oracle), None);
        oracle.called(&"hetzner".into(), "delete", "i-1");
        assert_eq!(promise(&oracle), Some(Promise::Audited));
    }

    #[tokio::test]
    async fn what_stops_while_no_control_plane_runs_is_seen_unless_a_fault_was_done_to_it() {
        let oracle = oracle();
        oracle.acts("acct-0001", "i-1", true);
        oracle.acts("acct-0002", "i-2", true);
        oracle.excuse(&"i-2".parse().unwrap());
        oracle.plane_is_down(true);
        oracle.acts("acct-0002", "i-2", false);
        assert_eq!(promise(&oracle), None);
        oracle.acts("acct-0001", "i-1", false);
        assert_eq!(promise(&oracle), Some(Promise::StaticallyStable));
    }

    #[tokio::test]
    async fn a_storm_of_calls_is_seen() {
        let oracle = oracle();
        (0..25).for_each(|_| oracle.called(&"hetzner".into(), "find", "i-1"));
        assert_eq!(promise(&oracle), Some(Promise::Bounded));
    }
}
