//! The offline model: operator sentences become tool calls, tool results become answers.
//!
//! Everything but [`server`] is a pure function of the messages: no clock, no randomness, no network, no
//! state between calls. It must never make up a number, and never let anything change that was not ordered.

pub mod answer;
mod certain;
pub mod chat;
mod companion;
mod correction;
pub mod envelope;
mod grammar;
pub mod honesty;
mod internal;
pub mod language;
mod memory;
mod notice;
mod operator;
pub mod server;
mod step;
mod telling;
pub mod understand;

pub use chat::{Call, ChatRequest, ChatTurn};

/// The models that are served.
pub const MODELS: [&str; 2] = ["operator", "companion"];

/// One turn, whichever model is asked; a name that is not known is answered as `operator`.
pub fn respond(request: &ChatRequest) -> ChatTurn {
    let conversation = envelope::Conversation::read(request);
    match request.model.rsplit('/').next() {
        Some("companion") => companion::respond(&conversation),
        _ => operator::respond(&conversation),
    }
}
