//! What is there and the store does not know: shown as a plan, and taken in with a person's yes.

use crate::api::Api;
use crate::args::Consent;
use crate::consent::confirm;
use crate::output;
use crate::problem::Result;
use serde_json::{Value, json};

pub async fn adopt(api: &Api, consent: Consent, as_json: bool) -> Result<()> {
    let plan = api.get("/v1/adoption").await?;
    if plan["open"] != true {
        match as_json {
            true => output::json(&plan),
            false => output::print("Nothing waits: the store was neither lost nor put back from a copy."),
        }
        return Ok(());
    }
    if !as_json {
        output::print(&words(&plan));
    }
    confirm("Write this down and go on? Nothing is restarted, moved or deleted by it.", consent)?;
    let done = api.post("/v1/adoption", json!({ "digest": plan["digest"] })).await?;
    match as_json {
        true => output::json(&done),
        false => output::print("Written down. The control plane goes on."),
    }
    Ok(())
}

fn words(plan: &Value) -> String {
    let list = |of: &str| -> Vec<String> {
        plan[of].as_array().into_iter().flatten().map(|line| format!("  {}", output::cell(line))).collect()
    };
    let (lines, unknown) = (list("lines"), list("unknown"));
    let mut text =
        format!("The store was {} at {}.", output::cell(&plan["why"]), output::cell(&plan["since"]));
    match lines.is_empty() {
        true => text.push_str(" What is there is what it says."),
        false => text.push_str(&format!(" What is there:\n{}", lines.join("\n"))),
    }
    if !unknown.is_empty() {
        text.push_str(&format!("\nWhat cannot be known:\n{}", unknown.join("\n")));
    }
    text
}
