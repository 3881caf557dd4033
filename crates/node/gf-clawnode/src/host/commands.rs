//! Commands under way: each key has its effect once, with a limit on its time, and may be cancelled.

use super::{Failure, answers::Answers, dispatch, instances::Instances, outbox::Outbox};
use gf_node_proto::{
    COMMANDS_IN_FLIGHT, Command, CommandProgress, CommandResult, FailureCode, Reply, body_name,
    changes_something, command_result,
};
use parking_lot::Mutex;
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::sync::oneshot;

/// For a command that names no limit.
const DEFAULT_PATIENCE: Duration = Duration::from_secs(60);

pub struct Commands {
    instances: Arc<Instances>,
    answers: Mutex<Answers>,
    running: Mutex<HashMap<String, oneshot::Sender<()>>>,
    pub outbox: Outbox,
}

/// How a command tells how far it is.
pub struct Progress<'a> {
    key: &'a str,
    outbox: &'a Outbox,
}

impl Progress<'_> {
    pub fn key(&self) -> &str {
        self.key
    }

    pub fn step(&self, done: u32, total: u32, message: &str) {
        let (key, message) = (self.key.to_owned(), message.to_owned());
        self.outbox.progress(CommandProgress { key, done, total, message });
    }
}

impl Commands {
    pub fn new(instances: Arc<Instances>, answers: Answers) -> Self {
        Self { instances, answers: Mutex::new(answers), running: Mutex::default(), outbox: Outbox::default() }
    }

    /// Begins a command, or answers it from memory, or joins the one under way.
    pub fn take(self: &Arc<Self>, command: Command) {
        if let Some(known) = self.answers.lock().get(&command.key) {
            return self.outbox.answer(known.clone());
        }
        let mut running = self.running.lock();
        if running.contains_key(&command.key) {
            return;
        }
        if running.len() >= COMMANDS_IN_FLIGHT {
            let message = format!("{COMMANDS_IN_FLIGHT} commands are under way already; try again");
            return self
                .outbox
                .answer(answer(command.key, Err(Failure::new(FailureCode::Overloaded, message))));
        }
        let (cancel, cancelled) = oneshot::channel();
        running.insert(command.key.clone(), cancel);
        drop(running);
        let this = Arc::clone(self);
        tokio::spawn(async move { this.carry_out(command, cancelled).await });
    }

    pub fn cancel(&self, key: &str) {
        if let Some(cancel) = self.running.lock().remove(key) {
            let _ = cancel.send(());
        }
    }

    async fn carry_out(&self, command: Command, cancelled: oneshot::Receiver<()>) {
        let patience = match command.timeout_ms {
            0 => DEFAULT_PATIENCE,
            some => Duration::from_millis(some.into()),
        };
        let name = command.body.as_ref().map_or("nothing", body_name);
        let lasting = command.body.as_ref().is_some_and(changes_something);
        let (key, operation, trace) = (command.key.clone(), command.operation.clone(), command.trace.clone());
        tracing::info!(command = name, key, operation, trace, "begun");
        let progress = Progress { key: &key, outbox: &self.outbox };
        let outcome = tokio::select! {
            outcome = dispatch::carry_out(&self.instances, command.generation, command.body, &progress) => outcome,
            // An error means that the sender is gone, which only happens when it is done.
            Ok(()) = cancelled => Err(Failure::new(FailureCode::Cancelled, format!("{name} was cancelled"))),
            () = tokio::time::sleep(patience) => {
                Err(Failure::new(FailureCode::TimedOut, format!("{name} was not done within {patience:?}")))
            }
        };
        match &outcome {
            Ok(_) => tracing::info!(command = name, key, operation, trace, "done"),
            Err(why) => tracing::warn!(command = name, key, operation, trace, %why, "failed"),
        }
        // What was cut short may be tried again under the same key; what came to an end may not.
        let cut_short = outcome.as_ref().is_err_and(|why| {
            matches!(why.code(), FailureCode::TimedOut | FailureCode::Cancelled | FailureCode::Overloaded)
        });
        let result = answer(key.clone(), outcome);
        if lasting && !cut_short {
            let remembered = self.answers.lock().remember(result.clone());
            if let Err(why) = remembered {
                tracing::error!(key, %why, "an answer could not be written down");
            }
        }
        self.running.lock().remove(&key);
        self.outbox.answer(result);
    }
}

fn answer(key: String, outcome: Result<Reply, Failure>) -> CommandResult {
    let outcome = match outcome {
        Ok(reply) => command_result::Outcome::Ok(reply),
        Err(failure) => command_result::Outcome::Error(*failure.0),
    };
    CommandResult { key, outcome: Some(outcome) }
}
