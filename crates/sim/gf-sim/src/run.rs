//! Tells the story of a seed: faults first, healing after, and judges what became of the promises.

use crate::{
    clock::{SeededEntropy, SimClock},
    clouds::Clouds,
    disk::Disk,
    ends,
    listeners::Listeners,
    oracle::{Breach, Oracle},
    people::{self, Person},
    plane::{Plane, World},
    promise::Promise,
    story::{Event, Fault, Story},
    trace::Trace,
    wreck::{Mend, Wreck},
};
use gf_driver_sim::{
    SimFleet, SimSettings,
    testing::{Office, control_key},
};
use gf_model::{OperationId, ambient::Clock, operation::OperationState};
use gf_node_hub::{Hub, HubConfig};
use gf_requests::{Options, Requests};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    pin::Pin,
    sync::Arc,
    time::Duration,
};
use tokio::time::Instant;

/// The longest that a world may take to come to rest after its faults.
const REST_WITHIN: Duration = Duration::from_secs(6 * 3600);
/// How often it is looked whether it has.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// For the first pairs to stand, before anything goes wrong.
const CALM: Duration = Duration::from_secs(1200);

/// What became of a seed.
#[derive(Debug, Clone)]
pub struct Report {
    pub seed: u64,
    pub breach: Option<Breach>,
    /// Over everything that happened: the same for the same seed.
    pub hash: u64,
    pub events: u64,
    pub simulated: Duration,
    /// From the end of the faults until all was at rest.
    pub rest_after: Duration,
    pub crashes: u64,
    pub operations: usize,
    /// The verbs of them.
    pub kinds: BTreeSet<&'static str>,
    pub stuck: usize,
    pub paged: usize,
    pub most_calls: usize,
    /// Empty unless they were asked for.
    pub lines: Vec<String>,
}

/// Runs one seed. `keys` is a directory of this process's own.
pub fn run(seed: u64, keys: &Path, keep_lines: bool) -> Report {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    match runtime {
        Ok(runtime) => runtime.block_on(tell(seed, keys, keep_lines)),
        Err(error) => panic!("no runtime could be built: {error}"),
    }
}

type Errand = Pin<Box<dyn Future<Output = ()> + Send>>;

struct Teller {
    world: World,
    oracle: Arc<Oracle>,
    story: Story,
    wreck: Wreck,
    rng: fastrand::Rng,
    plane: Option<Plane>,
    lives: u64,
    /// How long the next crash keeps the control plane down, in seconds.
    down: u64,
    mends: BTreeMap<(Instant, u64), Mend>,
    count: u64,
    start_at: Option<Instant>,
    /// What was stuck and tried once more.
    tried: BTreeSet<OperationId>,
}

async fn tell(seed: u64, keys: &Path, keep_lines: bool) -> Report {
    let began = Instant::now();
    let trace = Arc::new(Trace::new(keep_lines));
    let oracle = Oracle::new(Arc::clone(&trace));
    let outcome = open(seed, keys, &trace, &oracle);
    let mut teller = match outcome {
        Ok(teller) => teller,
        Err(error) => panic!("the world of seed {seed} could not be opened: {error}"),
    };
    teller.begin().await;
    teller.faults().await;
    let healed = Instant::now();
    teller.heal().await;
    teller.rest(healed).await;
    teller.verify().await;
    let simulated = began.elapsed();
    oracle
        .look(|books| Report {
            seed,
            breach: None,
            hash: trace.hash(),
            events: trace.events(),
            simulated,
            rest_after: healed.elapsed(),
            crashes: teller.lives.saturating_sub(1),
            operations: books.fleet.operations.len(),
            kinds: books.fleet.operations.values().map(|operation| operation.verb.name()).collect(),
            stuck: books.fleet.operations.values().filter(|it| it.state == OperationState::Stuck).count(),
            paged: ends::paged(&books.fleet),
            most_calls: books.spent.most_calls,
            lines: trace.take_lines(),
        })
        .with(oracle.first_breach())
}

impl Report {
    fn with(mut self, breach: Option<Breach>) -> Self {
        self.breach = breach;
        self
    }
}

