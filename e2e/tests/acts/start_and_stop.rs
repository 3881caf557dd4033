//! `up`, `down` and what goes wrong on the way: nothing is started twice, nothing is left, every refusal says why.

use clawops_e2e::Universe;
use std::net::TcpListener;

#[test]
fn a_second_up_finds_the_first_and_a_killed_part_is_started_again() {
    let universe = Universe::up();
    let again = universe.start(&[]);
    assert_eq!(again["started"].as_array().map(Vec::len), Some(0), "{again}");

    universe.kill("claw-brain");
    universe.kill("gatewayforge");
    let mut started: Vec<_> = universe.start(&[])["started"].as_array().cloned().unwrap_or_default();
    started.sort_by_key(ToString::to_string);
    assert_eq!(started, ["claw-brain", "gatewayforge"], "only what was missing");

    universe.json(&["down"]);
    assert!(universe.processes().is_empty(), "left behind: {:?}", universe.processes());
    let (_, code) = universe.refused(&["status"]);
    assert_eq!(code, 4);
}

#[test]
fn a_taken_port_is_refused_with_the_name_of_who_has_it_and_nothing_is_started() {
    let universe = Universe::empty();
    let _taken = TcpListener::bind(universe.control_plane()).unwrap();
    let (said, code) = universe.refused(&["up", "--detach"]);
    assert!(said.contains(&(universe.port_base() + 10).to_string()) && said.contains("pid"), "{said}");
    assert_eq!(code, 1);
    assert!(universe.processes().is_empty());
}

#[test]
fn without_openclaw_or_with_a_bad_home_nothing_is_started_and_it_is_said_why() {
    let universe = Universe::empty();
    let output =
        universe.command().env("CLAWOPS_RUNTIME", "/nowhere").args(["up", "--detach"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("/nowhere"), "{said}");

    let output =
        universe.command().env("CLAWOPS_HOME", "/proc/none").args(["up", "--detach"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("/proc/none"), "{said}");
    assert!(universe.processes().is_empty());
}
