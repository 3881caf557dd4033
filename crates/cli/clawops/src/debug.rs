//! What stands in the store, told without the control plane, which may be what is broken.
//!
//! The store is read by the control plane's own program, as a process that only reads; here its answer is shown.

use crate::args::DebugWhat;
use crate::home::Home;
use crate::output::{self, Paint, paint, state};
use crate::problem::{Problem, Result};
use crate::up::parts::{CONTROL_PLANE, beside_us};
use crate::verbs::fleet::{pairs_text, status_text};
use clap::ValueEnum;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::process::Command;

pub fn debug(home: &Home, what: DebugWhat, limit: u32, as_json: bool) -> Result<()> {
    let mut answer = read_store(home, what, limit)?;
    let whole = what != DebugWhat::Verify || answer["found"]["ok"] == true;
    if as_json {
        output::json(&answer);
    } else {
        let found = answer["found"].take();
        output::page(&format!("{}\n\n{}", standing(&answer["store"]), text(what, found)?));
    }
    if whole { Ok(()) } else { Err(Problem::Failed("the audit record is not whole".into())) }
}

/// How the store stands, and what was found in it.
pub fn read_store(home: &Home, what: DebugWhat, limit: u32) -> Result<Value> {
    let name = what.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    let output = Command::new(beside_us(CONTROL_PLANE)?)
        .args(["debug", &name, "--limit", &limit.to_string(), "--home"])
        .arg(&home.dir)
        .output()
        .map_err(|why| Problem::Failed(format!("{CONTROL_PLANE} cannot be run: {why}")))?;
    if !output.status.success() {
        return Err(Problem::Failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    read(&output.stdout)
}

fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T> {
    serde_json::from_slice(text).map_err(|why| unexpected(&why))
}

fn typed<T: DeserializeOwned>(found: Value) -> Result<T> {
    serde_json::from_value(found).map_err(|why| unexpected(&why))
}

fn unexpected(why: &serde_json::Error) -> Problem {
    Problem::Unexpected { path: format!("{CONTROL_PLANE} debug"), problem: why.to_string() }
}

fn standing(store: &Value) -> String {
    let server = match store["serverRuns"].as_bool() {
        Some(true) => "a control plane runs on this home",
        _ => "no control plane runs on this home",
    };
    format!(
        "The store of {} as of its change {}: {server}.",
        output::cell(&store["home"]),
        output::cell(&store["number"])
    )
}

fn text(what: DebugWhat, found: Value) -> Result<String> {
    Ok(match what {
        DebugWhat::Fleet => status_text(&typed(found)?),
        DebugWhat::Pairs => pairs_text(typed(found)?),
        DebugWhat::Operations => table(
            &found,
            &["OPERATION", "VERB", "STATE", "SUMMARY"],
            &["/id", "/verb", "/state", "/summary"],
            "Nothing has been done yet.",
        ),
        DebugWhat::Incidents => table(
            &found,
            &["INCIDENT", "STATE", "OPENED", "TITLE", "WHY"],
            &["/id", "/state", "/openedAt", "/title", "/rootCause"],
            "There are no incidents.",
        ),
        DebugWhat::Audit => table(
            &found,
            &["ROW", "TIME", "WHO", "WHAT", "OUTCOME", "TARGETS"],
            &["/seq", "/entry/at", "/entry/principal", "/entry/action", "/entry/phase", "/entry/targets"],
            "The trail is empty.",
        ),
        DebugWhat::Verify => {
            let colour = if found["ok"] == true { Paint::Good } else { Paint::Bad };
            paint(&output::cell(&found["summary"]), colour)
        }
    })
}

/// A row for each object: what stands at each of the places.
fn table(found: &Value, head: &[&str], places: &[&str], empty: &str) -> String {
    let cell = |object: &Value, place: &str| {
        let value = object.pointer(place).unwrap_or(&Value::Null);
        match place {
            "/entry/principal" => {
                output::cell(value.get("id").or_else(|| value.get("name")).unwrap_or(value))
            }
            "/entry/at" | "/openedAt" => output::time(&output::cell(value)),
            "/state" => state(&output::cell(value).to_ascii_uppercase()),
            _ => output::cell(value),
        }
    };
    let rows = found.as_array().into_iter().flatten();
    let rows = rows.map(|object| places.iter().map(|place| cell(object, place)).collect());
    output::list(head, rows.collect(), empty)
}
