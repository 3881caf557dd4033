//! The ops gateway: a stock OpenClaw with our plugin, agents and skills, through which operators talk to the fleet.
//!
//! [`OpsGateway::prepare`] writes everything it needs, [`OpsGateway::start`] runs it detached, and
//! [`OpsGateway::verify`] refuses one in which an agent has a tool too many. OpenClaw is never patched, and its slow
//! command line is never asked: configuration is a file, everything else goes over its WebSocket.

pub mod channels;
pub mod config;
mod error;
mod extra;
mod files;
pub mod model;
mod plugin;
mod process;
pub mod runtime;
pub mod team;
mod verify;

pub use channels::{Channels, Irc, Telegram};
pub use error::{Error, Result};
pub use model::{Brain, ExtraModel};
pub use process::{Phase, Started};
pub use runtime::Runtime;
pub use team::Team;

use openclaw_client::{Endpoint, Token};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// Everything that decides how the ops gateway is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `CLAWOPS_HOME`.
    pub home: PathBuf,
    /// The folder that holds `node/` and `openclaw/`.
    pub runtime: PathBuf,
    /// The `team/` folder: agents and skills.
    pub team: PathBuf,
    /// The `plugin/openclaw-clawops/` folder: the sources.
    pub plugin: PathBuf,
    /// Where the gateway listens, on loopback.
    pub port: u16,
    /// Where gatewayforge listens, on loopback.
    pub control_plane_port: u16,
    pub brain: Brain,
    /// Another model in front of claw-brain, which stays as the fallback.
    pub extra_model: Option<ExtraModel>,
    pub channels: Channels,
}

/// A prepared ops gateway, whether it runs or not.
#[derive(Debug)]
pub struct OpsGateway {
    home: PathBuf,
    runtime: Runtime,
    team: Team,
    endpoint: Endpoint,
    /// Official packages that are not bundled with OpenClaw.
    packages: Vec<&'static str>,
}

impl OpsGateway {
    /// Writes configuration, workspaces and missing keys. Repeating it changes nothing; a running gateway notices
    /// changed settings by itself.
    pub fn prepare(settings: &Settings) -> Result<Self> {
        let runtime = Runtime::at(&settings.runtime)?;
        let team = Team::load(&settings.team)?;
        let layout = Layout::of(&settings.home);
        for dir in [&layout.state, &layout.workspaces, &layout.keys, &layout.run, &layout.logs] {
            files::private_dir(dir)?;
        }
        let token = Token::new(files::key(&layout.keys, "ops-gateway.token")?);
        let brain_key = Token::new(files::key(&layout.keys, "brain.key")?);
        files::key(&layout.keys, "plugin.key")?;
        files::key(&layout.keys, "webhook.key")?;
        team.write_workspaces(&layout.workspaces)?;
        plugin::build(&runtime.node, &settings.plugin, &layout.plugin)?;
        let document = config::document(&config::Inputs {
            settings,
            layout: &layout,
            team: &team,
            token: &token,
            brain_key: &brain_key,
        })?;
        files::write_config(&layout.config(), &document)?;
        let endpoint = Endpoint { addr: SocketAddr::from((Ipv4Addr::LOCALHOST, settings.port)), token };
        let packages = settings.channels.packages();
        Ok(Self { home: settings.home.clone(), runtime, team, endpoint, packages })
    }

    /// Where it listens and what opens it.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub fn team(&self) -> &Team {
        &self.team
    }
}

/// Where the ops gateway's files are below `CLAWOPS_HOME`.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub state: PathBuf,
    pub workspaces: PathBuf,
    pub plugin: PathBuf,
    pub keys: PathBuf,
    pub run: PathBuf,
    pub logs: PathBuf,
}

impl Layout {
    pub fn of(home: &Path) -> Self {
        Self {
            state: home.join("ops-gateway/state"),
            workspaces: home.join("ops-gateway/workspaces"),
            plugin: home.join("ops-gateway/plugin"),
            keys: home.join("keys"),
            run: home.join("run"),
            logs: home.join("logs"),
        }
    }

    pub fn config(&self) -> PathBuf {
        self.state.join("openclaw.json")
    }
}
