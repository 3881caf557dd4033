//! The hub against nodes that speak the real bytes, over memory and over a WebSocket.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod admission;
mod commands;
mod crowd;
mod hostile;
mod node;
mod registry;
mod reports;
mod tickets;
mod versions;
mod websocket;
