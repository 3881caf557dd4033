//! Everything that claw-brain promises, in one binary.
#![allow(clippy::unwrap_used)]

mod brevity;
mod companion;
mod conversations;
mod dialogue;
mod evaluation;
mod outage;
mod protocol;
mod restraint;
mod support;
mod understanding;
mod voices;
