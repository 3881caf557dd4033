//! The verbs that change something: the same tools that the agents have, called with a person's own key.

use crate::api::Api;
use crate::args::{
    Consent, ProvisionArgs, PushArgs, Reason, ResizeArgs, RestartArgs, RestoreArgs, TeardownArgs,
};
use crate::consent::carry_out;
use crate::output;
use crate::problem::{Problem, Result};
use gf_tools::{
    BulkRestartParams, ConfigPushParams, FailoverParams, InstanceFilter, ProvisionParams, RestoreParams,
    Targets, TeardownParams, TierResizeParams,
};
use serde_json::{Map, Value, json};

fn some_if<T>(value: T, given: bool) -> Option<T> {
    given.then_some(value)
}

fn unless_empty(list: Vec<String>) -> Option<Vec<String>> {
    (!list.is_empty()).then_some(list)
}

pub async fn provision(api: &Api, args: ProvisionArgs, as_json: bool) -> Result<()> {
    let params = ProvisionParams {
        count: args.count,
        account_ids: unless_empty(args.account),
        tier: args.tier,
        regions: unless_empty(args.region),
        primary_provider: args.primary,
        standby_provider: args.standby,
        purpose: args.purpose,
    };
    carry_out(api, "gf_provision", json!(params), args.consent, as_json).await
}

pub async fn teardown(api: &Api, args: TeardownArgs, as_json: bool) -> Result<()> {
    let reason = match args.reason {
        Reason::Idle => "idle",
        Reason::OperatorRequest => "operator_request",
        Reason::BillingFailure => "billing_failure",
        Reason::AccountClosed => "account_closed",
        Reason::Maintenance => "maintenance",
    };
    let params = TeardownParams {
        account_ids: args.accounts,
        reason: reason.into(),
        archive: some_if(false, args.no_archive),
        standby_only: some_if(true, args.standby_only),
    };
    carry_out(api, "gf_teardown", json!(params), args.consent, as_json).await
}

pub async fn restore(api: &Api, args: RestoreArgs, as_json: bool) -> Result<()> {
    let params = RestoreParams {
        account_id: args.account,
        snapshot: args.snapshot,
        archive: args.archive,
        reason: args.reason,
    };
    carry_out(api, "gf_restore", json!(params), args.consent, as_json).await
}

pub async fn resize(api: &Api, args: ResizeArgs, as_json: bool) -> Result<()> {
    let params = TierResizeParams { account_ids: args.accounts, new_tier: args.tier, dry_run: None };
    carry_out(api, "gf_tier_resize", json!(params), args.consent, as_json).await
}

pub async fn push(api: &Api, args: PushArgs, as_json: bool) -> Result<()> {
    let params = ConfigPushParams {
        targets: if args.accounts.is_empty() {
            Targets::Word("all".into())
        } else {
            Targets::Ids(args.accounts)
        },
        patch: match (&args.file, &args.patch) {
            (Some(file), _) => {
                let text = std::fs::read_to_string(file).map_err(|e| Problem::file(file, e))?;
                object(&text, &file.display().to_string())?
            }
            (None, patch) => object(patch.as_deref().unwrap_or_default(), "--patch")?,
        },
        description: args.description,
        strategy: match &args.canary {
            Some(_) => Some("canary".to_owned()),
            None => some_if("immediate".to_owned(), args.immediate),
        },
        canary_sizes: args.canary.filter(|sizes| !sizes.is_empty()),
        settle_seconds: args.settle,
        batch_size: args.batch_size,
        dry_run: some_if(true, args.dry_run),
    };
    if args.dry_run {
        let reply = api.tool("gf_config_push", json!(params)).await?;
        if as_json {
            output::json(&reply)
        } else {
            output::print(&diff(&reply))
        }
        return Ok(());
    }
    carry_out(api, "gf_config_push", json!(params), args.consent, as_json).await
}

fn object(text: &str, origin: &str) -> Result<Map<String, Value>> {
    let bad = |problem: String| Problem::Usage {
        what: origin.to_owned(),
        problem,
        fix: "give a JSON object, such as {\"logging\": {\"level\": \"debug\"}}".into(),
    };
    match serde_json::from_str(text) {
        Ok(Value::Object(patch)) => Ok(patch),
        Ok(_) => Err(bad("it is JSON, but not an object".into())),
        Err(e) => Err(bad(format!("it is not JSON: {e}"))),
    }
}

fn diff(reply: &Value) -> String {
    let mut text = output::cell(&reply["summary"]);
    for line in reply["diff"].as_array().into_iter().flatten() {
        let (old, new) = (output::cell(&line["old"]), output::cell(&line["new"]));
        text.push_str(&format!("\n  {}: {old} → {new}", output::cell(&line["path"])));
    }
    text
}

pub async fn rollback(api: &Api, operation: Option<String>, consent: Consent, as_json: bool) -> Result<()> {
    let id = match operation {
        Some(id) => id,
        None => newest_push(api).await?,
    };
    carry_out(api, "gf_operation", json!({ "id": id, "action": "rollback" }), consent, as_json).await
}

async fn newest_push(api: &Api) -> Result<String> {
    let operations = api.get("/v1/operations?limit=200").await?;
    let pushes = operations["items"].as_array().into_iter().flatten().filter(|operation| {
        let verb = operation["verb"].as_str().or_else(|| operation["verb"]["verb"].as_str());
        verb.is_some_and(|verb| matches!(verb, "config_push" | "configPush" | "push"))
    });
    let started = |operation: &&Value| {
        let at = operation["createdAt"].as_str().or_else(|| operation["startedAt"].as_str());
        at.unwrap_or_default().to_owned()
    };
    pushes
        .max_by_key(started)
        .and_then(|operation| operation["id"].as_str().map(str::to_owned))
        .ok_or_else(|| Problem::Failed("nothing was pushed yet, so there is nothing to roll back".into()))
}

pub async fn restart(api: &Api, args: RestartArgs, as_json: bool) -> Result<()> {
    let by_filter = args.instances.is_empty();
    let params = BulkRestartParams {
        instance_ids: unless_empty(args.instances),
        filter: by_filter.then(|| InstanceFilter {
            provider: args.provider,
            status: args.state,
            account_ids: args.account,
            ..InstanceFilter::default()
        }),
        reason: args.reason,
        concurrency: None,
    };
    carry_out(api, "gf_bulk_restart", json!(params), args.consent, as_json).await
}

pub async fn failover(api: &Api, params: FailoverParams, consent: Consent, as_json: bool) -> Result<()> {
    carry_out(api, "gf_failover", json!(params), consent, as_json).await
}
