//! The rules as files: written out, tried, compared with those in force, and put in force.

use crate::api::Api;
use crate::args::Consent;
use crate::consent;
use crate::output;
use crate::problem::{Problem, Result};
use serde_json::{Map, Value, json};
use std::fs;
use std::path::Path;

pub async fn show(api: &Api, to: Option<&Path>, as_json: bool) -> Result<()> {
    let reply = api.get("/v1/policy/rules").await?;
    let files = || reply["files"].as_object().into_iter().flatten();
    if let Some(directory) = to {
        write_out(directory, files())?;
        output::print(&format!("{} They are in {}.", output::cell(&reply["summary"]), directory.display()));
        return Ok(());
    }
    if as_json {
        output::json(&reply);
        return Ok(());
    }
    let mut text = output::cell(&reply["summary"]);
    for (name, rules) in files() {
        text.push_str(&format!("\n\n// ==== {name}\n\n{}", rules.as_str().unwrap_or_default().trim_end()));
    }
    output::page(&text);
    Ok(())
}

pub async fn test(api: &Api, rules: Option<&Path>, cases: Option<&Path>, as_json: bool) -> Result<()> {
    let files = rules.map(read_in).transpose()?;
    let cases = cases.map(read).transpose()?;
    let reply = api.post("/v1/policy/test", json!({ "files": files, "cases": cases })).await?;
    if as_json {
        output::json(&reply);
    } else {
        output::print(&tried(&reply));
    }
    if reply["ok"] == true {
        return Ok(());
    }
    let failed = output::count(reply["failed"].as_u64().unwrap_or_default(), "case");
    Err(Problem::Failed(format!("decided otherwise than expected: {failed}")))
}

pub async fn plan(api: &Api, rules: &Path, as_json: bool) -> Result<()> {
    let reply = api.post("/v1/policy/plan", json!({ "files": read_in(rules)? })).await?;
    if as_json {
        output::json(&reply);
    } else {
        output::page(&planned(&reply));
    }
    Ok(())
}

pub async fn apply(api: &Api, rules: &Path, consent: Consent, as_json: bool) -> Result<()> {
    let files = read_in(rules)?;
    let plan = api.post("/v1/policy/plan", json!({ "files": files })).await?;
    if !as_json {
        output::print(&planned(&plan));
    }
    consent::confirm("These rules will be in force at once.", consent)?;
    // What was shown is what is agreed to, also if the files or the rules in force change meanwhile.
    let agreed = json!({ "files": files, "digest": plan["digest"], "replaces": plan["replaces"] });
    let reply = api.post("/v1/policy/apply", agreed).await?;
    if as_json {
        output::json(&reply);
    } else {
        output::print(&output::cell(&reply["summary"]));
    }
    Ok(())
}

fn write_out<'a>(directory: &Path, files: impl Iterator<Item = (&'a String, &'a Value)>) -> Result<()> {
    let file = |path: &Path| {
        let path = path.to_owned();
        move |source| Problem::File { path, source }
    };
    fs::create_dir_all(directory).map_err(file(directory))?;
    for (name, rules) in files {
        // The control plane names files without a directory; nothing else is written anywhere.
        let Some(name) = Path::new(name).file_name() else { continue };
        let path = directory.join(name);
        fs::write(&path, rules.as_str().unwrap_or_default()).map_err(file(&path))?;
    }
    Ok(())
}

fn read_in(directory: &Path) -> Result<Value> {
    let unreadable = |source| Problem::File { path: directory.to_owned(), source };
    let mut files = Map::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_none_or(|extension| extension != "cedar") {
            continue;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        files.insert(name, read(&path)?.into());
    }
    if files.is_empty() {
        return Err(Problem::Usage {
            what: directory.display().to_string(),
            problem: "there is no *.cedar file in it".into(),
            fix: format!("write the rules in force there: clawops policy rules --to {}", directory.display()),
        });
    }
    Ok(files.into())
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|source| Problem::File { path: path.to_owned(), source })
}

fn tried(reply: &Value) -> String {
    let wrong = reply["results"].as_array().into_iter().flatten().filter(|result| result["ok"] != true);
    wrong.fold(output::cell(&reply["summary"]), |text, result| {
        let [name, expected, decision, rules] =
            ["name", "expected", "decision", "rules"].map(|field| output::cell(&result[field]));
        format!("{text}\n{name}\n  expected {expected}\n  decided  {decision} by {rules}")
    })
}

fn planned(plan: &Value) -> String {
    let mut text = output::cell(&plan["summary"]);
    let each = |field: &str| plan[field].as_array().cloned().unwrap_or_default();
    let lines = |mark: &str, rule: &Value| {
        let rule = rule.as_str().unwrap_or_default();
        rule.lines().map(|line| format!("\n{mark} {line}")).collect::<String>()
    };
    for rule in each("removed") {
        text.push_str(&format!("\n{}", lines("-", &rule["text"])));
    }
    for rule in each("changed") {
        text.push_str(&format!("\n{}{}", lines("-", &rule["before"]), lines("+", &rule["after"])));
    }
    for rule in each("added") {
        text.push_str(&format!("\n{}", lines("+", &rule["text"])));
    }
    for case in each("decidedOtherwise") {
        let [case, before, after] = ["case", "before", "after"].map(|field| output::cell(&case[field]));
        text.push_str(&format!("\n\n{case}: {before} → {after}"));
    }
    for warning in each("warnings") {
        text.push_str(&format!(
            "\n\nwarning: {}: {}",
            output::cell(&warning["file"]),
            output::cell(&warning["what"])
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_shows_what_goes_and_what_comes() {
        let told = planned(&json!({
            "summary": "It would change 0 added, 0 removed, 1 changed.",
            "added": [], "removed": [], "warnings": [],
            "changed": [{"rule": "few", "before": "permit\nwhen { a > 10 };", "after": "permit\nwhen { a > 5 };"}],
            "decidedOtherwise": [{"case": "ten alone", "before": "allow", "after": "needs approval"}],
        }));
        let expected = "It would change 0 added, 0 removed, 1 changed.\n\n- permit\n- when { a > 10 };\n+ permit\n\
                        + when { a > 5 };\n\nten alone: allow → needs approval";
        assert_eq!(told, expected);
    }

    #[test]
    fn files_go_out_and_come_back() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("rules");
        let files = json!({ "a.cedar": "permit (principal, action, resource);", "b.cedar": "" });
        write_out(&directory, files.as_object().unwrap().iter()).unwrap();
        fs::write(directory.join("notes.txt"), "not a rule").unwrap();
        assert_eq!(read_in(&directory).unwrap(), files);
        let empty = read_in(home.path()).unwrap_err().to_string();
        assert!(empty.contains("*.cedar") && empty.contains("--to"), "{empty}");
    }

    #[test]
    fn a_case_that_went_otherwise_says_by_what() {
        let told = tried(&json!({"summary": "2 cases, 1 decided otherwise than expected.", "results": [
            {"name": "fine", "ok": true, "expected": "allow", "decision": "allow", "rules": ["x"]},
            {"name": "ten alone", "ok": false, "expected": "allow", "decision": "refuse", "rules": ["night"]},
        ]}));
        assert!(told.ends_with("\nten alone\n  expected allow\n  decided  refuse by night"), "{told}");
    }
}
