//! Operators: who they are in each channel, what they may do, their keys.

use crate::api::Api;
use crate::args::{PeopleCommand, RoleName};
use crate::output;
use crate::problem::Result;
use serde_json::{Value, json};

pub async fn run(api: &Api, command: PeopleCommand, as_json: bool) -> Result<()> {
    let reply = match command {
        PeopleCommand::List => return list(api, as_json).await,
        PeopleCommand::Me => api.get("/v1/people/me").await?,
        PeopleCommand::Add { first_name, role, zone } => {
            let role = match role {
                RoleName::Viewer => "viewer",
                RoleName::Operator => "operator",
                RoleName::Approver => "approver",
                RoleName::Admin => "admin",
            };
            api.post("/v1/people", json!({ "firstName": first_name, "role": role, "zone": zone })).await?
        }
        PeopleCommand::Identity { person, channel, sender } => {
            let identity = json!({ "channel": channel, "sender": sender });
            api.post(&format!("/v1/people/{person}/identities"), identity).await?
        }
        PeopleCommand::Key { person } => api.post(&format!("/v1/people/{person}/keys"), json!({})).await?,
    };
    if as_json {
        output::json(&reply);
        return Ok(());
    }
    match reply["key"].as_str() {
        Some(key) => output::print(&format!("{key}\nThis key is shown once and kept nowhere.")),
        None => output::print(&line(&reply).join("  ")),
    }
    Ok(())
}

async fn list(api: &Api, as_json: bool) -> Result<()> {
    let reply = api.get("/v1/people?limit=1000").await?;
    if as_json {
        output::json(&reply);
        return Ok(());
    }
    let rows = reply["items"].as_array().into_iter().flatten().map(line);
    output::page(&output::table(&["PERSON", "NAME", "ROLE", "IDENTITIES"], rows.collect()));
    Ok(())
}

fn line(person: &Value) -> Vec<String> {
    let identities = person["identities"].as_array().into_iter().flatten();
    let identities = identities.map(|identity| {
        format!("{} {}", output::cell(&identity["channel"]), output::cell(&identity["sender"]))
    });
    let disabled = if person["disabled"] == true { " (disabled)" } else { "" };
    vec![
        output::cell(&person["id"]),
        output::cell(&person["firstName"]),
        format!("{}{disabled}", output::cell(&person["role"])),
        identities.collect::<Vec<_>>().join(", "),
    ]
}
