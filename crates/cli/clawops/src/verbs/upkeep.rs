//! When rollouts and restarts may reach a gateway, and whether it stays at what it has.

use crate::api::Api;
use crate::output;
use crate::problem::Result;
use serde_json::{Value, json};

pub async fn pin(api: &Api, account: &str, reason: &str, as_json: bool) -> Result<()> {
    let reply = api.put(&format!("/v1/gateways/{account}/pin"), json!({ "reason": reason })).await?;
    show(account, &reply, as_json)
}

pub async fn unpin(api: &Api, account: &str, as_json: bool) -> Result<()> {
    let reply = api.delete(&format!("/v1/gateways/{account}/pin")).await?;
    show(account, &reply, as_json)
}

pub async fn window(api: &Api, account: &str, when: Option<String>, as_json: bool) -> Result<()> {
    let path = format!("/v1/gateways/{account}/window");
    let reply = match when {
        Some(when) => api.put(&path, json!({ "when": when })).await?,
        None => api.delete(&path).await?,
    };
    show(account, &reply, as_json)
}

fn show(account: &str, upkeep: &Value, as_json: bool) -> Result<()> {
    if as_json {
        output::json(upkeep);
        return Ok(());
    }
    let pin = match (&upkeep["pin"]["reason"], &upkeep["pin"]["revision"]) {
        (Value::String(reason), Value::String(revision)) => format!("stays at {revision} ({reason})"),
        (Value::String(reason), _) => format!("stays at what it has ({reason})"),
        _ => "takes rollouts".to_owned(),
    };
    let window = match &upkeep["window"] {
        Value::String(window) => format!("is looked after {window}"),
        _ => "is looked after at any time".to_owned(),
    };
    output::print(&format!("{account} {pin} and {window}."));
    Ok(())
}
