//! One OpenClaw and everything that is done with it.
//!
//! A task of its own ([`supervise`]) owns the process; commands change what is wanted and wait for the state
//! to follow. Only one command at a time changes an instance.

mod boots;
mod cgroup;
mod channels;
mod claim;
mod config;
mod control;
mod copies;
mod drain;
mod duty;
mod ends;
mod exit_notices;
mod exits;
mod guarded;
mod health;
mod held;
mod launch;
mod layout;
mod lease;
mod logs;
mod make;
mod park;
mod pidfd;
mod place;
mod preflight;
mod process;
mod release;
mod restarts;
mod secrets;
mod shelve;
mod spec;
mod supervise;
mod taskstats;
mod write;

pub use boots::Boots;
pub use cgroup::{Cgroup, Cgroups};
pub use exit_notices::ExitNotices;
pub use guarded::end_at_once;
pub use health::Pressure;
pub use layout::Layout;
pub use lease::Question;
pub use logs::tail;
pub use make::Order;
pub use preflight::Obstacle;
pub use process::{end_if_same, identify, reap};
pub use spec::{ProcessId, Spec};

use crate::{
    host::{Failure, Local, Outcome},
    machine,
};
use gf_model::{lease::Held, patch};
use gf_node_proto::{FailureCode, FailureReason, InstanceState, InstanceSummary, event};
use openclaw_client::{Client, Endpoint, Token};
use parking_lot::Mutex;
use process::Process;
use restarts::Restarts;
use serde_json::Value;
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    sync::{Mutex as Turn, Notify, watch},
    task::AbortHandle,
};

const CONNECT_WITHIN: Duration = Duration::from_secs(20);

pub struct Instance {
    id: String,
    layout: Layout,
    local: Arc<Local>,
    spec: Mutex<Spec>,
    live: Mutex<Live>,
    wanted: watch::Sender<Wanted>,
    state: watch::Sender<InstanceState>,
    /// Held by the one command that changes this instance.
    turn: Turn<()>,
    /// Told with each renewal of its lease.
    lease_renewed: Notify,
}

/// What the control plane last asked for. A new round is a new attempt after giving up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wanted {
    run: bool,
    /// Ended without grace: what it held is about to be replaced or removed.
    at_once: bool,
    gone: bool,
    round: u64,
}

/// What is known only while gf-clawnode runs.
#[derive(Default)]
struct Live {
    process: Option<Arc<Process>>,
    /// Too many others of this machine boot right now.
    waits_to_boot: bool,
    /// The generation under which its last life began.
    last_life: u64,
    restarts: Restarts,
    watch: health::Watch,
    failure: Option<Obstacle>,
    version: String,
    /// Frozen for a copy: a probe that fails now says nothing.
    standing_still: bool,
    parked: Option<park::Parked>,
    channels: held::Channels,
    drain: Option<Drain>,
    /// How long its lease stands.
    held: Held,
    /// Its channels are being closed or opened because of its lease.
    following: bool,
    /// When this node renewed the other half's lease last.
    witnessed: Option<Duration>,
}

struct Drain {
    suspension: String,
    renewal: AbortHandle,
}

impl Drop for Drain {
    fn drop(&mut self) {
        self.renewal.abort();
    }
}

impl Instance {
    fn new(local: Arc<Local>, layout: Layout, spec: Spec) -> Arc<Self> {
        let wanted = Wanted { run: spec.wanted, at_once: false, gone: false, round: 0 };
        let state = if spec.wanted { InstanceState::Bootstrapping } else { InstanceState::Stopped };
        let live = Live { last_life: spec.generation, held: lease::kept(&layout), ..Live::default() };
        let this = Arc::new(Self {
            id: spec.instance.clone(),
            layout,
            local,
            spec: Mutex::new(spec),
            live: Mutex::new(live),
            wanted: watch::Sender::new(wanted),
            state: watch::Sender::new(state),
            turn: Turn::default(),
            lease_renewed: Notify::new(),
        });
        tokio::spawn(Arc::clone(&this).supervise());
        this
    }

