//! `up`, `down` and what goes wrong on the way: nothing is started twice, nothing is left, every refusal says why.

use clawops_e2e::Universe;

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

    // What runs is never lost sight of by another port base.
    let elsewhere = (universe.port_base() + 5000).to_string();
    let (said, _) = universe.refused(&["--port-base", &elsewhere, "up", "--detach"]);
    assert!(said.contains(&universe.port_base().to_string()) && said.contains("clawops down"), "{said}");

    universe.json(&["down"]);
    assert_eq!(universe.json(&["down"])["stopped"].as_array().map(Vec::len), Some(0), "a second down");
    assert!(universe.processes().is_empty(), "left behind: {:?}", universe.processes());
    let (_, code) = universe.refused(&["status"]);
    assert_eq!(code, 4);
}
