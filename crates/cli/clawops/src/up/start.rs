//! Starting: everything that can happen at once happens at once.

use super::narrator::Narrator;
use super::parts::{self, Places};
use super::process::{self, Spec};
use super::settings::Settings;
use super::{nodes, ports};
use crate::args::UpArgs;
use crate::home::Home;
use crate::http::{self, Ask};
use crate::problem::{Problem, Result};
use hyper::{Method, StatusCode};
use ops_gateway::{Brain, OpsGateway, Phase};
use std::net::SocketAddr;
use std::process::Child;
use std::time::{Duration, Instant};

const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// OpenClaw took 98 s on a heavily loaded machine; more means that it hangs.
const OPENCLAW_WITHIN: Duration = Duration::from_secs(240);
const LOOK_EVERY: Duration = Duration::from_millis(20);
const LOG_LINES: usize = 15;

/// Returns the names of what had to be started.
pub async fn everything(
    home: &Home,
    places: &Places,
    settings: &Settings,
    args: &UpArgs,
    narrator: &Narrator,
) -> Result<Vec<String>> {
    let ops = prepare_ops_gateway(home, places, settings)?;
    // Everything that could refuse refuses before anything is started.
    let control_plane = parts::control_plane(home, places, settings, args)?;
    let brain = parts::brain(home, places)?;
    for spec in [&control_plane, &brain] {
        if let (None, Some(addr)) = (process::alive(home, &spec.name), spec.endpoint) {
            ports::must_be_free(addr, &spec.name)?;
        }
    }
    let ops_was_running = ops.running().is_some();
    if !ops_was_running {
        ports::must_be_free(home.ops_gateway(), "the ops gateway")?;
    }
    home.remember_ports()?;
    if !ops_was_running {
        narrator.say("ops gateway: starting OpenClaw");
        ops.start().await?;
    }
    // The first that fails is told at once; what was started runs on, and the next `up` finds it.
    let ((), brain_started, (control_plane_started, nodes_started)) = tokio::try_join!(
        wait_for_ops_gateway(&ops, ops_was_running, narrator),
        start_and_wait(home, &brain, narrator),
        async {
            let control_plane_started = start_and_wait(home, &control_plane, narrator).await?;
            let nodes = nodes::start(home, places, narrator).await?;
            Ok::<_, Problem>((control_plane_started, nodes))
        },
    )?;
    verify(&ops, narrator).await?;

    let mut started = nodes_started;
    let ours = [
        (control_plane_started, parts::CONTROL_PLANE),
        (brain_started, parts::BRAIN),
        (!ops_was_running, parts::OPS_GATEWAY),
    ];
    started.extend(ours.into_iter().filter(|(new, _)| *new).map(|(_, name)| name.to_owned()));
    Ok(started)
}

fn prepare_ops_gateway(home: &Home, places: &Places, settings: &Settings) -> Result<OpsGateway> {
    Ok(OpsGateway::prepare(&ops_gateway::Settings {
        home: home.dir.clone(),
        runtime: places.runtime.clone(),
        team: places.team(),
        plugin: places.plugin(),
        port: home.ops_gateway().port(),
        control_plane_port: home.control_plane().port(),
        brain: Brain { port: home.brain().port() },
        extra_model: settings.model()?,
        channels: settings.channels(),
    })?)
}

async fn wait_for_ops_gateway(ops: &OpsGateway, was_running: bool, narrator: &Narrator) -> Result<()> {
    let tell = |phase| match phase {
        Phase::Loading => {}
        Phase::Listening if was_running => {}
        Phase::Listening => narrator.say("ops gateway: answers"),
        Phase::Ready if was_running => {}
        Phase::Ready => narrator.say("ops gateway: ready"),
    };
    Ok(ops.wait_ready(OPENCLAW_WITHIN, tell).await?)
}

/// Nobody talks through a gateway in which an agent has a tool too many.
async fn verify(ops: &OpsGateway, narrator: &Narrator) -> Result<()> {
    let client = ops.verify().await?;
    let agents = ops.team().agents.len();
    narrator.say(format!(
        "ops gateway: OpenClaw {}, {agents} agents, their tools checked",
        client.hello().version
    ));
    Ok(())
}

/// True when it had to be started.
async fn start_and_wait(home: &Home, spec: &Spec, narrator: &Narrator) -> Result<bool> {
    if process::alive(home, &spec.name).is_some() {
        if let Some(addr) = spec.endpoint {
            answers(home, &spec.name, addr, None).await?;
        }
        return Ok(false);
    }
    let mut child = process::start(home, spec)?;
    if let Some(addr) = spec.endpoint {
        answers(home, &spec.name, addr, Some(&mut child)).await?;
    }
    narrator.say(format!("{}: up", spec.name));
    Ok(true)
}

/// A real request, not a look at the process table.
async fn answers(home: &Home, name: &str, addr: SocketAddr, mut child: Option<&mut Child>) -> Result<()> {
    let began = Instant::now();
    let failed = |problem: String| Problem::Start {
        process: name.to_owned(),
        problem: format!(
            "{problem}; the end of {}:\n{}",
            home.log(name).display(),
            process::log_tail(&home.log(name), LOG_LINES)
        ),
    };
    loop {
        let ask =
            Ask { method: Method::GET, path: "/healthz", bearer: None, idempotency_key: None, body: None };
        if let Ok((StatusCode::OK, _)) = http::exchange(addr, ask).await {
            return Ok(());
        }
        if let Some(Ok(Some(status))) = child.as_mut().map(|child| child.try_wait()) {
            process::forget(home, name);
            return Err(failed(format!("ended at once ({status})")));
        }
        if began.elapsed() > ANSWER_WITHIN {
            return Err(failed(format!("does not answer at {addr} after {} s", ANSWER_WITHIN.as_secs())));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
