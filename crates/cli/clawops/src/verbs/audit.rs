//! Who did what, and whether the record is whole.

use crate::api::Api;
use crate::args::AuditCommand;
use crate::output::{self, Paint, paint, state};
use crate::problem::{Problem, Result};
use gf_tools::{AuditLogParams, AuditLogReply};
use serde_json::json;

pub async fn run(api: &Api, command: AuditCommand, as_json: bool) -> Result<()> {
    match command {
        AuditCommand::Show { account, actor, action, trace, limit } => {
            let limit = Some(limit);
            let params = AuditLogParams { account, actor, action, trace, limit, ..Default::default() };
            show(api, params, as_json).await
        }
        AuditCommand::Verify => verify(api, as_json).await,
    }
}

async fn show(api: &Api, params: AuditLogParams, as_json: bool) -> Result<()> {
    let reply = api.tool("gf_audit_log", json!(params)).await?;
    if as_json {
        output::json(&reply);
        return Ok(());
    }
    let log: AuditLogReply = serde_json::from_value(reply)
        .map_err(|e| Problem::Unexpected { path: "gf_audit_log".into(), problem: e.to_string() })?;
    let rows = log.rows.into_iter().map(|row| {
        vec![
            row.sequence.to_string(),
            output::time(&row.at),
            row.actor,
            row.action,
            state(&row.outcome),
            row.targets.join(", "),
            row.note.unwrap_or_default(),
            row.trace.unwrap_or_default(),
        ]
    });
    let head = ["ROW", "TIME", "WHO", "WHAT", "OUTCOME", "TARGETS", "NOTE", "TRACE"];
    output::page(&format!("{}\n\n{}", log.summary, output::list(&head, rows.collect(), "No row matches.")));
    Ok(())
}

async fn verify(api: &Api, as_json: bool) -> Result<()> {
    let reply = api.get("/v1/audit/verify").await?;
    let whole = reply["ok"].as_bool().or_else(|| reply["chainOk"].as_bool()).unwrap_or(false);
    if as_json {
        output::json(&reply);
    } else {
        let said = reply["summary"].as_str().map_or_else(|| reply.to_string(), str::to_owned);
        output::print(&paint(&said, if whole { Paint::Good } else { Paint::Bad }));
    }
    if whole { Ok(()) } else { Err(Problem::Failed("the audit record is not whole".into())) }
}
