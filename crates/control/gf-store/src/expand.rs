//! A record that a newer program wrote and an older one writes again: what the older one does not know of it is kept.
//!
//! Only fields of objects are kept, at any depth; what is new within a list goes with the list. A newer program that means
//! to be followed by an older one adds nothing there.

use gf_model::fleet::Record;
use serde_json::{Map, Value};

/// What a stored record holds beyond what this program reads out of it; `None` where that is nothing.
pub fn beyond(stored: &str) -> Option<Value> {
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
pub fn with(record: &mut Value, beyond: Value) {
    let (Value::Object(record), Value::Object(beyond)) = (record, beyond) else { return };
    for (name, value) in beyond {
        match record.get_mut(&name) {
            None => drop(record.insert(name, value)),
            Some(known) => with(known, value),
        }
    }
}

/// Whether this program has records of such a kind at all.
pub fn is_known(stored: &str) -> bool {
    match serde_json::from_str::<Record>(stored) {
        Ok(_) => true,
        // There is no other way to tell a kind that came later from a record that is spoilt.
        Err(error) => !error.to_string().starts_with("unknown variant"),
    }
}
