//! What Prometheus is told, and that what is drawn of it and paged on it is there.

use crate::support::{Door, fleet};
use std::{collections::BTreeSet, fs, path::PathBuf};

async fn scraped(door: &Door) -> String {
    // A request was seen by the time of the second one.
    for _ in 0..2 {
        let answer = door.http.get(door.url("/metrics")).bearer_auth("viewer-key").send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let media = answer.headers()["content-type"].to_str().unwrap().to_owned();
        assert!(media.starts_with("application/openmetrics-text"), "{media}");
        let text = answer.text().await.unwrap();
        if text.contains("clawops_http_requests_total{") {
            return text;
        }
    }
    panic!("requests are not counted");
}

fn value(text: &str, series: &str) -> f64 {
    let line = text.lines().find(|line| line.strip_prefix(series).is_some_and(|rest| rest.starts_with(' ')));
    line.unwrap_or_else(|| panic!("there is no {series} in:\n{text}"))
        .rsplit(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap()
}

#[tokio::test]
async fn the_fleet_is_told_in_numbers_and_only_to_who_has_a_key() {
    let door = Door::open(fleet::of(3)).await;
    assert_eq!(door.http.get(door.url("/metrics")).send().await.unwrap().status(), 401);
    let text = scraped(&door).await;
    let status = door.ask("viewer-key", "GET", "/v1/fleet/status", None).await.1;
    assert_eq!(value(&text, "clawops_pairs_unprotected"), status["unprotected"].as_f64().unwrap());
    assert_eq!(value(&text, "clawops_leads"), 1.0);
    assert_eq!(value(&text, "clawops_automation_frozen"), 0.0);
    assert!(value(&text, "clawops_process_resident_bytes") > 1e6);
    let protected: f64 =
        status["pairsByCondition"].as_object().unwrap().values().filter_map(|n| n.as_f64()).sum();
    let told: f64 = text
        .lines()
        .filter(|line| line.starts_with("clawops_pairs{"))
        .map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
        .sum();
    assert_eq!(told, protected, "{text}");
    assert!(text.ends_with("# EOF\n"));

    let reason = serde_json::json!({"reason": "a drill"});
    assert_eq!(door.ask("operator-key", "POST", "/v1/automation/freeze", Some(reason)).await.0, 200);
    let text = scraped(&door).await;
    assert_eq!(value(&text, "clawops_automation_frozen"), 1.0);
    let routes = r#"clawops_http_requests_total{method="POST",route="/v1/automation/freeze",outcome="2xx"}"#;
    assert_eq!(value(&text, routes), 1.0);
}

#[tokio::test]
async fn no_label_grows_with_the_fleet_or_with_what_strangers_ask_for() {
    let small = Door::open(fleet::of(1)).await;
    let large = Door::open(fleet::of(40)).await;
    for n in 0..20 {
        large.http.get(large.url(&format!("/nothing/{n}"))).send().await.unwrap();
    }
    let text = scraped(&large).await;
    for name in ["acct-", "i-0", "node-", "person-", "/nothing"] {
        assert!(!text.contains(name), "{name} is in a label");
    }
    let series = |text: &str| text.lines().filter(|line| !line.starts_with('#')).count();
    let (few, many) = (series(&scraped(&small).await), series(&text));
    assert!(many < few + 40, "{few} series of one pair, {many} of forty");
}

/// Every metric that a text names.
fn named(text: &str) -> BTreeSet<String> {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices("clawops_")
        .map(|(at, _)| text[at..].chars().take_while(|c| part(*c)).collect())
        .collect()
}

fn operations_file(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../ops").join(name);
    fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

#[tokio::test]
async fn every_metric_of_the_dashboards_and_the_alert_rules_is_told() {
    let door = Door::open(fleet::of(2)).await;
    let text = scraped(&door).await;
    let told: BTreeSet<&str> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split([' ', '{']).next())
        .collect();
    let (rules, board) =
        (operations_file("prometheus/clawops.rules.yml"), operations_file("grafana/clawops.json"));
    for (file, text) in [("the rules", &rules), ("the dashboard", &board)] {
        let names = named(text);
        assert!(names.len() > 5, "{file} names {names:?}");
        for name in names {
            assert!(told.contains(name.as_str()), "{file} names {name}, which is not told");
        }
    }
    let board: serde_json::Value = serde_json::from_str(&board).unwrap();
    for panel in board["panels"].as_array().unwrap() {
        assert!(panel["targets"][0]["expr"].is_string() && panel["title"].is_string(), "{panel}");
    }
    let count = |word: &str| rules.lines().filter(|line| line.trim_start().starts_with(word)).count();
    let alerts = count("- alert:");
    assert!(alerts >= 8, "{alerts}");
    for word in ["expr:", "for:", "severity:", "summary:", "runbook:"] {
        assert_eq!(count(word), alerts, "each alert says its {word}");
    }
}
