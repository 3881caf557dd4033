//! What took longest, from the reports that cargo and nextest leave: to be looked at, never to be judged.

use crate::layout::Layout;
use crate::say;
use serde_json::Value;
use std::fs;

const SHOWN: usize = 10;

pub fn slowest_builds(layout: &Layout) {
    let report = layout.target.join("cargo-timings/cargo-timing.html");
    let Ok(html) = fs::read_to_string(report) else { return };
    let mut units = units(&html);
    units.retain(|(_, seconds)| *seconds >= 1.0);
    show("slowest builds", units);
}

/// Cargo's report is a page whose script holds the data as JSON.
fn units(html: &str) -> Vec<(String, f64)> {
    let Some((_, rest)) = html.split_once("const UNIT_DATA = ") else { return Vec::new() };
    let Some(Ok(Value::Array(units))) = serde_json::Deserializer::from_str(rest).into_iter::<Value>().next()
    else {
        return Vec::new();
    };
    let unit = |unit: &Value| {
        let text = |key: &str| unit[key].as_str().unwrap_or_default();
        Some((format!("{}{}", text("name"), text("target")), unit["duration"].as_f64()?))
    };
    units.iter().filter_map(unit).collect()
}

pub fn slowest_tests(layout: &Layout) {
    let report = layout.target.join("nextest/default/junit.xml");
    let Ok(xml) = fs::read_to_string(report) else { return };
    show("slowest tests", cases(&xml));
}

fn cases(xml: &str) -> Vec<(String, f64)> {
    let attribute = |tag: &str, name: &str| {
        let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
        Some(rest.split_once('"')?.0.to_owned())
    };
    xml.split("<testcase")
        .skip(1)
        .filter_map(|rest| {
            let tag = rest.split_once('>')?.0;
            let name = format!("{} {}", attribute(tag, "classname")?, attribute(tag, "name")?);
            Some((name, attribute(tag, "time")?.parse().ok()?))
        })
        .collect()
}

fn show(title: &str, mut rows: Vec<(String, f64)>) {
    rows.sort_by(|a, b| b.1.total_cmp(&a.1));
    rows.truncate(SHOWN);
    if rows.is_empty() {
        return;
    }
    say::line(format!("{title}:"));
    for (name, seconds) in rows {
        eprintln!("    {seconds:>7.1} s  {name}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_from_cargos_page() {
        let page = r#"<script>const UNIT_DATA = [{"name":"serde","target":"","duration":2.5}];
const CONCURRENCY_DATA = [];</script>"#;
        assert_eq!(units(page), [("serde".to_owned(), 2.5)]);
    }

    #[test]
    fn durations_are_read_from_the_junit_report() {
        let xml = r#"<testsuite><testcase name="a::b" classname="gf-model" timestamp="x" time="0.5"></testcase></testsuite>"#;
        assert_eq!(cases(xml), [("gf-model a::b".to_owned(), 0.5)]);
    }
}
