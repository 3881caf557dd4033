//! The tools that agents have, straight from the types that they are made of; needs no control plane.

use crate::output::{self, Paint, paint};
use crate::problem::Result;
use serde_json::json;

pub fn show(as_json: bool) -> Result<()> {
    if as_json {
        let tools = gf_tools::TOOLS.iter().map(|tool| {
            json!({
                "name": tool.name,
                "description": tool.description,
                "readOnly": tool.read_only,
                "usedBy": tool.used_by,
                "parameters": (tool.parameters)(),
                "reply": (tool.reply)(),
            })
        });
        output::json(&tools.collect());
        return Ok(());
    }
    let lines = gf_tools::TOOLS.iter().map(|tool| {
        let kind = if tool.read_only { "reads" } else { "acts" };
        let title = paint(tool.name, Paint::Bold);
        format!("{title}  {kind}  used by {}\n    {}", tool.used_by.join(", "), tool.description)
    });
    output::page(&lines.collect::<Vec<_>>().join("\n"));
    Ok(())
}
