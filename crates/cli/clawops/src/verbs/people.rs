//! Operators: who they are in each channel, what they may do, their keys.

use crate::api::Api;
use crate::args::{PeopleCommand, RoleName};
use crate::home::Home;
use crate::output;
use crate::problem::Result;
use crate::signing;
use serde_json::{Value, json};

pub async fn run(api: &Api, home: &Home, command: PeopleCommand, as_json: bool) -> Result<()> {
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
        PeopleCommand::SigningKey => return signing_key(home, as_json),
        PeopleCommand::Trust { person, public_key } => {
            let key = json!({ "publicKey": public_key });
            api.post(&format!("/v1/people/{person}/signing-keys"), key).await?
        }
        PeopleCommand::Key { person } => api.post(&format!("/v1/people/{person}/keys"), json!({})).await?,
    };
    if as_json {
        output::json(&reply);
        return Ok(());
    }
    output::print(described(&reply).trim_end());
    if let Some(key) = reply["key"].as_str() {
        output::print(&format!(
            "key: {key}\nIt is shown once and kept nowhere; whoever has it sets CLAWOPS_KEY to it."
        ));
    }
    Ok(())
}

pub fn signing_key(home: &Home, as_json: bool) -> Result<()> {
    let path = signing::file(home);
    let public = signing::public_key(&path)?;
    if as_json {
        output::json(&json!({ "publicKey": public, "file": path.display().to_string() }));
    } else {
        output::print(&format!(
            "{public}\nIts other half is in {} and stays there. An admin lets it sign for you:\n  clawops people trust PERSON {public}",
            path.display()
        ));
    }
    Ok(())
}

async fn list(api: &Api, as_json: bool) -> Result<()> {
    let reply = api.get("/v1/people?limit=1000").await?;
    if as_json {
        output::json(&reply);
        return Ok(());
    }
    let rows = reply["items"].as_array().into_iter().flatten().map(|person| line(person).to_vec());
    output::page(&output::list(
        &["PERSON", "NAME", "ROLE", "IDENTITIES"],
        rows.collect(),
        "There is nobody.",
    ));
    Ok(())
}

fn described(person: &Value) -> String {
    let [id, name, role, identities] = line(person);
    let known =
        if identities.is_empty() { "in no channel yet".to_owned() } else { format!("known as {identities}") };
    format!("{name} is {id}, {role}, {known}.")
}

fn line(person: &Value) -> [String; 4] {
    let identities = person["identities"].as_array().into_iter().flatten();
    let identities = identities.map(|identity| {
        format!("{} {}", output::cell(&identity["channel"]), output::cell(&identity["sender"]))
    });
    let disabled = if person["disabled"] == true { " (disabled)" } else { "" };
    [
        output::cell(&person["id"]),
        output::cell(&person["firstName"]),
        format!("{}{disabled}", output::cell(&person["role"])),
        identities.collect::<Vec<_>>().join(", "),
    ]
}