    /// Finds an instance again after gf-clawnode was restarted.
    pub fn load(local: Arc<Local>, id: &str) -> Outcome<Arc<Self>> {
        let layout = Layout::new(&local.instances(), id);
        copies::finish_swap(&layout)?;
        let spec = Spec::load(&layout)?;
        Ok(Self::new(local, layout, spec))
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    pub fn state(&self) -> InstanceState {
        *self.state.borrow()
    }

    pub fn generation(&self) -> u64 {
        self.spec.lock().generation
    }

    fn set_state(&self, state: InstanceState) {
        if self.state.send_replace(state) != state {
            self.local.changed();
        }
    }

    fn cgroup(&self) -> Cgroup {
        self.local.cgroups.group(&self.id)
    }

    fn addr(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.spec.lock().port).into()
    }

    fn report(&self, kind: impl Into<event::Kind>) {
        self.local.report(&self.id, self.generation(), kind);
    }

    /// Changes what is remembered, durably.
    fn remember(&self, change: impl FnOnce(&mut Spec)) -> std::io::Result<()> {
        let mut spec = self.spec.lock();
        change(&mut spec);
        spec.save(&self.layout)
    }

    /// A connection to its gateway, for the time of one command.
    async fn client(&self) -> Outcome<Client> {
        if self.live.lock().process.is_none() {
            return Err(Failure::new(
                FailureCode::NotRunning,
                format!("{} does not run; start it first", self.id),
            ));
        }
        let token = Token::new(self.spec.lock().gateway_token.clone());
        Ok(Client::connect(&Endpoint { addr: self.addr(), token }, CONNECT_WITHIN).await?)
    }

    /// The configuration as it stands on disk, secrets included; it never leaves this process unredacted.
    fn config_on_disk(&self) -> Outcome<Value> {
        let path = self.layout.config();
        let text = fs::read(&path)?;
        serde_json::from_slice(&text).map_err(|why| {
            let message = format!("the configuration of {} is malformed; nothing was written", self.id);
            Failure::new(FailureCode::ConfigFlagged, message)
                .because(FailureReason::InvalidConfig)
                .with_issues(vec![format!("{}: {why}", path.display())])
        })
    }

    pub fn summary(&self) -> InstanceSummary {
        let on_disk = self.config_on_disk().ok();
        let pids = self.cgroup().processes();
        let spec = self.spec.lock();
        let state = self.state();
        let mut live = self.live.lock();
        let pid = live.process.as_ref().map_or(0, |process| process.id().pid);
        let scored = matches!(state, InstanceState::Active | InstanceState::Degraded);
        let failure = live.failure.as_ref();
        InstanceSummary {
            instance_id: self.id.clone(),
            account: spec.account.clone(),
            role: spec.role().into(),
            state: state.into(),
            generation: spec.generation,
            port: spec.port.into(),
            pid,
            health_score: live.watch.health.as_ref().filter(|_| scored).map(|health| health.score.into()),
            failing_checks: live.watch.failing_checks(),
            revision: spec.owned.revision.clone(),
            channels_open: spec.channels_open,
            last_snapshot: spec.last_snapshot.as_ref().map(|last| last.id.clone()).unwrap_or_default(),
            last_boot_ms: spec.last_boot_ms,
            openclaw_version: live.version.clone(),
            memory_bytes: if pids.is_empty() { vec![pid] } else { pids }
                .into_iter()
                .map(machine::resident_bytes)
                .sum(),
            failure: failure.map_or(FailureReason::Unspecified, |failure| failure.reason).into(),
            failure_detail: failure.map(|failure| failure.detail.clone()).unwrap_or_default(),
            owned_hash: on_disk
                .as_ref()
                .map(|held| patch::fingerprint(held, &spec.owned.patch))
                .unwrap_or_default(),
            observation: live.watch.observation().filter(|_| scored),
            drifted: dotted(patch::differences(&on_disk.unwrap_or_default(), &spec.owned.patch)),
            restarts_in_window: live.restarts.in_window(Instant::now()),
            waits_to_boot: live.waits_to_boot,
            lease_terms: spec.lease.told(spec.standby),
            lease_lapsed: spec.lease.is_lapsed(),
            tier: spec.tier.clone(),
        }
    }
}

fn dotted(paths: Vec<patch::KeyPath>) -> Vec<String> {
    paths.into_iter().map(|path| path.join(".")).collect()
}
