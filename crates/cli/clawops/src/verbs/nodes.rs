//! Nodes: which gf-clawnode each runs, and how they become another one.

use crate::api::Api;
use crate::args::{NodesCommand, UpdateArgs};
use crate::consent;
use crate::output::{self, table};
use crate::problem::Result;
use serde_json::{Value, json};

pub async fn run(api: &Api, command: NodesCommand, as_json: bool) -> Result<()> {
    match command {
        NodesCommand::List => list(api, as_json).await,
        NodesCommand::Update(args) => update(api, args, as_json).await,
    }
}

async fn list(api: &Api, as_json: bool) -> Result<()> {
    let reply = api.get("/v1/nodes?limit=1000").await?;
    if as_json {
        output::json(&reply);
        return Ok(());
    }
    let nodes = reply["items"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or("–").to_owned();
    let row = |node: &Value| {
        let link = if node["connected"] == true { "connected" } else { "away" };
        vec![
            text(&node["id"]),
            text(&node["provider"]),
            link.to_owned(),
            text(&node["software"]),
            node["instances"].to_string(),
        ]
    };
    let head = ["node", "provider", "link", "gf-clawnode", "instances"];
    output::print(&table(&head, nodes.iter().map(row).collect()));
    Ok(())
}

async fn update(api: &Api, args: UpdateArgs, as_json: bool) -> Result<()> {
    let order = json!({
        "to": args.to,
        "nodes": args.nodes,
        "ringSizes": args.rings,
        "ringSize": args.ring_size,
        "settleSeconds": args.settle,
    });
    if args.dry_run {
        let reply = api.post("/v1/nodes/update?dryRun=true", order).await?;
        if as_json {
            output::json(&reply);
        } else {
            output::print(reply["summary"].as_str().unwrap_or_default());
        }
        return Ok(());
    }
    let confirmed = if args.consent.yes { "?confirm=true" } else { "" };
    let reply = api.post(&format!("/v1/nodes/update{confirmed}"), order).await?;
    consent::settle(api, reply, args.consent, as_json).await
}
