//! What ClawOps consists of: where each program is and how it is called.
//!
//! Keys go by file, never by argument or environment.

use super::process::Spec;
use super::settings::Settings;
use crate::args::UpArgs;
use crate::home::Home;
use crate::problem::{Problem, Result};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

pub const CONTROL_PLANE: &str = "gatewayforge";
pub const BRAIN: &str = "claw-brain";
pub const OPS_GATEWAY: &str = "ops-gateway";

/// A node of this machine: its name, and the failure domain that it stands for.
pub struct LocalNode {
    pub id: &'static str,
    pub provider: &'static str,
}

/// Two, so that a pair has two places.
pub const NODES: [LocalNode; 2] = [
    LocalNode { id: "node-local-a", provider: "local-a" },
    LocalNode { id: "node-local-b", provider: "local-b" },
];

/// Directories that do not belong to the state: kept in the home, so that a later `up` finds them again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Places {
    /// Holds `team/` and `plugin/`.
    pub share: PathBuf,
    /// Holds `node/` and `openclaw/`.
    pub runtime: PathBuf,
}

impl Places {
    /// What the environment says, else what an earlier `up` was told, else the usual places.
    pub fn find(home: &Home) -> Result<Self> {
        let remembered: Option<Self> =
            fs::read(Self::file(home)).ok().and_then(|text| serde_json::from_slice(&text).ok());
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let share = set("CLAWOPS_SHARE").or(remembered.as_ref().map(|places| places.share.clone()));
        let runtime = set("CLAWOPS_RUNTIME").or(remembered.map(|places| places.runtime));
        let places = Self {
            share: share.map_or_else(usual_share, Ok)?,
            runtime: runtime.map_or_else(usual_runtime, Ok)?,
        };
        places.check()?;
        Ok(places)
    }

    /// For the next `up`, which may be called without an environment.
    pub fn remember(&self, home: &Home) -> Result<()> {
        let path = Self::file(home);
        let text = serde_json::to_vec_pretty(self).unwrap_or_default();
        fs::write(&path, text).map_err(|e| Problem::file(&path, e))
    }

    fn file(home: &Home) -> PathBuf {
        home.dir.join("places.json")
    }

    fn check(&self) -> Result<()> {
        let missing = |what, path: &Path| Problem::Bad {
            what,
            value: path.display().to_string(),
            fix: "there is no such directory; start with `cargo xtask up`, which installs it".into(),
        };
        if !self.runtime.join("openclaw").is_dir() {
            return Err(missing("OpenClaw in CLAWOPS_RUNTIME", &self.runtime));
        }
        if !self.team().is_dir() {
            return Err(missing("the team in CLAWOPS_SHARE", &self.team()));
        }
        // Node and OpenClaw are there, and it is the release that everything was built for.
        ops_gateway::Runtime::at(&self.runtime)?;
        Ok(())
    }

    pub fn team(&self) -> PathBuf {
        self.share.join("team")
    }
    pub fn plugin(&self) -> PathBuf {
        self.share.join("plugin/openclaw-clawops")
    }

    /// The pinned Node and OpenClaw before everything else.
    fn path(&self) -> OsString {
        let bins = ["node", "openclaw"].map(|name| self.runtime.join(name).join("node_modules/.bin"));
        let rest = std::env::var_os("PATH").unwrap_or_default();
        std::env::join_paths(bins.into_iter().chain(std::env::split_paths(&rest))).unwrap_or(rest)
    }
}

fn usual_share() -> Result<PathBuf> {
    let beside = std::env::current_exe().ok().and_then(|exe| {
        let share = exe.parent()?.parent()?.join("share/clawops");
        share.is_dir().then_some(share)
    });
    beside.ok_or_else(|| Problem::Bad {
        what: "CLAWOPS_SHARE",
        value: "not set".into(),
        fix: "start with `cargo xtask up`, or set it to the directory that holds team/ and plugin/".into(),
    })
}

fn usual_runtime() -> Result<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    cache.map(|cache| cache.join("clawops/runtime/current")).ok_or_else(|| Problem::Bad {
        what: "CLAWOPS_RUNTIME",
        value: "not set".into(),
        fix: "set it to the directory that holds node/ and openclaw/".into(),
    })
}

/// A program that is installed in the same directory as this one.
pub fn beside_us(name: &str) -> Result<PathBuf> {
    let found = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join(name)));
    found.filter(|path| path.is_file()).ok_or_else(|| Problem::Start {
        process: name.into(),
        problem: "is not installed beside clawops; build it with `cargo xtask up`".into(),
    })
}

