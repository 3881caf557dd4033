//! The table of results, on the screen and as `docs/benchmarks.md`.

use crate::machine;
use serde_json::{Value, json};
use std::fs;

pub struct Row {
    pub name: &'static str,
    pub value: f64,
    pub unit: &'static str,
    /// The value may not be above it.
    pub target: f64,
    /// How it was measured: runs, and what the reference was.
    pub how: String,
}

impl Row {
    pub fn ratio(&self) -> f64 {
        self.value / self.target
    }
    pub fn met(&self) -> bool {
        self.value <= self.target
    }
}

pub fn json(rows: &[Row]) -> Value {
    let rows = rows.iter().map(|row| {
        json!({
            "name": row.name, "value": row.value, "unit": row.unit, "target": row.target,
            "ratio": row.ratio(), "met": row.met(), "how": row.how,
        })
    });
    json!({ "machine": machine::name(), "rows": rows.collect::<Vec<_>>() })
}

pub fn table(rows: &[Row]) -> String {
    let mut text = String::from(
        "| what | value | target | value ÷ target | met | how |\n|---|---:|---:|---:|---|---|\n",
    );
    for row in rows {
        text.push_str(&format!(
            "| {} | {} {} | {} {} | {:.2} | {} | {} |\n",
            row.name,
            number(row.value),
            row.unit,
            number(row.target),
            row.unit,
            row.ratio(),
            if row.met() { "y" } else { "n" },
            row.how,
        ));
    }
    text
}

fn number(value: f64) -> String {
    if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

pub fn write_page(rows: &[Row]) -> Result<(), String> {
    let path = "docs/benchmarks.md";
    let page = format!(
        "# Benchmarks\n\nWritten by `cargo xtask bench` on: {}.\nEach value is a median of at least five runs, interleaved with its reference where it has one.\n\n{}",
        machine::name(),
        table(rows)
    );
    fs::write(path, page).map_err(|e| format!("cannot write {path}: {e}"))
}
