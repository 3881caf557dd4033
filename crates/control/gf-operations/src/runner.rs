//! Runs one operation to its end: asks the schedule what is next, starts lanes, and waits for changes.

use crate::{
    engine::Engine,
    finish,
    lane::{self, Direction, WriteError},
    schedule::{self, Next},
};
use gf_model::{
    OperationId,
    operation::{LaneId, LaneState, Operation},
};
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};
use tokio::{
    task::{Id, JoinError, JoinSet},
    time::Instant,
};
use tracing::Instrument;

/// A store that cannot be written to right now is asked again after this.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// A look at ten thousand lanes is not taken at every change of one of them: so many times as long is rested after it.
const RESTS: u32 = 4;
const WORTH_RESTING: Duration = Duration::from_millis(1);

/// What it does is part of the trace of whoever began it.
pub(crate) async fn run(engine: &Engine, id: &OperationId) {
    let known = engine.hands.store.read(|fleet| {
        let operation = fleet.operations.get(id)?;
        Some((operation.verb.name(), operation.trace.clone()))
    });
    let (verb, trace) = known.unzip();
    let span = tracing::info_span!("operation", operation = %id, verb, trace = trace.flatten());
    to_its_end(engine, id).instrument(span).await;
}

async fn to_its_end(engine: &Engine, id: &OperationId) {
    let mut changed = engine.hands.store.changed();
    let mut tasks = JoinSet::new();
    let mut lanes = Lanes::default();
    // Since when the present batch settles, as this process knows it: another one looks at it as long again.
    let mut settling = None;
    loop {
        // Marked as seen before looking, so that a change that comes while we look wakes us.
        changed.borrow_and_update();
        let settled = settling.map_or(Duration::ZERO, |since: Instant| since.elapsed());
        let began = Instant::now();
        let Some((next, ending)) = look(engine, id, settled) else { return };
        let rest = began.elapsed() * RESTS;
        let mut settles = None;
        settling = matches!(next, Next::Settle(_)).then(|| settling.unwrap_or_else(Instant::now));
        match next {
            Next::Run(wanted) => start(engine, &mut tasks, &mut lanes, wanted, Direction::Forward),
            Next::Undo(wanted) => start(engine, &mut tasks, &mut lanes, wanted, Direction::Back),
            Next::Skip(skipped) => {
                if let Err(error) = skip(engine, skipped).await {
                    tracing::error!(operation = %id, %error, "lanes could not be skipped; trying again");
                    tokio::time::sleep(STORE_PAUSE).await;
                }
                continue;
            }
            Next::GiveUp(ill) => {
                if let Err(error) = give_up(engine, ill).await {
                    tracing::error!(operation = %id, %error, "a batch could not be given up; trying again");
                    tokio::time::sleep(STORE_PAUSE).await;
                }
                continue;
            }
            Next::Pass(stage) => {
                if let Err(error) = pass(engine, id, stage).await {
                    tracing::error!(operation = %id, %error, "a gate could not be passed; trying again");
                    tokio::time::sleep(STORE_PAUSE).await;
                }
                continue;
            }
            Next::Wait => {}
            Next::Settle(left) => settles = Some(left),
            Next::End(state, why) => {
                let Some(operation) = ending else { return };
                // Lanes that are still winding down write to their own records only.
                while let Some(ended) = tasks.join_next().await {
                    report(ended);
                }
                match finish::end(engine, &operation, state, why).await {
                    Ok(true) => return,
                    Ok(false) => continue,
                    Err(error) => {
                        tracing::error!(operation = %id, %error, "its end could not be written; trying again");
                        tokio::time::sleep(STORE_PAUSE).await;
                        continue;
                    }
                }
            }
        }
        if rest >= WORTH_RESTING {
            tokio::time::sleep(rest).await;
        }
        tokio::select! {
            biased;
            Some(ended) = tasks.join_next_with_id(), if !tasks.is_empty() => lanes.ended(ended),
            seen = changed.changed() => if seen.is_err() { return },
            () = tokio::time::sleep(settles.unwrap_or_default()), if settles.is_some() => {}
        }
        while let Some(ended) = tasks.try_join_next_with_id() {
            lanes.ended(ended);
        }
    }
}

/// What is next, and the operation itself where it ends.
fn look(engine: &Engine, id: &OperationId, settled: Duration) -> Option<(Next, Option<Operation>)> {
    engine.hands.store.read(|fleet| {
        let operation = fleet.operations.get(id)?;
        let lanes: Vec<_> = fleet.lanes_of(id).collect();
        let next = schedule::next(fleet, operation, &lanes, settled);
        let ending = matches!(next, Next::End(..)).then(|| operation.clone());
        Some((next, ending))
    })
}

/// The lanes that run, by their task and by their name.
#[derive(Default)]
struct Lanes {
    by_task: HashMap<Id, LaneId>,
    running: HashSet<LaneId>,
}

impl Lanes {
    fn ended(&mut self, ended: Result<(Id, ()), JoinError>) {
        let task = match &ended {
            Ok((task, ())) => *task,
            Err(error) => error.id(),
        };
        if let Some(lane) = self.by_task.remove(&task) {
            self.running.remove(&lane);
        }
        report(ended.map(drop));
    }
}

fn start(
    engine: &Engine,
    tasks: &mut JoinSet<()>,
    lanes: &mut Lanes,
    wanted: Vec<LaneId>,
    direction: Direction,
) {
    for id in wanted {
        if !lanes.running.insert(id.clone()) {
            continue;
        }
        let task = tasks.spawn(lane::run(engine.clone(), id.clone(), direction).in_current_span());
        lanes.by_task.insert(task.id(), id);
    }
}

/// What was written is taken back for what was seen since; a crash after this goes on taking it back.
async fn give_up(engine: &Engine, ill: Vec<(LaneId, String)>) -> Result<(), WriteError> {
    let write = engine.hands.store.update(|fleet, tx| {
        for (id, why) in &ill {
            if let Some(record) = fleet.lanes.get(id).filter(|record| record.lane.state == LaneState::Done) {
                tracing::warn!(lane = %String::from(id.clone()), why, "given up at its gate");
                let mut record = record.clone();
                record.lane.state = LaneState::Undoing;
                record.lane.error = Some(why.clone());
                tx.put(record);
            }
        }
    });
    write.await
}

async fn pass(engine: &Engine, id: &OperationId, stage: usize) -> Result<(), WriteError> {
    let now = engine.hands.clock.now();
    let write = engine.hands.store.update(|fleet, tx| {
        let Some(operation) = fleet.operations.get(id) else { return };
        let mut operation = operation.clone();
        if let Some(head) = operation.stages.get_mut(stage) {
            head.passed_at = Some(now);
            tx.put(operation);
        }
    });
    write.await
}

async fn skip(engine: &Engine, skipped: Vec<LaneId>) -> Result<(), WriteError> {
    let write = engine.hands.store.update(|fleet, tx| {
        for id in &skipped {
            if let Some(record) = fleet.lanes.get(id) {
                let mut record = record.clone();
                record.lane.state = LaneState::Skipped;
                tx.put(record);
            }
        }
    });
    write.await
}

fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a lane ended by itself; it is taken up again");
    }
}
