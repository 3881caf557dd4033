//! Reads the audit trail from the first row to the last and says what does not fit, and where.
//!
//! Three witnesses are compared: the chain of hashes, the signed heads outside the database, and the head
//! that the running control plane remembers by itself. This module only judges; it never repairs.

use crate::{
    StoreError,
    backend::{Head, StoredRow},
    heads::HeadLine,
};
use gf_model::audit::{GENESIS, row_hash};
use schemars::JsonSchema;
use serde::Serialize;
use std::ops::ControlFlow;

/// How many rows may have been slipped in or taken out at one place and the rest renumbered before the rows
/// after it count as changed one by one.
const LARGEST_SHIFT: i64 = 64;
/// A trail that was spoilt throughout must not become an answer of a million lines.
pub const FINDINGS_LIMIT: usize = 200;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum What {
    /// The row is not what was written.
    Changed,
    /// Rows before the end are gone.
    Missing,
    /// The row was never written by a control plane.
    Inserted,
    /// Rows at the end are gone.
    CutTail,
    /// A signed head is not signed with this fleet's key, or is no signed head.
    BadSignature,
}

/// One thing that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    pub what: What,
    /// The first row that it concerns.
    pub seq: i64,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Verification {
    pub rows: u64,
    pub last_seq: i64,
    pub signed_heads: u64,
    /// Rows up to here are vouched for by a signature.
    pub signed_up_to: u64,
    /// Empty when the trail is whole; the first [`FINDINGS_LIMIT`] when there are more.
    pub findings: Vec<Finding>,
    pub findings_total: u64,
}

