//! Runs the steps of one lane in order, or takes them back in reverse, writing down each before and after.

use crate::{
    engine::Engine,
    schedule::goes_forward,
    steps::{self, AtEnd, StepContext, StepError},
    trail::{has_own_audit_row, row, undo_deletes},
    upkeep::held_back,
};
use gf_model::{
    Timestamp,
    audit::{AuditEntry, AuditPhase},
    fleet::Fleet,
    operation::{LaneId, LaneRecord, LaneState, Operation, Step, StepRecord, StepState},
    verb::Verb,
};
use gf_store::StoreError;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tracing::Instrument;

pub(crate) type WriteError = Arc<StoreError>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Forward,
    Back,
}

/// What became of the lane's next move.
enum Moved {
    On,
    /// The next step was begun in the same write, by this task and a moment ago.
    Begun,
    Over,
}

/// Everything that is done in a lane is part of its operation's trace, in logs and on the way to nodes.
pub(crate) async fn run(engine: Engine, id: LaneId, direction: Direction) {
    let operation = engine.hands.store.read(|fleet| fleet.operations.get(&id.operation)?.trace.clone());
    let span = tracing::info_span!("lane", operation = %id.operation, trace = operation.as_deref());
    gf_node_hub::trace::within(operation, steps_of(engine, id, direction).instrument(span)).await;
}

