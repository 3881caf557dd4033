//! `clawops up`: starts what does not run, in the order of what takes longest, until a person can talk.
//!
//! Repeating it is safe at any moment: what runs is left alone, what died is started. OpenClaw's boot is the long
//! pole, so it begins first and everything else happens meanwhile.

pub mod down;
mod instances;
mod narrator;
mod nodes;
pub mod parts;
mod ports;
pub mod process;
mod settings;
mod start;
pub mod status;

use crate::args::UpArgs;
use crate::chat;
use crate::home::Home;
use crate::output;
use crate::problem::{Problem, Result};
use narrator::Narrator;
use parts::Places;
use serde_json::json;
use settings::Settings;
use std::fs::{File, TryLockError};
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;

pub async fn up(home: &Home, args: &UpArgs, as_json: bool) -> Result<()> {
    let narrator = Narrator::new(as_json);
    // What can be refused by looking is refused before anything is made.
    let places = Places::find(home)?;
    let settings = Settings::read(home)?;
    settings.check()?;
    home.create()?;
    let lock = only_one_at_a_time(home)?;
    keep_the_ports_of_what_runs(home)?;
    places.remember(home)?;
    let was_down = !anything_runs(home);
    let started = match start::everything(home, &places, &settings, args, &narrator).await {
        Ok(started) => started,
        Err(problem) => {
            if was_down && anything_runs(home) {
                leave_or_stop(home, &narrator).await;
            }
            return Err(problem);
        }
    };
    drop(lock);
    let seconds = narrator.elapsed().as_secs_f64();
    let page = format!("http://{}/", home.control_plane());
    if as_json {
        output::json(&json!({
            "home": home.dir, "started": started, "page": page, "seconds": seconds,
            "controlPlane": home.control_plane().to_string(), "opsGateway": home.ops_gateway().to_string(),
        }));
    } else if started.is_empty() {
        narrator.say(format!("everything was running already; state is in {}", home.dir.display()));
    } else {
        narrator.say(format!("you can talk; state is in {}, the fleet page is {page}", home.dir.display()));
    }
    if args.detach || as_json || !std::io::stdin().is_terminal() || !output::on_terminal() {
        return Ok(());
    }
    chat::chat(home, "", false).await
}

fn only_one_at_a_time(home: &Home) -> Result<File> {
    let path = home.dir.join("run/up.lock");
    let file = File::create(&path).map_err(|e| Problem::file(&path, e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Problem::Bad {
            what: "the state directory",
            value: home.dir.display().to_string(),
            fix: "another `clawops up` or `clawops down` works on it; wait for its end".into(),
        }),
        Err(TryLockError::Error(e)) => Err(Problem::file(&path, e)),
    }
}

fn anything_runs(home: &Home) -> bool {
    status::names().into_iter().any(|name| process::alive(home, name).is_some())
}

/// After a start that failed half-way: gateways with users are served on, an empty machine is left as it was found.
async fn leave_or_stop(home: &Home, narrator: &Narrator) {
    if instances::any(home) {
        narrator.say("the fleet's gateways run on; `clawops down` stops them, `clawops up` tries again");
    } else {
        down::everything(home, true).await;
        narrator.say("what had started was stopped again");
    }
}

/// What runs listens where it was started; another port base would only lose sight of it.
fn keep_the_ports_of_what_runs(home: &Home) -> Result<()> {
    let Some(before) = home.port_base_of_last_up()?.filter(|before| *before != home.port_base) else {
        return Ok(());
    };
    match status::names().into_iter().find(|name| process::alive(home, name).is_some()) {
        None => Ok(()),
        Some(name) => Err(Problem::Bad {
            what: "the port base",
            value: home.port_base.to_string(),
            fix: format!("{name} runs with {before} here; first `clawops down`, or leave --port-base away"),
        }),
    }
}

/// Becomes claw-brain, for programs of other people.
pub fn brain_alone(home: &Home, listen: SocketAddr) -> Result<()> {
    home.create()?;
    let program = parts::beside_us("claw-brain")?;
    let key = parts::brain_key(home)?;
    eprintln!("claw-brain: http://{listen}/v1, model operator, bearer key in {}", key.display());
    let mut brain = std::process::Command::new(&program);
    let error = brain.arg("--listen").arg(listen.to_string()).arg("--key-file").arg(key).exec();
    Err(Problem::Start { process: "claw-brain".into(), problem: format!("cannot be started: {error}") })
}
