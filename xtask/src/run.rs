//! Runs other programs and says what failed, with the end of what they wrote.

use crate::{Outcome, say};
use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

const STILL_RUNNING_EVERY: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(50);
const TAIL_LINES: usize = 25;

fn name(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

fn cannot_start(command: &Command, error: &std::io::Error) -> String {
    let name = name(command);
    match (error.kind(), name.as_str()) {
        (ErrorKind::NotFound, "npm") => {
            "npm is not installed; install Node.js with npm (any version: ClawOps brings its own Node)".into()
        }
        (ErrorKind::NotFound, _) => format!("{name} is not installed"),
        _ => format!("cannot start {name}: {error}"),
    }
}

pub fn status(command: &mut Command) -> Outcome<ExitStatus> {
    command.status().map_err(|e| cannot_start(command, &e))
}

/// In the foreground; its output is the user's.
pub fn loud(command: &mut Command) -> Outcome<()> {
    let status = status(command)?;
    if status.success() { Ok(()) } else { Err(format!("{} {}", shown(command), ended(status))) }
}

/// In silence; the output is returned.
pub fn output(command: &mut Command) -> Outcome<String> {
    let output = command.stdin(Stdio::null()).output().map_err(|e| cannot_start(command, &e))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("{} {}\n{}", shown(command), ended(output.status), tail(&said)))
    }
}

/// Into a log file, with a sign of life now and then: for long work beside other work.
pub fn logged(what: &str, log: &Path, command: &mut Command) -> Outcome<()> {
    let open = || File::create(log).map_err(|e| format!("cannot write {}: {e}", log.display()));
    let file = open()?;
    let both = file.try_clone().map_err(|e| e.to_string())?;
    let began = Instant::now();
    say::line(format!("{what} …"));
    let mut child = command
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(both)
        .spawn()
        .map_err(|e| cannot_start(command, &e))?;
    let mut said = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().map_err(|e| e.to_string())? {
            break status;
        }
        if said.elapsed() > STILL_RUNNING_EVERY {
            said = Instant::now();
            say::line(format!("{what}: {:.0} s so far", began.elapsed().as_secs_f64()));
        }
        std::thread::sleep(LOOK_EVERY);
    };
    if status.success() {
        say::line(format!("{what}: done in {:.1} s", began.elapsed().as_secs_f64()));
        return Ok(());
    }
    let said = std::fs::read_to_string(log).unwrap_or_default();
    Err(format!(
        "{what}: {} {} (whole log: {})\n{}",
        shown(command),
        ended(status),
        log.display(),
        tail(&said)
    ))
}

fn shown(command: &Command) -> String {
    let args: Vec<_> = command.get_args().map(|arg| arg.to_string_lossy()).collect();
    format!("`{} {}`", name(command), args.join(" "))
}

fn ended(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("ended with exit code {code}"),
        None => "was ended by a signal".into(),
    }
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}