fn open(
    seed: u64,
    keys: &Path,
    trace: &Arc<Trace>,
    oracle: &Arc<Oracle>,
) -> Result<Teller, Box<dyn std::error::Error>> {
    let clock = Arc::new(SimClock::new());
    let office = Office::new(control_key());
    let entropy = Arc::new(SeededEntropy::new(seed));
    // Nobody serves through this one: the world needs a first hub to be told that it is gone.
    let (hub, _) = Hub::new(
        HubConfig::new(control_key(), 0),
        Arc::clone(&office) as _,
        Arc::clone(&clock) as Arc<dyn Clock>,
        Arc::clone(&entropy) as _,
    );
    let settings = SimSettings { seed, failures: false, ..SimSettings::default() };
    let sim = SimFleet::open(settings, hub, Arc::clone(&office) as _, Arc::clone(&clock) as _, entropy)?;
    sim.abandon();
    sim.watch(Arc::clone(oracle) as _);
    let disk = Disk::new(seed ^ 0xd15c, Arc::clone(oracle));
    let clouds = Clouds::new(seed ^ 0xc10d, sim.driver(), Arc::clone(oracle), Arc::clone(trace));
    let world = World {
        seed,
        trace: Arc::clone(trace),
        clock,
        disk,
        clouds,
        office,
        sim,
        listeners: Arc::new(Listeners::default()),
        master_key: keys.join("master.key"),
    };
    Ok(Teller {
        world,
        oracle: Arc::clone(oracle),
        story: Story::of(seed),
        wreck: Wreck::new(seed ^ 0x3ec4),
        rng: fastrand::Rng::with_seed(seed ^ 0x7e11),
        plane: None,
        lives: 0,
        down: 5,
        mends: BTreeMap::new(),
        count: 0,
        start_at: None,
        tried: BTreeSet::new(),
    })
}

impl Teller {
    fn is_over(&self) -> bool {
        self.oracle.first_breach().is_some()
    }

    async fn start(&mut self) {
        self.lives += 1;
        match Plane::start(&self.world, self.lives).await {
            Ok(plane) => {
                self.oracle.plane_is_down(false);
                self.plane = Some(plane);
                self.start_at = None;
            }
            Err(error) => {
                self.world.trace.note(format_args!("it could not start: {error}"));
                self.world.disk.die();
                self.start_at = Some(Instant::now() + Duration::from_secs(5));
            }
        }
    }

    fn kill(&mut self) {
        if let Some(plane) = self.plane.take() {
            plane.kill(&self.world);
            self.oracle.plane_is_down(true);
            self.start_at = Some(Instant::now() + Duration::from_secs(self.down));
            self.down = 1 + self.rng.u64(0..60);
        }
    }

    /// The first pairs are ordered; unless the faults come at once they come to stand.
    async fn begin(&mut self) {
        self.start().await;
        let accounts: Vec<_> = (1..=self.story.pairs).filter_map(people::account).collect();
        if let Some(plane) = &self.plane {
            let verb = people::provision(accounts, "eu");
            let options = Options { confirmed: true, ..Options::default() };
            let asked = plane.requests.request(&people::ada(), verb, options).await;
            if let Err(refusal) = asked {
                self.oracle.report(Promise::Ends, format!("the first pairs were refused: {refusal}"));
            }
        }
        if !self.story.from_the_first_moment {
            // Where they do not, the faults simply find them on their way.
            let _ = self.until_rest(CALM).await;
        }
    }

    /// Goes on until then; sees to crashes, mends and starts on the way.
    async fn go_on_until(&mut self, then: Instant) {
        loop {
            let mend = self.mends.keys().next().map(|(at, _)| *at);
            let next = [Some(then), mend, self.start_at].into_iter().flatten().min().unwrap_or(then);
            tokio::select! {
                biased;
                () = self.oracle.breached.notified() => return,
                () = self.world.disk.cut.notified() => self.kill(),
                () = self.world.clouds.crash.notified() => self.kill(),
                () = tokio::time::sleep_until(next) => {}
            }
            if self.is_over() {
                return;
            }
            let now = Instant::now();
            while let Some(entry) = self.mends.first_entry().filter(|entry| entry.key().0 <= now) {
                let mend = entry.remove();
                self.world.trace.note(format_args!("mended: {mend:?}"));
                self.wreck.mend(&self.world, &mend);
            }
            if self.start_at.is_some_and(|at| at <= now) {
                self.start().await;
            }
            if now >= then {
                return;
            }
        }
    }