fn environment(home: &Home, places: &Places) -> Vec<(String, OsString)> {
    vec![
        ("CLAWOPS_HOME".into(), home.dir.clone().into()),
        ("CLAWOPS_PORT_BASE".into(), home.port_base.to_string().into()),
        ("CLAWOPS_RUNTIME".into(), places.runtime.clone().into()),
        ("PATH".into(), places.path()),
    ]
}

/// Read by the node while it is not enrolled, and only then.
pub fn enrolment_token(home: &Home, node: &LocalNode) -> PathBuf {
    home.host(node.id).join("enrol.token")
}

pub fn control_plane(home: &Home, places: &Places, settings: &Settings, args: &UpArgs) -> Result<Spec> {
    let mut env = environment(home, places);
    if let Some(url) = &settings.companion_url {
        env.push(("CLAWOPS_COMPANION_URL".into(), url.into()));
    }
    if let Some(seconds) = settings.snapshot_seconds {
        env.push(("CLAWOPS_SNAPSHOT_SECONDS".into(), seconds.to_string().into()));
    }
    // Its address may hold a token, so that it never is an argument.
    if let Some(url) = &settings.heartbeat_url {
        env.push(("CLAWOPS_HEARTBEAT_URL".into(), url.into()));
    }
    if let Some(seconds) = settings.heartbeat_seconds {
        env.push(("CLAWOPS_HEARTBEAT_SECONDS".into(), seconds.to_string().into()));
    }
    if let Some(path) = &settings.outside_authorities {
        env.push(("CLAWOPS_OUTSIDE_AUTHORITIES".into(), path.into()));
    }
    if let Some(url) = &settings.otlp_endpoint {
        env.push(("CLAWOPS_OTLP_ENDPOINT".into(), url.into()));
    }
    let mut arguments: Vec<OsString> = Vec::new();
    if args.sim_pairs > 0 {
        arguments.extend(["--sim-pairs".into(), args.sim_pairs.to_string().into()]);
    }
    Ok(Spec {
        name: CONTROL_PLANE.into(),
        program: beside_us("gatewayforge")?,
        args: arguments,
        env,
        endpoint: Some(home.control_plane()),
    })
}

pub fn brain(home: &Home, places: &Places) -> Result<Spec> {
    Ok(Spec {
        name: BRAIN.into(),
        program: beside_us("claw-brain")?,
        args: vec![
            "--listen".into(),
            home.brain().to_string().into(),
            "--key-file".into(),
            home.key("brain.key").into(),
        ],
        env: environment(home, places),
        endpoint: Some(home.brain()),
    })
}

pub fn node(home: &Home, places: &Places, node: &LocalNode) -> Result<Spec> {
    let link = format!("ws://{}/node/v1/link", home.control_plane());
    let args: [OsString; 13] = [
        "host".into(),
        "--home".into(),
        home.host(node.id).into(),
        "--node".into(),
        node.id.into(),
        "--provider".into(),
        node.provider.into(),
        "--control".into(),
        link.into(),
        "--runtime".into(),
        places.runtime.clone().into(),
        "--token-file".into(),
        enrolment_token(home, node).into(),
    ];
    Ok(Spec {
        name: node.id.into(),
        program: beside_us("gf-clawnode")?,
        args: args.into_iter().chain(release_keys(home)?).collect(),
        env: environment(home, places),
        endpoint: None,
    })
}

/// Whose releases the node may become, where somebody has said so.
fn release_keys(home: &Home) -> Result<Vec<OsString>> {
    let path = home.key("release.pub");
    match fs::read_to_string(&path) {
        Ok(text) => {
            let keys = text.split_whitespace();
            Ok(keys.flat_map(|key| ["--release-key".into(), key.into()]).collect())
        }
        Err(why) if why.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(why) => Err(Problem::file(&path, why)),
    }
}

/// The key that claw-brain asks for, made on first use.
pub fn brain_key(home: &Home) -> Result<PathBuf> {
    let path = home.key("brain.key");
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
    match file {
        Ok(mut file) => {
            let mut secret = [0; 32];
            getrandom::fill(&mut secret)
                .map_err(|e| Problem::Failed(format!("this system gives no random numbers: {e}")))?;
            file.write_all(hex::encode(secret).as_bytes()).map_err(|e| Problem::file(&path, e))?;
        }
        Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
        Err(e) => return Err(Problem::file(&path, e)),
    }
    Ok(path)
}
