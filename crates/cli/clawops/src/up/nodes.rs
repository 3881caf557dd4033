//! The two nodes of this machine: enrolled once with a single-use token, then known by their own keys.

use super::narrator::Narrator;
use super::parts::{self, LocalNode, NODES, Places};
use super::process;
use crate::api::Api;
use crate::home::Home;
use crate::problem::{Problem, Result};
use serde_json::{Value, json};
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

const CONNECT_WITHIN: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(100);
const LOG_LINES: usize = 15;

/// Starts those that do not run and waits until the control plane sees both.
pub async fn start(home: &Home, places: &Places, narrator: &Narrator) -> Result<Vec<String>> {
    let api = Api::open(home)?;
    let mut started = Vec::new();
    for node in &NODES {
        if process::alive(home, node.id).is_some() {
            continue;
        }
        enrol(home, &api, node).await?;
        process::start(home, &parts::node(home, places, node)?)?;
        started.push(node.id.to_owned());
    }
    if api.get("/v1/adoption").await.is_ok_and(|adoption| adoption["open"] == true) {
        // Their control plane does not know them until then.
        narrator
            .say("what is there is not known to the store: look at it and take it in with `clawops adopt`");
        return Ok(started);
    }
    await_connection(home, &api).await?;
    for name in &started {
        narrator.say(format!("{name}: connected"));
    }
    Ok(started)
}

async fn await_connection(home: &Home, api: &Api) -> Result<()> {
    let began = Instant::now();
    loop {
        let connected = connected(api).await?;
        let Some(missing) = NODES.iter().map(|node| node.id).find(|id| !connected.iter().any(|c| c == id))
        else {
            return Ok(());
        };
        if process::alive(home, missing).is_none() || began.elapsed() > CONNECT_WITHIN {
            let log = home.log(missing);
            let end = process::log_tail(&log, LOG_LINES);
            let problem = format!("did not connect; the end of {}:\n{end}", log.display());
            return Err(Problem::Start { process: missing.to_owned(), problem });
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// It knows the control plane that took it in.
fn is_enrolled(dir: &Path) -> bool {
    let identity: Option<Value> =
        fs::read(dir.join("node.json")).ok().and_then(|text| serde_json::from_slice(&text).ok());
    identity.is_some_and(|identity| identity["controlKey"].is_string())
}

/// Of a fleet with thousands of nodes, too: page by page.
async fn connected(api: &Api) -> Result<Vec<String>> {
    let mut connected = Vec::new();
    let mut path = "/v1/nodes?limit=1000".to_owned();
    loop {
        let page = api.get(&path).await?;
        let nodes = page["items"].as_array().into_iter().flatten().filter(|node| node["connected"] == true);
        connected.extend(nodes.filter_map(|node| node["id"].as_str().map(str::to_owned)));
        match page["next"].as_str() {
            Some(next) => path = format!("/v1/nodes?limit=1000&after={next}"),
            None => return Ok(connected),
        }
    }
}

/// A node that has no key of its own yet gets a token, in a file that only it and we can read.
async fn enrol(home: &Home, api: &Api, node: &LocalNode) -> Result<()> {
    let dir = home.host(node.id);
    if is_enrolled(&dir) {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(&dir).map_err(|e| Problem::file(&dir, e))?;
    let asked = json!({ "id": node.id, "provider": node.provider, "region": "here" });
    let answer: Value = api.post("/v1/nodes", asked).await?;
    let token = answer["token"].as_str().ok_or_else(|| Problem::Unexpected {
        path: "/v1/nodes".into(),
        problem: "it holds no token".into(),
    })?;
    let path = parts::enrolment_token(home, node);
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
    file.and_then(|mut file| file.write_all(token.as_bytes())).map_err(|e| Problem::file(&path, e))
}