    async fn faults(&mut self) {
        let began = Instant::now();
        self.world.clouds.trouble(self.story.clouds);
        self.world.trace.note(format_args!("the faults begin: {:?}", self.story.clouds));
        let events = std::mem::take(&mut self.story.events);
        for (at, event) in events {
            self.go_on_until(began + at).await;
            if self.is_over() {
                return;
            }
            match event {
                Event::Errand => {
                    let rng = self.rng.fork();
                    self.send_somebody(rng, |person| Box::pin(person.errand()));
                }
                Event::Order { mind } => {
                    let rng = fastrand::Rng::with_seed(mind);
                    self.send_somebody(rng, |person| Box::pin(person.order()));
                }
                Event::Fault(fault) => {
                    self.world.trace.note(format_args!("FAULT {fault:?}"));
                    match fault {
                        Fault::Crash { down } => {
                            self.down = down;
                            self.kill();
                        }
                        Fault::CrashAtCommit { down, .. } => self.down = down,
                        _ => {}
                    }
                    if let Some((lasts, mend)) = self.wreck.befall(&self.world, &self.oracle, &fault) {
                        self.count += 1;
                        self.mends.insert((Instant::now() + lasts, self.count), mend);
                    }
                }
            }
        }
        self.go_on_until(began + self.story.faults_last).await;
    }

    fn send_somebody(&mut self, rng: fastrand::Rng, errand: fn(Person) -> Errand) {
        if let Some(plane) = &mut self.plane {
            let requests = plane.requests.clone();
            let person = Person { requests, trace: Arc::clone(&self.world.trace), rng };
            plane.errands.spawn(errand(person));
        }
    }

    /// Everything is mended, the control plane runs, and nothing stays paused.
    async fn heal(&mut self) {
        self.world.trace.note(format_args!("the faults are over"));
        self.world.clouds.heal();
        self.world.disk.trouble(|disk| *disk = crate::disk::Trouble::default());
        for mend in std::mem::take(&mut self.mends).into_values() {
            self.wreck.mend(&self.world, &mend);
        }
        while self.plane.is_none() && !self.is_over() {
            let at = self.start_at.unwrap_or_else(Instant::now);
            self.go_on_until(at).await;
        }
        if let Some(requests) = self.requests() {
            people::tidy_up(&requests, &mut self.tried).await;
        }
    }

    fn requests(&self) -> Option<Requests> {
        self.plane.as_ref().map(|plane| plane.requests.clone())
    }

    fn restless(&self) -> Option<(Promise, String)> {
        let seen = self.world.sim.seen();
        self.oracle.look(|books| ends::restless(books, &seen))
    }

    /// Whether it came to rest in time.
    async fn until_rest(&mut self, within: Duration) -> Result<(), (Promise, String)> {
        let limit = Instant::now() + within;
        while let Some(restless) = self.restless() {
            if self.is_over() {
                return Ok(());
            }
            if Instant::now() >= limit {
                return Err(restless);
            }
            self.go_on_until(Instant::now() + LOOK_EVERY).await;
            if let Some(requests) = self.requests().filter(|_| self.mends.is_empty()) {
                people::tidy_up(&requests, &mut self.tried).await;
            }
        }
        Ok(())
    }

    async fn rest(&mut self, healed: Instant) {
        if self.is_over() {
            return;
        }
        if let Err((promise, what)) = self.until_rest(REST_WITHIN).await {
            let waited = healed.elapsed().as_secs();
            self.oracle.report(promise, format!("{waited} s after the faults: {what}"));
        }
    }

    /// The chain holds from its first row to the head that is kept elsewhere.
    async fn verify(&mut self) {
        let Some(plane) = self.plane.as_ref().filter(|_| !self.is_over()) else { return };
        let head = self.oracle.look(|books| books.head.clone());
        match plane.store.verify().await {
            Ok(found) if !found.is_whole() => {
                self.oracle
                    .report(Promise::Audited, format!("the chain does not hold: {:?}", found.findings));
            }
            Ok(_) => {}
            Err(error) => self.oracle.report(Promise::Audited, format!("the chain cannot be read: {error}")),
        }
        let newest = plane.store.head_of_trail();
        if head.as_ref().map(|(seq, hash)| (*seq, hash.as_str()))
            != Some((newest.seq as i64, newest.hash.as_str()))
        {
            self.oracle
                .report(Promise::Audited, format!("the trail ends with {newest:?} and should with {head:?}"));
        }
    }
}
