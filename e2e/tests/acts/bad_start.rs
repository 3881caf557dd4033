//! Starts that cannot work: each is refused by the real programs with what, where and what to do, changes nothing, and
//! leaves no process behind. None of them needs a real OpenClaw.

use clawops_e2e::Universe;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Output;

/// A runtime with the pinned Node and an OpenClaw of our own making.
fn runtime_with(universe: &Universe, version: &str, program: &str) -> PathBuf {
    let dir = universe.scratch().join("runtime");
    let openclaw = dir.join("openclaw/node_modules/openclaw");
    fs::create_dir_all(&openclaw).unwrap();
    symlink(universe.runtime().join("node"), dir.join("node")).unwrap();
    fs::write(openclaw.join("package.json"), format!(r#"{{"name":"openclaw","version":"{version}"}}"#))
        .unwrap();
    fs::write(openclaw.join("openclaw.mjs"), program).unwrap();
    dir
}

fn up(universe: &Universe, runtime: &Path) -> Output {
    universe.command().env("CLAWOPS_RUNTIME", runtime).args(["up", "--detach"]).output().unwrap()
}

/// Refused with all of these words, and nothing runs.
fn assert_refused(universe: &Universe, output: &Output, code: i32, words: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    for word in words {
        assert!(said.contains(word), "{word:?} is not said: {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
    assert!(universe.processes().is_empty(), "left behind: {:?}", universe.processes());
}

fn held(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn without_openclaw_not_even_the_home_is_made() {
    let universe = Universe::empty();
    assert_refused(
        &universe,
        &up(&universe, Path::new("/nowhere")),
        1,
        &["OpenClaw", "/nowhere", "cargo xtask up"],
    );
    assert!(!universe.home().exists());
}

#[test]
fn another_release_of_openclaw_is_refused_with_both_versions() {
    let universe = Universe::empty();
    let runtime = runtime_with(&universe, "2026.8.1", "process.exit(0)");
    assert_refused(&universe, &up(&universe, &runtime), 1, &["2026.8.1", "2026.9.6"]);
    assert!(!universe.home().exists());
}

#[test]
fn an_openclaw_that_exits_at_once_is_told_with_its_last_words_and_all_else_is_stopped_again() {
    let universe = Universe::empty();
    let runtime =
        runtime_with(&universe, "2026.9.6", "console.error('the disk is on fire'); process.exit(1)");
    assert_refused(&universe, &up(&universe, &runtime), 1, &["OpenClaw ended", "the disk is on fire"]);
    assert_eq!(universe.refused(&["status"]).1, 4);
}

#[test]
fn each_port_that_is_taken_is_named_with_who_has_it() {
    let universe = Universe::empty();
    for offset in [10, 11, 20] {
        let port = universe.port_base() + offset;
        let _taken = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let output = universe.run(&["up", "--detach"]);
        assert_refused(&universe, &output, 1, &[&port.to_string(), "pid", "--port-base"]);
        assert!(!universe.home().join("port-base").exists(), "ports that do not work are not kept");
    }
}

#[test]
fn a_home_that_cannot_be_made_is_named_with_what_to_do() {
    let universe = Universe::empty();
    let file = universe.scratch().join("file");
    fs::write(&file, "a file, not a directory").unwrap();
    for home in [Path::new("/proc/none"), &file, &file.join("below")] {
        let output = universe.command().env("CLAWOPS_HOME", home).args(["up", "--detach"]).output().unwrap();
        assert_refused(&universe, &output, 1, &[&home.display().to_string()]);
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "a file, not a directory");
}

#[test]
fn a_directory_of_somebody_elses_files_is_left_alone() {
    let universe = Universe::empty();
    fs::create_dir_all(universe.home()).unwrap();
    fs::write(universe.home().join("thesis.tex"), "mine").unwrap();
    assert_refused(&universe, &universe.run(&["up", "--detach"]), 1, &["not ClawOps' own", "--home"]);
    assert_eq!(held(universe.home()), ["thesis.tex"]);
}

#[test]
fn settings_that_cannot_be_meant_are_refused_by_name_before_anything_is_made() {
    for (text, words) in [
        ("{\"model\":", &["settings.json", "EOF"][..]),
        ("{\"modell\": \"x/y\"}", &["settings.json", "modell"]),
        ("{\"snapshotSeconds\": 1}", &["snapshotSeconds", "10", "86400"]),
        ("{\"model\": \"no slash\"}", &["no slash"]),
    ] {
        let universe = Universe::empty();
        fs::create_dir_all(universe.home()).unwrap();
        fs::write(universe.home().join("settings.json"), text).unwrap();
        assert_refused(&universe, &universe.run(&["up", "--detach"]), 1, words);
        assert_eq!(held(universe.home()), ["settings.json"], "{text}");
    }
}

#[test]
fn down_where_nothing_runs_says_so_and_is_no_failure() {
    let universe = Universe::empty();
    for _ in 0..2 {
        let output = universe.run(&["down"]);
        assert!(output.status.success());
        assert!(String::from_utf8_lossy(&output.stdout).contains("Nothing was ever started"));
    }
    assert!(!universe.home().exists());
}

#[test]
fn a_wrong_command_line_ends_with_2_and_a_verb_without_a_control_plane_with_4() {
    let universe = Universe::empty();
    for wrong in [
        &["provision"][..],
        &["nonsense"],
        &["--port-base", "80", "pairs"],
        &["push", "--file", "x", "--patch", "{}"],
    ] {
        assert_eq!(universe.refused(wrong).1, 2, "{wrong:?}");
    }
    let verbs = [
        "fleet status",
        "pairs",
        "instances",
        "op list",
        "op watch op-91c2",
        "approvals list",
        "audit verify",
        "people list",
        "teardown acct-0001",
        "rollback",
        "page",
        "chat hello",
        "status",
    ];
    for verb in verbs {
        let (said, code) = universe.refused(&verb.split(' ').collect::<Vec<_>>());
        assert_eq!(code, 4, "{verb}: {said}");
        assert!(said.contains("clawops up"), "{verb}: {said}");
    }
    let output = universe.run(&["pairs", "--json"]);
    let told: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(told["error"]["code"], "not_running");
    assert_eq!(told["exitCode"], 4);
}
