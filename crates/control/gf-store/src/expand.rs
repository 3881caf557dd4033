//! Which versions of the records this program can go on with, and a record that a newer program wrote and this one writes
//! again: what this one does not know of it is kept.
//!
//! Only fields of objects are kept, at any depth; what is new within a list goes with the list. A newer program that means
//! to be followed by an older one adds nothing there.

use crate::StoreError;
use gf_model::fleet::Record;
use serde_json::{Map, Value};
use std::path::Path;

/// Raised with every change that an older program would misread or stumble over, in whichever database: 2 brought
/// schedules and usage.
pub const SCHEMA: u64 = 2;

/// What a database says of the records in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    pub schema: u64,
    /// The oldest program that may go on. A newer program that only adds (kinds of records, fields that may be absent)
    /// raises `schema` and leaves this; one that takes something away raises both.
    pub from: Option<u64>,
}

/// What this program makes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Age {
    #[default]
    Own,
    /// A newer program has added to it, and what that one wrote is kept.
    Expanded,
}

impl Written {
    pub const OWN: Self = Self { schema: SCHEMA, from: None };

    pub fn age(self, place: &Path) -> Result<Age, StoreError> {
        match self.schema {
            1..=SCHEMA => Ok(Age::Own),
            0 => Err(StoreError::Damaged {
                path: place.to_owned(),
                source: "it claims schema 0, which no version ever wrote".into(),
            }),
            _ if self.from.is_some_and(|from| from <= SCHEMA) => Ok(Age::Expanded),
            newer => Err(StoreError::Newer { path: place.to_owned(), found: newer, known: SCHEMA }),
        }
    }
}

impl Age {
    /// A stored record; `None` where it lies there for a newer program that knows what it is.
    pub fn read(self, kind: &str, id: &str, json: &str) -> Result<Option<Record>, StoreError> {
        match serde_json::from_str(json) {
            Ok(record) => Ok(Some(record)),
            Err(error) if self == Self::Expanded && is_of_a_later_kind(&error) => Ok(None),
            Err(source) => Err(StoreError::Unreadable { kind: kind.to_owned(), id: id.to_owned(), source }),
        }
    }
}

/// A record as it is to be stored over what is stored of it, with what a newer program wrote into that.
pub fn keeping(record: String, stored: Option<&str>) -> Result<String, StoreError> {
    let Some(beyond) = stored.and_then(beyond) else { return Ok(record) };
    let mut value = serde_json::from_str(&record).map_err(StoreError::Unwritable)?;
    with(&mut value, beyond);
    Ok(value.to_string())
}

/// There is no other way to tell a kind that came later from a record that is spoilt.
pub fn is_of_a_later_kind(error: &serde_json::Error) -> bool {
    error.to_string().starts_with("unknown variant")
}

/// What a stored record holds beyond what this program reads out of it; `None` where that is nothing.
fn beyond(stored: &str) -> Option<Value> {
    let known: Record = serde_json::from_str(stored).ok()?;
    left(&serde_json::from_str(stored).ok()?, &serde_json::to_value(known).ok()?)
}

fn left(stored: &Value, known: &Value) -> Option<Value> {
    let (Value::Object(stored), Value::Object(known)) = (stored, known) else { return None };
    let field = |(name, value): (&String, &Value)| {
        let kept = match known.get(name) {
            None => Some(value.clone()),
            Some(known) => left(value, known),
        };
        kept.map(|kept| (name.clone(), kept))
    };
    let kept: Map<String, Value> = stored.iter().filter_map(field).collect();
    (!kept.is_empty()).then_some(Value::Object(kept))
}

/// A record with what an older one of the same name held beyond it.
fn with(record: &mut Value, beyond: Value) {
    let (Value::Object(record), Value::Object(beyond)) = (record, beyond) else { return };
    for (name, value) in beyond {
        match record.get_mut(&name) {
            None => drop(record.insert(name, value)),
            Some(known) => with(known, value),
        }
    }
}
