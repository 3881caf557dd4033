//! Talking to Commander.
//!
//! What a person types goes to the control plane first: only its own rule says whether it answers an open question.
//! Everything else goes to the agent. A question is drawn here in the control plane's words; a reply of the model can
//! look like anything and never grants anything.

mod once;
mod prompt;
mod screen;
mod talk;
mod unseen;

use crate::api::Api;
use crate::home::Home;
use crate::problem::{Problem, Result};
use openclaw_client::{Client, Endpoint, Error, Token};
use screen::Screen;
use std::fs;
use std::io::IsTerminal;
use std::time::Duration;
use talk::Talk;

const CONNECT_WITHIN: Duration = Duration::from_secs(10);

pub async fn chat(home: &Home, text: &str, as_json: bool) -> Result<()> {
    let screen = Screen::new(as_json);
    let mut talk = Talk::open(home, screen).await?;
    talk.catch_up().await?;
    match text.trim() {
        "" if std::io::stdin().is_terminal() => prompt::converse(talk, home).await,
        "" => once::all_of_stdin(talk).await,
        line => once::one_line(talk, line).await,
    }
}

/// The conversation of the person whose key we hold: its name at the control plane, and its session at Commander.
struct Conversation {
    key: String,
    session: String,
}

impl Conversation {
    async fn of_me(api: &Api) -> Result<Self> {
        let me = api.get("/v1/people/me").await?;
        let person = me["id"].as_str().ok_or_else(|| Problem::Unexpected {
            path: "/v1/people/me".into(),
            problem: "it has no id".into(),
        })?;
        Ok(Self { key: format!("cli:{person}"), session: format!("agent:commander:cli-{person}") })
    }
}

async fn connect(home: &Home) -> Result<Client> {
    let addr = home.ops_gateway();
    let path = home.key("ops-gateway.token");
    let token = fs::read_to_string(&path).map_err(|e| match e.kind() {
        // Made by the first `up`.
        std::io::ErrorKind::NotFound => {
            Problem::NotRunning { what: "the ops gateway", addr: addr.to_string() }
        }
        _ => Problem::file(&path, e),
    })?;
    let endpoint = Endpoint { addr, token: Token::new(token.trim()) };
    Client::connect(&endpoint, CONNECT_WITHIN).await.map_err(|error| match error {
        Error::Unreachable { .. } => Problem::NotRunning { what: "the ops gateway", addr: addr.to_string() },
        other => other.into(),
    })
}
