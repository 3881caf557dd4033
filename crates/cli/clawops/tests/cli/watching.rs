//! What an operator asks for afterwards: the service of a month, and what one request led to.

use crate::server::Server;

#[test]
fn a_month_and_a_trace_are_told_on_the_command_line() {
    let server = Server::start_with(&["--sim-pace", "0.01", "--sim-pairs", "3"]);
    let month = server.json(&["sla"]);
    assert_eq!(month["total"], 3, "{month}");
    let said = server.good(&["sla", "--account", "acct-0001"]);
    assert!(said.contains("acct-0001") && said.contains("UNKNOWN"), "{said}");
    let refused = server.run(&["sla", "--month", "october"]);
    assert!(refused.code == 3 && refused.err.contains("2026-10"), "{}", refused.err);

    server.good(&["provision", "--count", "1", "--tier", "nano", "--yes"]);
    let operation = server.json(&["op", "list", "--limit", "1"])["items"][0].clone();
    let trace = operation["trace"].as_str().unwrap();
    let led = server.json(&["trace", trace]);
    let kinds: Vec<_> =
        led["items"].as_array().unwrap().iter().map(|item| item["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"operation") && kinds.contains(&"step") && kinds.contains(&"audit"), "{led}");
    let said = server.good(&["trace", trace]);
    assert!(said.contains("create_instance") && said.contains("provision"), "{said}");
    let rows = server.json(&["audit", "show", "--trace", trace]);
    assert!(rows["matching"].as_u64().unwrap() > 0, "{rows}");
    assert!(rows["rows"].as_array().unwrap().iter().all(|row| row["trace"] == trace), "{rows}");
    assert_eq!(server.run(&["trace", "nonsense"]).code, 3);
}
