//! The table of results, on the screen and as `docs/benchmarks.md`.

use crate::{growth, machine};
use serde::Deserialize;
use serde_json::{Value, json};
use std::fs;

/// Which way a value may differ from its target.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Better {
    Less,
    More,
}

/// What the benches in here read: a value that may not be above its target.
pub struct Row {
    pub name: &'static str,
    pub value: f64,
    pub unit: &'static str,
    pub target: f64,
    /// How it was measured: runs, and what the reference was.
    pub how: String,
}

/// A line of the table.
#[derive(Clone, Deserialize)]
pub struct Entry {
    pub name: String,
    pub value: f64,
    pub unit: String,
    pub target: f64,
    pub better: Better,
    pub how: String,
}

/// A value at one size of the fleet.
#[derive(Clone, Deserialize)]
pub struct Point {
    pub series: String,
    pub unit: String,
    pub size: usize,
    pub value: f64,
}

/// What a bench read.
#[derive(Default)]
pub struct Measured {
    pub rows: Vec<Entry>,
    pub points: Vec<Point>,
}

impl From<Vec<Row>> for Measured {
    fn from(rows: Vec<Row>) -> Self {
        Self { rows: rows.into_iter().map(Entry::from).collect(), points: Vec::new() }
    }
}

impl From<Row> for Entry {
    fn from(Row { name, value, unit, target, how }: Row) -> Self {
        Self { name: name.to_owned(), value, unit: unit.to_owned(), target, better: Better::Less, how }
    }
}

impl Entry {
    pub fn ratio(&self) -> f64 {
        self.value / self.target
    }
    pub fn met(&self) -> bool {
        match self.better {
            Better::Less => self.value <= self.target,
            Better::More => self.value >= self.target,
        }
    }
    /// For whoever waits for the table.
    pub fn in_short(&self) -> String {
        let met = if self.met() { "met" } else { "not met" };
        format!("{}: {:.2} {} ({met}, {:.2} of its target)", self.name, self.value, self.unit, self.ratio())
    }
    /// For programs: one line.
    pub fn json(&self) -> Value {
        json!({
            "name": self.name, "value": self.value, "unit": self.unit, "target": self.target,
            "ratio": self.ratio(), "met": self.met(), "how": self.how,
        })
    }
    fn line(&self) -> String {
        let (unit, met) = (&self.unit, if self.met() { "y" } else { "n" });
        let (value, target) = (number(self.value), number(self.target));
        format!(
            "| {} | {value} {unit} | {target} {unit} | {:.2} | {met} | {} |\n",
            self.name,
            self.ratio(),
            self.how
        )
    }
}

const COLUMNS: usize = 6;
const HEAD: &str = "| what | value | target | value ÷ target | met | how |\n|---|---:|---:|---:|---|---|\n";

pub fn table(rows: &[Entry]) -> String {
    rows.iter().fold(HEAD.to_owned(), |text, row| text + &row.line())
}

fn number(value: f64) -> String {
    if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

/// What was not measured this time stays as it was, with the machine that it was measured on.
pub fn write_page(measured: &Measured) -> Result<(), String> {
    let path = "docs/benchmarks.md";
    let before = fs::read_to_string(path).unwrap_or_default();
    fs::write(path, page(&before, &measured.rows, &machine::name()))
        .map_err(|e| format!("cannot write {path}: {e}"))?;
    growth::write(&measured.points)
}

fn page(before: &str, rows: &[Entry], machine: &str) -> String {
    let measured = |line: &str| rows.iter().any(|row| line.starts_with(&format!("| {} |", row.name)));
    let is_row = |line: &&str| line.matches(" |").count() == COLUMNS && !HEAD.starts_with(*line);
    let kept: String = before
        .lines()
        .filter(is_row)
        .filter(|line| !measured(line))
        .fold(String::new(), |text, line| text + line + "\n");
    let rows = rows.iter().fold(String::new(), |text, row| {
        let how = format!("{}; {machine}", row.how);
        text + &Entry { how, ..row.clone() }.line()
    });
    format!(
        "# Benchmarks\n\nWritten by `cargo xtask bench`, the row of the cold `up` by `cargo xtask bench cold`. Each value but that \
         one is a median of at least five runs,\ninterleaved with its reference where it has one.\n\n{HEAD}{kept}{rows}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &'static str, value: f64) -> Entry {
        Row { name, value, unit: "s", target: 2.0, how: "five runs".into() }.into()
    }

    #[test]
    fn some_values_must_be_large() {
        let rate = Entry { better: Better::More, ..row("rate", 3.0) };
        assert!(rate.met() && !row("time", 3.0).met());
    }

    #[test]
    fn a_page_keeps_what_was_not_measured_again() {
        let first = page("", &[row("cold", 1.0), row("warm", 3.0)], "one machine");
        let by_hand = "\n| by hand | 3 s |\n";
        let second = page(&(first + by_hand), &[row("warm", 1.0)], "another");
        assert!(!second.contains("by hand"), "another table was taken for this one: {second}");
        assert!(
            second.contains("| cold | 1.00 s | 2.00 s | 0.50 | y | five runs; one machine |"),
            "{second}"
        );
        assert!(second.contains("| warm | 1.00 s | 2.00 s | 0.50 | y | five runs; another |"), "{second}");
        assert_eq!(second.matches("| warm |").count(), 1, "{second}");
    }
}
