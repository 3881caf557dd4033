//! What one decision wants to change. Nothing of it is visible to anybody, the decision included, until it is durable.

use crate::backend::{SealedChange, SealedRow};
use gf_model::{
    Timestamp,
    audit::{AuditEntry, AuditPhase},
    fleet::{Change, Key},
    person::Principal,
};
use serde_json::Value;

#[derive(Debug)]
pub struct Tx {
    /// The number that the next audit row gets.
    next_seq: u64,
    pub(crate) changes: Vec<Change>,
    pub(crate) entries: Vec<AuditEntry>,
    pub(crate) sealed: Vec<SealedChange>,
}

impl Tx {
    pub(crate) fn new(last_seq: u64) -> Self {
        Self { next_seq: last_seq + 1, changes: Vec::new(), entries: Vec::new(), sealed: Vec::new() }
    }

    /// Keeps an object, whole: `tx.put(instance)`.
    pub fn put(&mut self, record: impl Into<Change>) {
        self.changes.push(record.into());
    }

    pub fn delete(&mut self, key: Key) {
        self.changes.push(Change::Delete(key));
    }

    /// Adds a row to the audit trail and says which number it gets.
    pub fn audit(&mut self, entry: AuditEntry) -> u64 {
        let seq = self.next_seq;
        self.next_seq += 1;
        self.entries.push(entry);
        seq
    }

    /// The row that must be durable before an act has its first effect.
    pub fn audit_started(
        &mut self,
        at: Timestamp,
        principal: &Principal,
        action: impl Into<String>,
        targets: Vec<String>,
        detail: Value,
    ) -> u64 {
        self.audit(AuditEntry {
            at,
            principal: principal.clone(),
            action: action.into(),
            phase: AuditPhase::Started,
            targets,
            operation: None,
            approval: None,
            plan_hash: None,
            trace: None,
            detail,
        })
    }

    /// Keeps encrypted bytes outside the fleet in memory.
    pub fn put_sealed(&mut self, id: impl Into<String>, sealed: impl Into<String>) {
        self.sealed.push(SealedChange::Put(SealedRow { id: id.into(), sealed: sealed.into() }));
    }

    pub fn erase_sealed(&mut self, id: impl Into<String>) {
        self.sealed.push(SealedChange::Erase(id.into()));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.entries.is_empty() && self.sealed.is_empty()
    }
}
