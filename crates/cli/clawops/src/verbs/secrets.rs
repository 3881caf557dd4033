//! Secrets of accounts. A value goes in by standard input and never comes out.

use crate::api::Api;
use crate::args::SecretsCommand;
use crate::consent::confirm;
use crate::output;
use crate::problem::{Problem, Result};
use serde_json::{Value, json};
use std::io::Read;

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
                output::page(&output::table(&["NAME", "CHANGED"], rows.collect()));
            }
            reply
        }
        SecretsCommand::Set { account, name } => {
            let mut value = String::new();
            std::io::stdin()
                .read_to_string(&mut value)
                .map_err(|e| Problem::Failed(format!("cannot read the value from standard input: {e}")))?;
            let value = value.strip_suffix('\n').unwrap_or(&value);
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
