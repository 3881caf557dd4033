//! Secrets of accounts. A value goes in by standard input and never comes out.

use crate::api::Api;
use crate::args::SecretsCommand;
use crate::consent::confirm;
use crate::output;
use crate::problem::{Problem, Result};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use serde_json::{Value, json};
use std::io::{BufRead, IsTerminal, Read};

pub async fn run(api: &Api, command: SecretsCommand, as_json: bool) -> Result<()> {
    let reply = match command {
        SecretsCommand::List { account } => {
            let reply = api.get(&format!("/v1/accounts/{account}/secrets")).await?;
            if !as_json {
                let names = reply["items"].as_array().into_iter().flatten();
                let rows = names.map(|secret| match secret {
                    Value::Object(secret) => vec![
                        output::cell(secret.get("name").unwrap_or(&Value::Null)),
                        secret.get("updatedAt").and_then(Value::as_str).map_or("–".into(), output::time),
                    ],
                    name => vec![output::cell(name), "–".into()],
                });
                let empty =
                    format!("{account} has no secrets; `clawops secrets set {account} NAME` sets one.");
                output::page(&output::list(&["NAME", "CHANGED"], rows.collect(), &empty));
            }
            reply
        }
        SecretsCommand::Set { account, name } => {
            let value = read_value(&name)?;
            let path = format!("/v1/accounts/{account}/secrets/{name}");
            let reply = api.put(&path, json!({ "value": value })).await?;
            if !as_json {
                output::print(&format!("{name} of {account} is set."));
            }
            reply
        }
        SecretsCommand::Delete { account, name, consent } => {
            confirm(&format!("Delete the secret {name} of {account}? It cannot be brought back."), consent)?;
            let reply = api.delete(&format!("/v1/accounts/{account}/secrets/{name}")).await?;
            if !as_json {
                output::print(&format!("{name} of {account} is deleted."));
            }
            reply
        }
    };
    if as_json {
        output::json(&reply);
    }
    Ok(())
}

/// A line that is typed without being shown, or all of a pipe.
fn read_value(name: &str) -> Result<String> {
    let mut value = String::new();
    let stdin = std::io::stdin();
    let read = if stdin.is_terminal() {
        eprint!("Value of {name} (not shown): ");
        let read = without_echo(|| stdin.lock().read_line(&mut value));
        eprintln!();
        read
    } else {
        stdin.lock().read_to_string(&mut value)
    };
    read.map_err(|e| Problem::Failed(format!("cannot read the value from standard input: {e}")))?;
    let value = value.strip_suffix('\n').unwrap_or(&value);
    if value.is_empty() {
        return Err(Problem::Usage {
            what: format!("the value of {name}"),
            problem: "it is empty".into(),
            fix: "type it, or send it by standard input: `clawops secrets set … < file`".into(),
        });
    }
    Ok(value.to_owned())
}

fn without_echo<T>(read: impl FnOnce() -> T) -> T {
    let terminal = std::io::stdin();
    let before = tcgetattr(&terminal).ok();
    if let Some(mut silent) = before.clone() {
        silent.local_modes.remove(LocalModes::ECHO);
        // Where it cannot be hidden it is typed in the open, as anything else on that terminal.
        let _ = tcsetattr(&terminal, OptionalActions::Now, &silent);
    }
    let read = read();
    if let Some(before) = before {
        let _ = tcsetattr(&terminal, OptionalActions::Now, &before);
    }
    read
}
