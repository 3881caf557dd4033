//! The groups that `gf-scale` measures in processes of its own: it stands beside this program and prints what it read.

use crate::report::{Entry, Measured, Point};
use serde::Deserialize;
use std::process::{Command, Stdio};

pub fn links() -> Measured {
    group("links")
}

pub fn scale() -> Measured {
    group("scale")
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Line {
    Row(Entry),
    Point(Point),
}

fn group(name: &str) -> Measured {
    let program = std::env::current_exe().expect("this program has a path").with_file_name("gf-scale");
    let output = Command::new(&program).arg(name).stderr(Stdio::inherit()).output();
    let output = output.unwrap_or_else(|why| panic!("{} could not be started: {why}", program.display()));
    let mut measured = Measured::default();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        match serde_json::from_str(line).unwrap_or_else(|why| panic!("gf-scale wrote {line:?}: {why}")) {
            Line::Row(row) => measured.rows.push(row),
            Line::Point(point) => measured.points.push(point),
        }
    }
    if !output.status.success() {
        eprintln!(
            "gf-scale {name} ended with {}: what it read until then is kept, the rest is not measured",
            output.status
        );
    }
    measured
}
