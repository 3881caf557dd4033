//! A command on its way: what goes with it, what may go wrong, and how its answer is awaited.

use bytes::Bytes;
use gf_model::NodeId;
use gf_node_proto::{
    Command, CommandFailure, CommandProgress, CommandResult, Reply, command, command_result,
};
use parking_lot::Mutex;
use std::{sync::Arc, time::Duration};
use tokio::sync::{mpsc, oneshot};

/// How much longer than the node itself this side waits, so that the node's own "timed out" arrives.
const ANSWER_GRACE: Duration = Duration::from_secs(2);

/// What accompanies every command, so that the node can refuse what is stale and a log can say why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandMeta {
    /// The idempotency key: the same key has its effect once, however often it is sent.
    pub key: String,
    pub operation: String,
    /// The pair's generation that the sender believes in; 0 claims none.
    pub generation: u64,
    pub plan_hash: String,
    pub timeout: Duration,
}

impl CommandMeta {
    pub fn new(key: impl Into<String>, timeout: Duration) -> Self {
        Self { key: key.into(), operation: String::new(), generation: 0, plan_hash: String::new(), timeout }
    }

    pub(crate) fn command(&self, body: command::Body) -> Command {
        Command {
            key: self.key.clone(),
            operation: self.operation.clone(),
            generation: self.generation,
            plan_hash: self.plan_hash.clone(),
            timeout_ms: u32::try_from(self.timeout.as_millis()).unwrap_or(u32::MAX),
            trace: crate::trace::current(),
            body: Some(body),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// Nothing was sent, so nothing happened.
    #[error("{node} is not connected")]
    NotConnected { node: NodeId },
    /// Nothing was sent: another control plane may lead by now.
    #[error(
        "nothing is sent to {node}: this control plane does not lead, or cannot be sure that it still does"
    )]
    NotLeading { node: NodeId },
    /// Nothing was sent: too much is under way at this node.
    #[error("{node} has {} commands under way already; try again", gf_node_proto::COMMANDS_IN_FLIGHT)]
    Busy { node: NodeId },
    /// Nothing was sent.
    #[error("the command is too large for the link: {0}")]
    TooLarge(#[source] gf_node_proto::FrameError),
    /// Nothing was sent: another command with this key and another content is under way.
    #[error("the key {key:?} belongs to another command that is under way")]
    KeyInUse { key: String },
    /// The node did what it could and says what was wrong. Its effects are known.
    #[error("{}: {}", gf_node_proto::FailureCode::try_from(.0.code).unwrap_or_default().as_str_name(), .0.message)]
    Failed(Box<CommandFailure>),
    /// It was sent and no answer came. It may have had its effect: send the same key again, or look.
    #[error("{node} was told, but no answer came within {waited:?}")]
    Uncertain { node: NodeId, waited: Duration },
}

impl CommandError {
    /// Whether the command may have had an effect that is not known.
    pub fn is_uncertain(&self) -> bool {
        matches!(self, Self::Uncertain { .. })
    }

    pub fn failure(&self) -> Option<&CommandFailure> {
        match self {
            Self::Failed(failure) => Some(failure),
            _ => None,
        }
    }
}

/// How far a command is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    pub done: u32,
    pub total: u32,
    pub message: String,
}

impl From<CommandProgress> for Progress {
    fn from(p: CommandProgress) -> Self {
        Self { done: p.done, total: p.total, message: p.message }
    }
}

/// A command that was sent. Dropping it does not cancel it.
pub struct Pending {
    pub(crate) node: NodeId,
    pub(crate) timeout: Duration,
    pub(crate) progress: mpsc::Receiver<Progress>,
    pub(crate) answer: oneshot::Receiver<Result<Reply, CommandFailure>>,
    pub(crate) cancel: Box<dyn Fn() + Send + Sync>,
}

impl Pending {
    /// The next report of progress; `None` when there will be no more.
    pub async fn progress(&mut self) -> Option<Progress> {
        self.progress.recv().await
    }

    /// Asks the node to stop working on it. The answer still comes and says how far it got.
    pub fn cancel(&self) {
        (self.cancel)();
    }

    pub async fn answer(self) -> Result<Reply, CommandError> {
        let uncertain = CommandError::Uncertain { node: self.node, waited: self.timeout };
        match tokio::time::timeout(self.timeout + ANSWER_GRACE, self.answer).await {
            Ok(Ok(Ok(reply))) => Ok(reply),
            Ok(Ok(Err(failure))) => Err(CommandError::Failed(Box::new(failure))),
            Ok(Err(_)) | Err(_) => Err(uncertain),
        }
    }
}

/// A command whose answer is awaited, kept across reconnects so that it can be sent again.
pub(crate) struct InFlight {
    pub(crate) body: Option<command::Body>,
    pub(crate) frame: Bytes,
    progress: mpsc::Sender<Progress>,
    waiting: Mutex<Vec<oneshot::Sender<Result<Reply, CommandFailure>>>>,
}

impl InFlight {
    pub(crate) fn new(
        body: Option<command::Body>,
        frame: Bytes,
    ) -> (Arc<Self>, mpsc::Receiver<Progress>, oneshot::Receiver<Result<Reply, CommandFailure>>) {
        let (progress, progress_seen) = mpsc::channel(16);
        let (answer, answered) = oneshot::channel();
        let this = Self { body, frame, progress, waiting: Mutex::new(vec![answer]) };
        (Arc::new(this), progress_seen, answered)
    }

    /// Another caller waits for the same command.
    pub(crate) fn join(&self) -> oneshot::Receiver<Result<Reply, CommandFailure>> {
        let (answer, answered) = oneshot::channel();
        self.waiting.lock().push(answer);
        answered
    }

    /// Whether anybody still waits.
    pub(crate) fn is_awaited(&self) -> bool {
        self.waiting.lock().iter().any(|answer| !answer.is_closed())
    }

    /// Progress that nobody reads in time is dropped: only the newest matters.
    pub(crate) fn progressed(&self, progress: CommandProgress) {
        let _ = self.progress.try_send(progress.into());
    }

    pub(crate) fn answered(&self, result: CommandResult) {
        let outcome = match result.outcome {
            Some(command_result::Outcome::Ok(reply)) => Ok(reply),
            Some(command_result::Outcome::Error(failure)) => Err(failure),
            None => Err(CommandFailure {
                message: "the node's answer says neither that it worked nor that it failed".into(),
                ..CommandFailure::default()
            }),
        };
        for answer in self.waiting.lock().drain(..) {
            let _ = answer.send(outcome.clone());
        }
    }
}
