//! What a group measured, as one line of JSON each, for the bench program that writes the page.

use serde::Serialize;
use serde_json::json;
use std::io::Write;

/// Which way a value may differ from its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Better {
    Less,
    More,
}

/// One value beside its target.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub name: String,
    pub value: f64,
    pub unit: &'static str,
    pub target: f64,
    pub better: Better,
    /// How it was measured: runs, and what the reference was.
    pub how: String,
}

/// A value at one size of the fleet; the points of a series make a curve.
#[derive(Debug, Clone, Serialize)]
pub struct Point {
    pub series: String,
    pub unit: &'static str,
    pub size: usize,
    pub value: f64,
}

#[derive(Debug, Clone, Default)]
pub struct Measured {
    pub rows: Vec<Row>,
    pub points: Vec<Point>,
}

impl Measured {
    pub fn row(
        &mut self,
        name: &str,
        value: f64,
        unit: &'static str,
        (better, target): (Better, f64),
        how: String,
    ) {
        self.rows.push(Row { name: name.to_owned(), value, unit, target, better, how });
    }

    pub fn point(&mut self, series: &str, unit: &'static str, size: usize, value: f64) {
        self.points.push(Point { series: series.to_owned(), unit, size, value });
    }

    pub fn add(&mut self, other: Self) {
        self.rows.extend(other.rows);
        self.points.extend(other.points);
    }

    /// Says what was read until now, so that it is not lost with what comes after.
    pub fn tell(&mut self) {
        print!("{}", std::mem::take(self).lines());
        // A bench that nobody listens to any more ends with its next line.
        let _ = std::io::stdout().flush();
    }

    pub fn lines(&self) -> String {
        let rows = self.rows.iter().map(|row| json!({ "row": row }));
        let points = self.points.iter().map(|point| json!({ "point": point }));
        rows.chain(points).fold(String::new(), |text, line| text + &line.to_string() + "\n")
    }
}
