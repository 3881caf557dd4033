//! `cargo xtask fuzz` and `cargo xtask fuzz-api`: what takes too long for the tests, in a bounded time.
//!
//! What they need beyond a Rust compiler is installed into the cache directory, never into the system.

use crate::layout::Layout;
use crate::{Outcome, build, run, say};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The laws of `gf-fuzz`, each with a target of the same name in `fuzz/`.
const TARGETS: [&str; 4] = ["frame", "patch", "call", "said"];
/// The version that the findings were mended with.
const SCHEMATHESIS: &str = "schemathesis==4.32.5";

pub fn bytes(layout: &Layout, args: &[String]) -> Outcome<()> {
    let seconds = number(args, 60)?;
    let tools = layout.cache.join("fuzz");
    if !tools.join("bin/cargo-fuzz").exists() {
        say::line("installing cargo-fuzz");
        let mut install = build::cargo(layout);
        run::loud(install.args(["install", "cargo-fuzz", "--locked", "--root"]).arg(&tools))?;
    }
    for target in TARGETS {
        say::line(format!("{target}: any bytes for {seconds} s"));
        let mut fuzz = Command::new(tools.join("bin/cargo-fuzz"));
        fuzz.args(["fuzz", "run", target, "--target-dir"]).arg(layout.target.join("fuzz"));
        fuzz.args(["--", &format!("-max_total_time={seconds}"), "-max_len=4096", "-timeout=10"]);
        run::loud(fuzz.current_dir(&layout.repo).env("RUSTUP_TOOLCHAIN", "nightly"))?;
    }
    Ok(())
}

/// A control plane of its own, in a directory of its own, gone when this is.
struct Plane(Child);

impl Drop for Plane {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn api(layout: &Layout, args: &[String]) -> Outcome<()> {
    let examples = number(args, 50)?;
    let venv = layout.cache.join("schemathesis");
    if !venv.join("bin/st").exists() {
        say::line(format!("installing {SCHEMATHESIS}"));
        run::loud(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
        run::loud(Command::new(venv.join("bin/pip")).args(["install", "--quiet", SCHEMATHESIS]))?;
    }
    let mut building = build::cargo(layout);
    run::loud(building.args(["build", "--locked", "--quiet", "--bin", "gatewayforge"]))?;
    let home = layout.cache.join("fuzz-api");
    if home.exists() {
        std::fs::remove_dir_all(&home).map_err(|e| format!("{}: {e}", home.display()))?;
    }
    let (_plane, url) = start(&layout.binary("debug", "gatewayforge"), &home)?;
    let key = home.join("keys/operator.key");
    let key = std::fs::read_to_string(&key).map_err(|e| format!("{}: {e}", key.display()))?;
    say::line(format!("{examples} examples of each route of {url}"));
    let mut fuzz = Command::new(venv.join("bin/st"));
    fuzz.arg("run").arg(format!("{url}/v1/openapi.json")).arg("--url").arg(&url);
    fuzz.args(["--max-examples", &examples.to_string(), "--seed", "1", "--request-timeout", "35"]);
    // Streams have no end, and the fuzzer's own key is withdrawn by who withdraws everybody's.
    fuzz.args(["--exclude-path-regex", "events$|/people/\\{id\\}/keys"]);
    fuzz.args(["--checks", "not_a_server_error,status_code_conformance,content_type_conformance"]);
    fuzz.args(["--phases", "examples,coverage,fuzzing", "--mode", "all"]);
    // A file that only this user reads: a key is in no list of processes.
    let hooks = home.join("schemathesis.toml");
    let settings = format!("[headers]\nAuthorization = \"Bearer {}\"\n", key.trim());
    std::fs::write(&hooks, settings).map_err(|e| format!("{}: {e}", hooks.display()))?;
    run::loud(fuzz.current_dir(&home))
}

fn start(program: &Path, home: &Path) -> Outcome<(Plane, String)> {
    let mut command = Command::new(program);
    command.arg("--home").arg(home).args([
        "--listen",
        "127.0.0.1:0",
        "--sim-pairs",
        "5",
        "--sim-pace",
        "0.01",
    ]);
    command.args(["--person-requests", "4000000"]);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|e| format!("{}: {e}", program.display()))?;
    let out = child.stdout.take().ok_or("gatewayforge has no output")?;
    let plane = Plane(child);
    let mut line = String::new();
    BufReader::new(out).read_line(&mut line).map_err(|e| format!("gatewayforge did not start: {e}"))?;
    let url = line.split('"').find(|part| part.starts_with("http://"));
    let url = url.ok_or_else(|| format!("gatewayforge did not start: {line}"))?.to_owned();
    Ok((plane, url))
}

fn number(args: &[String], usual: u32) -> Outcome<u32> {
    match args {
        [] => Ok(usual),
        [number] => number.parse().map_err(|_| format!("{number:?} is no number")),
        [_, more, ..] => Err(format!("{more:?} is too much: give one number, or none")),
    }
}