impl Verification {
    pub fn is_whole(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Takes each row as it comes.
pub(crate) type Visit<'a> = &'a mut dyn FnMut(StoredRow) -> ControlFlow<()>;

/// `scan` hands over every stored row by ascending number; `own` tells the newest row that the running control plane
/// wrote, at the moment of asking.
pub(crate) fn verify(
    scan: impl FnOnce(Visit<'_>) -> Result<(), StoreError>,
    own: impl Fn() -> Head,
    heads: &[HeadLine],
) -> Result<Verification, StoreError> {
    let mut walk = Walk::new(own(), heads);
    // Rows after that one were either committed during the walk or slipped in; the end of the walk tells.
    let mut newer = Vec::new();
    scan(&mut |row| {
        if row.seq > walk.own.seq as i64 {
            newer.push(row);
        } else {
            walk.row(&row);
        }
        ControlFlow::Continue(())
    })?;
    let now = own().seq as i64;
    for row in newer {
        if row.seq <= now {
            walk.row(&row);
        } else {
            walk.foreign(&row);
        }
    }
    Ok(walk.finish())
}

struct Walk<'a> {
    own: Head,
    /// The hash that was found where the control plane's own newest row should stand.
    found_at_own: Option<String>,
    /// Well-signed heads by their row, ascending.
    heads: Vec<(u64, &'a str)>,
    heads_met: usize,
    rows: u64,
    last_seq: i64,
    last_hash: String,
    /// By how much rows stand further down than where they were written.
    shift: i64,
    findings: Vec<Finding>,
    findings_total: u64,
}

impl<'a> Walk<'a> {
    fn new(own: Head, lines: &'a [HeadLine]) -> Self {
        let mut walk = Self {
            own,
            found_at_own: None,
            heads: Vec::new(),
            heads_met: 0,
            rows: 0,
            last_seq: 0,
            last_hash: GENESIS.to_owned(),
            shift: 0,
            findings: Vec::new(),
            findings_total: 0,
        };
        for line in lines {
            match line {
                HeadLine::Good(head) => walk.heads.push((head.seq, head.hash.as_str())),
                HeadLine::Forged(head) => {
                    let text =
                        format!("the signed head of row {} was not signed with this fleet's key", head.seq);
                    walk.find(What::BadSignature, head.seq as i64, text);
                }
                HeadLine::Garbage(at) => {
                    walk.find(What::BadSignature, 0, format!("line {at} of the signed heads cannot be read"));
                }
            }
        }
        walk.heads.sort_unstable();
        walk
    }

    fn row(&mut self, row: &StoredRow) {
        if row.seq < 1 {
            self.foreign(row);
            return;
        }
        self.rows += 1;
        if row.seq as u64 == self.own.seq {
            self.found_at_own = Some(row.hash.clone());
        }
        self.gap(row);
        self.links(row);
        self.head(row);
        self.last_seq = row.seq;
        self.last_hash.clone_from(&row.hash);
    }

    fn foreign(&mut self, row: &StoredRow) {
        self.rows += 1;
        let text = format!("row {} was inserted: no control plane wrote a row of this number", row.seq);
        self.find(What::Inserted, row.seq, text);
    }

    fn gap(&mut self, row: &StoredRow) {
        let expected = self.last_seq + 1;
        if row.seq > expected {
            let text = match row.seq - expected {
                1 => format!("row {expected} is missing"),
                count => format!("rows {expected} to {} are missing ({count})", row.seq - 1),
            };
            self.find(What::Missing, expected, text);
            // What the missing rows were is not known; from here on the chain is held to this row.
            self.last_hash.clone_from(&row.previous);
        }
    }

    /// Whether the row is what its hash is over, and hangs on the row before it.
    fn links(&mut self, row: &StoredRow) {
        let written_at = |shift: i64| {
            u64::try_from(row.seq - shift)
                .is_ok_and(|seq| row_hash(seq, &row.previous, &row.entry_json) == row.hash)
        };
        if !written_at(self.shift) {
            let moved = (1..=LARGEST_SHIFT)
                .flat_map(|by| [self.shift + by, self.shift - by])
                .find(|shift| written_at(*shift));
            match moved {
                Some(shift) => self.renumbered(row, shift),
                None => {
                    let text = format!("row {} was changed: it is not what its hash was made of", row.seq);
                    self.find(What::Changed, row.seq, text);
                }
            }
        } else if row.previous != self.last_hash {
            let before = row.seq - 1;
            let text =
                format!("row {before} was changed and hashed anew: row {} was chained to another", row.seq);
            self.find(What::Changed, before, text);
        } else if !row.index_fits {
            let text =
                format!("what row {} is found by was changed: it does not agree with its entry", row.seq);
            self.find(What::Changed, row.seq, text);
        }
    }

    fn renumbered(&mut self, row: &StoredRow, shift: i64) {
        let by = shift - self.shift;
        self.shift = shift;
        if by > 0 {
            let first = row.seq - by;
            let text = format!("row {first} was inserted: the rows after it were numbered anew ({by})");
            self.find(What::Inserted, first, text);
        } else {
            let text = format!("row {} is missing: the rows after it were numbered anew ({})", row.seq, -by);
            self.find(What::Missing, row.seq, text);
        }
    }

    fn head(&mut self, row: &StoredRow) {
        let written_as = row.seq - self.shift;
        while let Some((seq, hash)) = self.heads.get(self.heads_met).copied() {
            if seq as i64 > written_as {
                return;
            }
            self.heads_met += 1;
            if seq as i64 == written_as && hash != row.hash {
                let from = self.signed_before(seq) + 1;
                let text = format!(
                    "rows {from} to {seq} were written anew: row {seq} is not the one that was signed"
                );
                self.find(What::Changed, from as i64, text);
            }
        }
    }

    fn signed_before(&self, seq: u64) -> u64 {
        self.heads.iter().rev().map(|(signed, _)| *signed).find(|signed| *signed < seq).unwrap_or(0)
    }

    fn finish(mut self) -> Verification {
        let signed = self.heads.last().map_or(0, |(seq, _)| *seq);
        // Signatures count as rows were written; the control plane may have started on renumbered ones.
        let whole_length = self.last_seq - self.shift;
        let longest = whole_length.max(self.last_seq);
        let (newest, witness) = if whole_length < signed as i64 && signed >= self.own.seq {
            (signed, "a signed head")
        } else {
            (self.own.seq.max(signed), "the running control plane")
        };
        if whole_length < signed as i64 || longest < self.own.seq as i64 {
            let first = whole_length + 1;
            let text = format!("rows {first} to {newest} were cut off the end: {witness} knows of them");
            self.find(What::CutTail, first, text);
        } else if self.findings.is_empty()
            && self.found_at_own.as_ref().is_some_and(|found| *found != self.own.hash)
        {
            let seq = self.own.seq as i64;
            self.find(
                What::Changed,
                seq,
                format!("row {seq} is not the one that the running control plane wrote"),
            );
        }
        Verification {
            rows: self.rows,
            last_seq: self.last_seq,
            signed_heads: self.heads.len() as u64,
            signed_up_to: signed,
            findings: self.findings,
            findings_total: self.findings_total,
        }
    }

    fn find(&mut self, what: What, seq: i64, text: String) {
        self.findings_total += 1;
        if self.findings.len() < FINDINGS_LIMIT {
            self.findings.push(Finding { what, seq, text });
        }
    }
}
