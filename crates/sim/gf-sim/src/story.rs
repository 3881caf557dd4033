//! What a seed decides before anything happens: how large the fleet is, what goes wrong when, and when that is over.
//!
//! Each story has only some kinds of faults: what never happens together with something else hides what goes wrong
//! alone, and the other way round.

use crate::{clouds, regressions::is_told_without_orders};
use std::time::Duration;

#[derive(Debug, Clone)]
pub enum Fault {
    /// `kill -9` of the control plane, which starts again after so many seconds.
    Crash {
        down: u64,
    },
    /// The same at the so-manieth commit from now, kept or not.
    CrashAtCommit {
        nth: u32,
        kept: bool,
        down: u64,
    },
    DiskFull {
        seconds: u64,
    },
    DiskLies {
        commits: u32,
    },
    DiskSlow {
        millis: u64,
        seconds: u64,
    },
    ClockWrong {
        by_ms: i64,
        seconds: u64,
    },
    KillOpenClaw,
    Hang {
        seconds: u64,
    },
    BreakStart {
        seconds: u64,
    },
    Malform,
    Reboot,
    Cut {
        seconds: u64,
    },
    /// The machine is never heard of again; its provider can still be asked about it.
    Lose,
    HangUp,
    Mute {
        answers: u32,
    },
    Outage {
        seconds: u64,
    },
    Limit {
        seconds: u64,
    },
    Slow {
        times: f64,
        seconds: u64,
    },
    Lag {
        high_ms: u64,
        seconds: u64,
    },
    Deaf {
        seconds: u64,
    },
    Chat,
    /// The control plane and a machine do not hear each other; other machines hear it still.
    Unlink {
        seconds: u64,
    },
    /// A machine and all others do not hear each other; the control plane hears it still.
    Blind {
        seconds: u64,
    },
    /// A machine stands still, and goes on where it was.
    Stall {
        seconds: u64,
    },
}

#[derive(Debug, Clone)]
pub enum Event {
    Fault(Fault),
    Errand,
    /// Somebody who looks first asks for what can be done; what that is follows from this number.
    Order {
        mind: u64,
    },
}

pub struct Story {
    /// Pairs that are there before anything goes wrong.
    pub pairs: u32,
    pub clouds: clouds::Trouble,
    /// Whether the faults begin before the first pair stands.
    pub from_the_first_moment: bool,
    /// In the order of their times, counted from when the faults begin.
    pub events: Vec<(Duration, Event)>,
    pub faults_last: Duration,
}

const KINDS: u32 = 21;

impl Story {
    pub fn of(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5eed);
        let minutes = rng.u64(5..=30);
        let faults_last = Duration::from_secs(60 * minutes);
        let kinds: Vec<u32> = (0..KINDS).filter(|_| rng.u32(..100) < 40).collect();
        let mut events = Vec::new();
        if !kinds.is_empty() {
            for _ in 0..rng.u64(2..=2 + minutes) {
                let kind = kinds[rng.usize(..kinds.len())];
                events.push((at(&mut rng, faults_last), Event::Fault(fault(kind, &mut rng))));
            }
        }
        for _ in 0..rng.u64(0..=minutes / 2) {
            events.push((at(&mut rng, faults_last), Event::Errand));
        }
        events.extend(one_way_cuts(seed, faults_last));
        if !is_told_without_orders(seed) {
            events.extend(orders(seed, faults_last));
        }
        events.sort_by_key(|(at, _)| *at);
        Self {
            pairs: rng.u32(1..=3),
            clouds: cloud_trouble(&mut rng),
            from_the_first_moment: rng.u32(..4) == 0,
            events,
            faults_last,
        }
    }
}

fn at(rng: &mut fastrand::Rng, within: Duration) -> Duration {
    Duration::from_millis(rng.u64(0..within.as_millis() as u64))
}

/// What cuts the ways to the control plane and to the witness apart, in some stories. Drawn apart from the rest, so that
/// the others tell what they would tell without.
fn one_way_cuts(seed: u64, within: Duration) -> Vec<(Duration, Event)> {
    let mut rng = fastrand::Rng::with_seed(seed.wrapping_mul(0xa076_1d64_78bd_642f) ^ 0x0c07);
    let count = if rng.u32(..100) < 40 { rng.u32(1..=6) } else { 0 };
    let mut cut = |_| {
        let moment = at(&mut rng, within);
        let seconds = rng.u64(1..=400);
        let fault = match rng.u32(..3) {
            0 => Fault::Unlink { seconds },
            1 => Fault::Blind { seconds },
            _ => Fault::Stall { seconds: rng.u64(1..=120) },
        };
        (moment, Event::Fault(fault))
    };
    (0..count).map(&mut cut).collect()
}

/// Orders that can be done, most of them updates of nodes, in some stories. Drawn apart from the rest, as the cuts are.
fn orders(seed: u64, within: Duration) -> Vec<(Duration, Event)> {
    let mut rng = fastrand::Rng::with_seed(seed.wrapping_mul(0xe703_7ed1_a0b4_28db) ^ 0x0ddf);
    let count = if rng.u32(..100) < 50 { rng.u32(1..=4) } else { 0 };
    (0..count).map(|_| (at(&mut rng, within), Event::Order { mind: rng.u64(..) })).collect()
}

fn cloud_trouble(rng: &mut fastrand::Rng) -> clouds::Trouble {
    let mut chance = |most: u32| if rng.bool() { rng.u32(0..=most) } else { 0 };
    clouds::Trouble {
        lost_request: chance(60),
        lost_answer: chance(100),
        late: chance(60),
        twice: chance(100),
        garbage: chance(60),
        away: chance(100),
        refused: chance(30),
        crash: chance(30),
    }
}

fn fault(kind: u32, rng: &mut fastrand::Rng) -> Fault {
    let seconds = rng.u64(1..=400);
    match kind {
        0 | 1 => Fault::Crash { down: rng.u64(1..=240) },
        2 | 3 => Fault::CrashAtCommit { nth: rng.u32(0..30), kept: rng.bool(), down: rng.u64(1..=60) },
        4 => Fault::DiskFull { seconds: rng.u64(1..=120) },
        5 => Fault::DiskLies { commits: rng.u32(1..=3) },
        6 => Fault::DiskSlow { millis: rng.u64(5..=2_000), seconds },
        7 => {
            let by_ms = rng.i64(-3_600_000..=3_600_000);
            Fault::ClockWrong { by_ms, seconds }
        }
        8 => Fault::KillOpenClaw,
        9 => Fault::Hang { seconds },
        10 => Fault::BreakStart { seconds },
        11 => Fault::Malform,
        12 => Fault::Reboot,
        13 => Fault::Cut { seconds },
        14 => Fault::Lose,
        15 => Fault::HangUp,
        16 => Fault::Mute { answers: rng.u32(1..=3) },
        17 => Fault::Outage { seconds },
        18 => Fault::Limit { seconds: rng.u64(60..=3_600) },
        19 => Fault::Slow { times: 1.0 + f64::from(rng.u32(1..=60)) / 10.0, seconds },
        20 => match rng.u32(..3) {
            0 => Fault::Lag { high_ms: rng.u64(20..=5_000), seconds },
            1 => Fault::Deaf { seconds },
            _ => Fault::Chat,
        },
        _ => Fault::Chat,
    }
}
