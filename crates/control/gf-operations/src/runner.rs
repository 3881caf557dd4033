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
use std::{collections::HashMap, time::Duration};
use tokio::task::{Id, JoinError, JoinSet};

/// A store that cannot be written to right now is asked again after this.
const STORE_PAUSE: Duration = Duration::from_secs(1);

pub(crate) async fn run(engine: &Engine, id: &OperationId) {
    let mut changed = engine.hands.store.changed();
    let mut tasks = JoinSet::new();
    let mut lanes: HashMap<Id, LaneId> = HashMap::new();
    loop {
        // Marked as seen before looking, so that a change that comes while we look wakes us.
        changed.borrow_and_update();
        let Some((operation, next)) = look(engine, id) else { return };
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
            Next::Wait => {}
            Next::End(state, why) => {
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
        tokio::select! {
            biased;
            Some(ended) = tasks.join_next_with_id(), if !tasks.is_empty() => {
                let task = match &ended { Ok((task, ())) => *task, Err(error) => error.id() };
                lanes.remove(&task);
                report(ended.map(|_| ()));
            }
            seen = changed.changed() => if seen.is_err() { return },
        }
    }
}

fn look(engine: &Engine, id: &OperationId) -> Option<(Operation, Next)> {
    engine.hands.store.read(|fleet| {
        let operation = fleet.operations.get(id)?.clone();
        let lanes: Vec<_> = fleet.lanes_of(id).collect();
        let next = schedule::next(&operation, &lanes);
        Some((operation, next))
    })
}

fn start(
    engine: &Engine,
    tasks: &mut JoinSet<()>,
    lanes: &mut HashMap<Id, LaneId>,
    wanted: Vec<LaneId>,
    direction: Direction,
) {
    for id in wanted {
        if lanes.values().any(|running| *running == id) {
            continue;
        }
        let task = tasks.spawn(lane::run(engine.clone(), id.clone(), direction));
        lanes.insert(task.id(), id);
    }
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
