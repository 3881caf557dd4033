//! A connection that comes back: reconnects with back-off and hands out the current [`Client`].
//!
//! Never resends a request; a caller whose request met a broken connection asks again if it may.

use crate::{Client, Endpoint, Error, Event, Result};
use std::time::Duration;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

const CONNECT_WITHIN: Duration = Duration::from_secs(20);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
const EVENT_BACKLOG: usize = 2048;

/// Keeps one connection to a gateway, for as long as it is held.
#[derive(Debug)]
pub struct Session {
    current: watch::Receiver<State>,
    events: broadcast::Sender<Event>,
    keeper: JoinHandle<()>,
}

#[derive(Debug, Clone)]
enum State {
    Connecting {
        why: String,
    },
    Connected(Client),
    /// Trying again cannot help: wrong token, wrong release.
    Hopeless(String),
}

impl Session {
    pub fn start(endpoint: Endpoint) -> Self {
        let (state, current) = watch::channel(State::Connecting { why: "not connected yet".into() });
        let (events, _) = broadcast::channel(EVENT_BACKLOG);
        let keeper = tokio::spawn(keep(endpoint, state, events.clone()));
        Self { current, events, keeper }
    }

    /// The open connection, waiting for it if there is none at the moment.
    pub async fn client(&self, within: Duration) -> Result<Client> {
        let mut current = self.current.clone();
        let settled = current.wait_for(|state| match state {
            State::Connected(client) => !client.is_closed(),
            State::Hopeless(_) => true,
            State::Connecting { .. } => false,
        });
        match timeout(within, settled).await {
            Ok(Ok(state)) => match &*state {
                State::Connected(client) => Ok(client.clone()),
                State::Hopeless(why) | State::Connecting { why } => {
                    Err(Error::Closed { reason: why.clone() })
                }
            },
            Ok(Err(_)) => Err(Error::Closed { reason: "the session ended".into() }),
            Err(_) => match &*self.current.borrow() {
                State::Connecting { why } | State::Hopeless(why) => {
                    Err(Error::Closed { reason: why.clone() })
                }
                State::Connected(_) => Err(Error::Timeout { method: "connect".into(), after: within }),
            },
        }
    }

    /// Events across reconnects. What happened while there was no connection is not in it.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

async fn keep(endpoint: Endpoint, state: watch::Sender<State>, events: broadcast::Sender<Event>) {
    let mut pause = FIRST_PAUSE;
    loop {
        match Client::connect(&endpoint, CONNECT_WITHIN).await {
            Ok(client) => {
                pause = FIRST_PAUSE;
                let mut incoming = client.events();
                state.send_replace(State::Connected(client.clone()));
                let why = loop {
                    tokio::select! {
                        why = client.closed() => break why,
                        event = incoming.recv() => if let Ok(event) = event { let _ = events.send(event); },
                    }
                };
                state.send_replace(State::Connecting { why });
            }
            Err(error) if hopeless(&error) => {
                state.send_replace(State::Hopeless(error.to_string()));
                return;
            }
            Err(error) => {
                state.send_replace(State::Connecting { why: error.to_string() });
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn hopeless(error: &Error) -> bool {
    match error {
        Error::Version { .. } => true,
        Error::Refused { error, .. } => !error.retryable,
        _ => false,
    }
}
