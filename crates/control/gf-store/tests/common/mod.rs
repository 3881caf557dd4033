//! What several tests build their fleets from.
#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use gf_model::{
    AccountId, Timestamp,
    ambient::Entropy,
    audit::{AuditEntry, AuditPhase},
    fleet::{Account, Once},
    person::Principal,
};
use serde_json::json;

pub struct Counting;

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = at as u8;
        }
    }
}

pub fn moment(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

pub fn account(number: u64) -> Account {
    let id: AccountId = format!("acct-{number:04}").parse().unwrap();
    Account { id, channels: Vec::new(), created_at: moment(0) }
}

pub fn once(key: impl Into<String>, answer: u64) -> Once {
    Once { key: key.into(), at: moment(0), answer: json!(answer) }
}

pub fn entry(action: &str, target: &str) -> AuditEntry {
    AuditEntry {
        at: moment(1),
        principal: Principal::Service("test".into()),
        action: action.into(),
        phase: AuditPhase::Noted,
        targets: vec![target.into()],
        operation: None,
        approval: None,
        plan_hash: None,
        trace: None,
        detail: json!({}),
    }
}