async fn steps_of(engine: Engine, id: LaneId, mut direction: Direction) {
    let mut known = None;
    let mut begun = false;
    loop {
        let Some(record) = look(&engine, &id, &mut known) else { return };
        let Some(operation) = &known else { return };
        let done_but_unwanted = direction == Direction::Back && record.lane.state == LaneState::Done;
        if record.lane.state.is_over() && !done_but_unwanted {
            return;
        }
        // A lane that was being put back when the process ended goes on being put back.
        if record.lane.state == LaneState::Undoing {
            direction = Direction::Back;
        }
        let moved = match direction {
            Direction::Forward if !begun && !goes_forward(operation.state, &record.lane) => return,
            Direction::Forward => forward(&engine, operation, record, begun).await,
            Direction::Back => back(&engine, operation, record).await,
        };
        begun = matches!(moved, Ok(Moved::Begun));
        match moved {
            Ok(Moved::On | Moved::Begun) => {}
            Ok(Moved::Over) => return,
            Err(error) => {
                tracing::error!(lane = %String::from(id.clone()), %error, "the step log could not be written");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

/// What was ordered stays as it is, and may name ten thousand accounts: only how it stands is looked up again.
fn look(engine: &Engine, id: &LaneId, known: &mut Option<Operation>) -> Option<LaneRecord> {
    engine.hands.store.read(|fleet| {
        let current = fleet.operations.get(&id.operation)?;
        known.get_or_insert_with(|| current.clone()).state = current.state;
        fleet.lanes.get(id).cloned()
    })
}

async fn forward(
    engine: &Engine,
    operation: &Operation,
    mut record: LaneRecord,
    begun: bool,
) -> Result<Moved, WriteError> {
    let Some(index) = left(&record) else {
        record.lane.state = LaneState::Done;
        write(engine, record).await?;
        return Ok(Moved::Over);
    };
    // A step found running was cut off: it is the same attempt, so its commands keep their keys.
    let cut_off = record.lane.steps[index].state == StepState::Running && !begun;
    if record.lane.steps[index].state != StepState::Running {
        let now = engine.hands.clock.now();
        let step = record.lane.steps[index].step.clone();
        if let Some(why) = engine.hands.store.read(|fleet| held_back(fleet, operation, &step, now)) {
            return leave_out(engine, record, why).await;
        }
        engine.hands.store.read(|fleet| begin(fleet, &mut record, index, now));
        write_with_audit(engine, &record, operation, index, AuditPhase::Started, Value::Null).await?;
    }

    let mut context = context(engine, operation, &record, index);
    context.asked_before = cut_off;
    let outcome = match steps::forbidden(&context) {
        Some(why) => Err(StepError::Failed(why)),
        None => act(&mut context).await,
    };
    let now = engine.hands.clock.now();
    match outcome {
        Ok(output) => {
            let step = &mut record.lane.steps[index];
            step.state = StepState::Done;
            step.finished_at = Some(now);
            step.error = None;
            step.output = output;
            done(engine, operation, record, index, context.at_end.into_inner()).await
        }
        // A retry by a person goes on counting and gets as many attempts again.
        Err(StepError::Transient { why, after })
            if !record.lane.steps[index].attempts.is_multiple_of(engine.hands.limits.attempts) =>
        {
            let target = record.lane.target.clone();
            let step = &mut record.lane.steps[index];
            tracing::warn!(step = step.step.name(), target, why, "trying again");
            let nth = (step.attempts - 1) % engine.hands.limits.attempts;
            let doubled = engine.hands.limits.pause * 2u32.saturating_pow(nth);
            step.state = StepState::Failed;
            step.error = Some(why);
            write(engine, record).await?;
            tokio::time::sleep(after.unwrap_or(doubled)).await;
            Ok(Moved::On)
        }
        Err(error) => give_up(engine, operation, record, index, error).await,
    }
}

/// The step that a lane has to do next.
fn left(record: &LaneRecord) -> Option<usize> {
    record.lane.steps.iter().position(|step| step.state != StepState::Done)
}

fn begin(fleet: &Fleet, record: &mut LaneRecord, index: usize, now: Timestamp) {
    let step = &mut record.lane.steps[index];
    step.state = StepState::Running;
    step.attempts += 1;
    step.started_at.get_or_insert(now);
    if step.output.is_null() {
        // What an undo needs is kept before the act: afterwards a crash could have lost it.
        step.output = steps::foresee(fleet, &step.step);
    }
    record.lane.state = LaneState::Running;
}

/// One write for all that is known then: what the step left in the fleet, that it is done, and what comes after it. The
/// next step begins with it unless somebody has stopped the operation, or the lane is over.
async fn done(
    engine: &Engine,
    operation: &Operation,
    mut record: LaneRecord,
    index: usize,
    at_end: Option<AtEnd>,
) -> Result<Moved, WriteError> {
    let now = engine.hands.clock.now();
    let write = engine.hands.store.update(|fleet, tx| {
        let mut changes = Vec::new();
        if let Some(at_end) = at_end {
            at_end(fleet, &mut changes);
        }
        changes.into_iter().for_each(|change| tx.put(change));
        let ended = &record.lane.steps[index];
        if has_own_audit_row(&ended.step) {
            let output = ended.output.clone();
            tx.audit(row(engine, operation, "step", &ended.step, AuditPhase::Done, output));
        }
        let goes_on = fleet.operations.get(&operation.id);
        let goes_on = goes_on.is_some_and(|current| goes_forward(current.state, &record.lane));
        let moved = match left(&record) {
            None => {
                record.lane.state = LaneState::Done;
                Moved::Over
            }
            Some(next)
                if goes_on
                    && record.lane.steps[next].state == StepState::Waiting
                    && held_back(fleet, operation, &record.lane.steps[next].step, now).is_none() =>
            {
                begin(fleet, &mut record, next, now);
                let step = &record.lane.steps[next].step;
                if has_own_audit_row(step) {
                    tx.audit(row(engine, operation, "step", step, AuditPhase::Started, Value::Null));
                }
                Moved::Begun
            }
            Some(_) => Moved::On,
        };
        tx.put(record);
        moved
    });
    write.await
}

/// An order without an answer is repeated under its own key: if it had its effect, the node says what it said.
async fn act(context: &mut StepContext<'_>) -> Result<Value, StepError> {
    let limits = &context.hands.limits;
    let mut tries = 1;
    loop {
        let step = tracing::info_span!(
            "step",
            step = context.step.name(),
            about = steps::targets(&context.step).join(" ")
        );
        match steps::act(&*context).instrument(step).await {
            Err(StepError::Uncertain(why)) if tries < limits.attempts => {
                tracing::warn!(step = context.step.name(), why, "asking again");
                tokio::time::sleep(limits.pause * 2u32.saturating_pow(tries - 1)).await;
                tries += 1;
                context.asked_before = true;
            }
            other => return other,
        }
    }
}

/// The step failed for good: what the lane did is put back where that is possible.
async fn give_up(
    engine: &Engine,
    operation: &Operation,
    mut record: LaneRecord,
    index: usize,
    error: StepError,
) -> Result<Moved, WriteError> {
    let why = error.to_string();
    let step = &mut record.lane.steps[index];
    step.state = StepState::Failed;
    step.finished_at = Some(engine.hands.clock.now());
    step.error = Some(why.clone());
    record.lane.error = Some(why.clone());
    record.lane.flagged = matches!(error, StepError::Flagged(_));
    let undoes = record.lane.steps.iter().any(|step| steps::has_undo(&step.step) && step.attempts > 0);
    let halfway = matches!(operation.verb, Verb::Teardown { .. })
        && record.lane.steps.iter().any(|step| leaves_halfway(&step.step) && step.attempts > 0);
    record.lane.state = match (undoes, halfway) {
        (true, _) => LaneState::Undoing,
        (false, true) => LaneState::Stuck,
        (false, false) => LaneState::Failed,
    };
    write_with_audit(engine, &record, operation, index, AuditPhase::Failed, json!({ "error": why })).await?;
    Ok(if undoes { Moved::On } else { Moved::Over })
}

/// All of a target or nothing: what was done before its gateway was held back is put back.
async fn leave_out(engine: &Engine, mut record: LaneRecord, why: String) -> Result<Moved, WriteError> {
    let begun = record.lane.steps.iter().any(|step| steps::has_undo(&step.step) && step.attempts > 0);
    record.lane.error = Some(why);
    record.lane.held_back = true;
    record.lane.state = if begun { LaneState::Undoing } else { LaneState::Skipped };
    write(engine, record).await?;
    Ok(if begun { Moved::On } else { Moved::Over })
}

async fn back(engine: &Engine, operation: &Operation, mut record: LaneRecord) -> Result<Moved, WriteError> {
    if record.lane.state != LaneState::Undoing {
        record.lane.state = LaneState::Undoing;
        write(engine, record.clone()).await?;
    }
    // Whatever was begun may have had an effect, finished or not.
    let begun = |step: &StepRecord| step.attempts > 0 && step.state != StepState::Undone;
    let Some(index) = record.lane.steps.iter().rposition(begun) else {
        record.lane.state = if record.lane.held_back { LaneState::Skipped } else { LaneState::Undone };
        write(engine, record).await?;
        return Ok(Moved::Over);
    };
    let mut context = context(engine, operation, &record, index);
    if undo_deletes(&context.step) {
        let detail = json!({ "why": record.lane.error });
        write_undo(engine, &record, operation, index, AuditPhase::Started, detail).await?;
    }
    let key = context.key.clone();
    let (mut tries, mut answered) = (1, 0);
    let outcome = loop {
        context.key = format!("{key}/undo{answered}");
        let (why, after) = match steps::undo(&context).await {
            Err(StepError::Transient { why, after }) if tries < engine.hands.limits.attempts => {
                answered += 1;
                (why, after)
            }
            Err(StepError::Uncertain(why)) if tries < engine.hands.limits.attempts => (why, None),
            other => break other,
        };
        tracing::warn!(step = context.step.name(), why, "undoing it again");
        let doubled = engine.hands.limits.pause * 2u32.saturating_pow(tries);
        tokio::time::sleep(after.unwrap_or(doubled)).await;
        tries += 1;
    };
    match outcome {
        Ok(()) => {
            record.lane.steps[index].state = StepState::Undone;
            write_undo(engine, &record, operation, index, AuditPhase::Done, Value::Null).await?;
            Ok(Moved::On)
        }
        Err(error) => {
            record.lane.state = LaneState::Stuck;
            let why = format!("{} could not be undone: {error}", context.step.name());
            record.lane.error = Some(why.clone());
            let detail = json!({ "error": why });
            write_undo(engine, &record, operation, index, AuditPhase::Failed, detail).await?;
            Ok(Moved::Over)
        }
    }
}

fn context<'a>(
    engine: &'a Engine,
    operation: &'a Operation,
    record: &LaneRecord,
    index: usize,
) -> StepContext<'a> {
    let step = &record.lane.steps[index];
    StepContext {
        asked_before: false,
        at_end: Mutex::default(),
        hands: &engine.hands,
        operation,
        step: step.step.clone(),
        output: step.output.clone(),
        started_at: step.started_at.unwrap_or_else(|| engine.hands.clock.now()),
        lane_started_at: record.lane.steps.iter().find_map(|step| step.started_at),
        // The same attempt of the same step has the same key, so a repeated command has its effect once.
        key: format!("{}/{index}/{}", String::from(record.id.clone()), step.attempts),
    }
}

async fn write(engine: &Engine, record: LaneRecord) -> Result<(), WriteError> {
    engine.hands.store.update(|_, tx| tx.put(record)).await
}

/// Once begun, this step of a teardown cannot be put back, and an account must not be left where it then is: it is
/// done, or a person comes.
const fn leaves_halfway(step: &Step) -> bool {
    matches!(step, Step::DeleteInstance { .. } | Step::TakeArchive { .. })
}

async fn write_with_audit(
    engine: &Engine,
    record: &LaneRecord,
    operation: &Operation,
    index: usize,
    phase: AuditPhase,
    detail: Value,
) -> Result<(), WriteError> {
    let step = &record.lane.steps[index].step;
    let row = has_own_audit_row(step).then(|| row(engine, operation, "step", step, phase, detail));
    write_with(engine, record, row).await
}

async fn write_undo(
    engine: &Engine,
    record: &LaneRecord,
    operation: &Operation,
    index: usize,
    phase: AuditPhase,
    detail: Value,
) -> Result<(), WriteError> {
    let step = &record.lane.steps[index].step;
    let row = undo_deletes(step).then(|| row(engine, operation, "undo", step, phase, detail));
    write_with(engine, record, row).await
}

async fn write_with(engine: &Engine, record: &LaneRecord, row: Option<AuditEntry>) -> Result<(), WriteError> {
    let write = engine.hands.store.update(|_, tx| {
        tx.put(record.clone());
        if let Some(row) = row {
            tx.audit(row);
        }
    });
    write.await
}
