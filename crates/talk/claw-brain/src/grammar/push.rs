//! Configuration to many gateways: the operator's JSON as it stands, or one key in words.

use super::{
    Scene,
    targets::{self, Targets},
};
use crate::{
    language::{Clause, FILLERS, Kind, Mood, Sense},
    step::{Step, put},
};
use serde_json::{Value, json};

pub fn read(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let slots = &clause.slots;
    let verbs = [Sense::Push, Sense::Set, Sense::Move, Sense::Use, Sense::Make, Sense::Send];
    let ordered = verbs.iter().any(|verb| clause.orders(*verb));
    let has_json = !slots.json.is_empty() || slots.broken_json.is_some();
    let names_model = clause.has(Sense::Model) && !slots.models.is_empty();
    let about = has_json
        || clause.has(Sense::Config)
        || names_model
        || (clause.any(&[Sense::Set, Sense::Move]) && !slots.key_paths.is_empty());
    let hypothetical = clause.head_is(Sense::Show) && clause.says_any(&["would", "if"]) && has_json;
    let dry = hypothetical
        || clause.phrase("dry run")
        || clause.says("dry-run")
        || clause.says("preview")
        || (clause.is_question() && has_json);
    // "I want this pushed: {…}", "give all accounts this config: {…}".
    let gives =
        clause.tokens.get(clause.head).is_some_and(|head| head.text == "give") && clause.mood == Mood::Order;
    let wanted = clause.head_is(Sense::Want)
        && (clause.has(Sense::Push) || gives)
        && has_json
        && !clause.is_question();
    let ordered = ordered || wanted || addressed(clause);
    if names_model && clause.mood == Mood::Statement && !ordered {
        return Some(vec![Step::ask(
            "Shall I push that model? Please say for example: set the model to that one everywhere.",
        )]);
    }
    if has_json && !ordered && !dry && !clause.negated && clause.mood == Mood::Statement {
        return Some(vec![Step::ask(
            "Shall I push this configuration, and to whom? Please say for example: push it to everyone, with the JSON.",
        )]);
    }
    let bare = clause.orders(Sense::Push)
        && clause.head_is(Sense::Push)
        && !about
        && !clause.has(Sense::Make)
        && slots.accounts.is_empty()
        && slots.operations.is_empty()
        && !clause.has(Sense::Rollback);
    if bare && clause.any(&[Sense::Pronoun, Sense::All]) {
        return Some(vec![Step::ask(
            "Which configuration? Please send the JSON to merge, for example {\"tools\":{…}}.",
        )]);
    }
    if clause.mood == Mood::Statement
        && !clause.negated
        && !clause.is_question()
        && slots.key_paths.len() == 1
        && assigned(clause).is_some()
        && !ordered
    {
        return Some(vec![Step::ask(
            "Shall I push that? Please say for example: set that key to that value everywhere.",
        )]);
    }
    if clause.negated || !about || !(ordered || (dry && has_json)) || clause.any(&[Sense::Rollback]) {
        return None;
    }
    if let Some(problem) = &slots.broken_json {
        let problem = problem.split(" at line").next().unwrap_or_default();
        return Some(vec![Step::ask(format!(
            "That is not valid JSON ({problem}), so I pushed nothing. Please send it again."
        ))]);
    }
    let Some(patch) = patch(clause) else {
        return Some(vec![Step::ask(
            "Which configuration? Please send the JSON to merge, for example {\"tools\":{…}}.",
        )]);
    };
    let targets = match target(scene) {
        Ok(targets) => targets,
        Err(first) => return Some(vec![first]),
    };
    let mut arguments = json!({ "targets": targets, "patch": patch, "description": describe(&patch) });
    put(&mut arguments, "batchSize", batch_size(clause));
    let sizes = canary_sizes(clause);
    put(&mut arguments, "settleSeconds", settle_seconds(clause));
    let strategy = match () {
        () if clause.says("canary") => Some("canary"),
        () if clause.says_any(&["immediate", "immediately"]) || clause.phrase("at once") => Some("immediate"),
        () if clause.says("rolling") => Some("rolling"),
        () => None,
    };
    put(&mut arguments, "strategy", strategy);
    put(&mut arguments, "canarySizes", sizes.filter(|_| strategy == Some("canary")));
    put(&mut arguments, "dryRun", dry.then_some(true));
    Some(vec![Step::call("gf_config_push", arguments)])
}

/// "{…} to everyone": JSON with the word to whom is as plain as a verb, where nothing is told of it.
fn addressed(clause: &Clause) -> bool {
    const TELLING: [&str; 12] =
        ["is", "was", "were", "has", "had", "said", "sent", "says", "wrote", "got", "who", "why"];
    let json = clause.tokens.iter().position(|token| matches!(token.kind, Kind::Json(_)));
    let to = json
        .and_then(|at| clause.tokens.get(at + 1))
        .is_some_and(|next| matches!(next.text.as_str(), "to" | "on" | "onto" | "for" | "everywhere"));
    let before = json.is_some_and(|at| {
        const HOW: [&str; 10] =
            ["canary", "rolling", "immediate", "push", "rollout", "of", "a", "config", "patch", "for"];
        clause.tokens[..at].iter().all(|token| {
            token.is_break() || FILLERS.contains(&token.text.as_str()) || HOW.contains(&token.text.as_str())
        })
    });
    clause.mood == Mood::Statement && to && before && !clause.negated && !clause.says_any(&TELLING)
}

/// "As canary, 1 then 5 then 25 then the rest": a row of numbers that nothing else counts.
pub fn canary_sizes(clause: &Clause) -> Option<Vec<i64>> {
    let joint = |from: usize, to: usize| {
        clause.tokens[from + 1..to].iter().all(|token| {
            token.is_break() || matches!(token.text.as_str(), "then" | "and" | "to" | "," | "after" | "that")
        })
    };
    let numbers = &clause.slots.numbers;
    let rows = (0..numbers.len()).find_map(|start| {
        let mut end = start;
        while numbers.get(end + 1).is_some_and(|(_, at)| joint(numbers[end].1, *at)) {
            end += 1;
        }
        (end > start).then(|| numbers[start..=end].iter().map(|(n, _)| *n).collect::<Vec<i64>>())
    });
    rows.filter(|sizes| clause.says("canary") && sizes.windows(2).all(|two| two[0] <= two[1]))
}

/// "Wait 30 seconds after each batch".
pub fn settle_seconds(clause: &Clause) -> Option<i64> {
    let seconds = clause.slots.numbers.iter().find(|(_, at)| {
        clause.tokens.get(at + 1).is_some_and(|next| {
            matches!(next.raw.to_lowercase().as_str(), "second" | "seconds" | "sec" | "secs" | "s")
        })
    });
    let compact = clause.tokens.iter().find_map(|token| {
        let digits = token.raw.strip_suffix('s')?;
        digits.parse::<i64>().ok()
    });
    let waits = clause
        .says_any(&["settle", "settling", "wait", "waiting", "pause", "between", "soak", "soaking"])
        || clause.any(&[Sense::Pause]) && clause.says("batch")
        || clause.says_any(&["batch", "batches"]) && clause.says_any(&["each", "every", "per", "after"]);
    let minutes = clause.slots.minutes.map(|minutes| minutes.saturating_mul(60));
    seconds.map(|(n, _)| *n).or(compact).or(minutes).filter(|_| waits)
}

fn patch(clause: &Clause) -> Option<Value> {
    let slots = &clause.slots;
    if let [patch] = slots.json.as_slice() {
        return patch.is_object().then(|| patch.clone());
    }
    if let ([model], true) = (slots.models.as_slice(), clause.has(Sense::Model)) {
        return Some(json!({ "agents": { "defaults": { "model": { "primary": model } } } }));
    }
    if let Some(model) = nickname(clause).filter(|_| clause.has(Sense::Model)) {
        return Some(json!({ "agents": { "defaults": { "model": { "primary": model } } } }));
    }
    let [path] = slots.key_paths.as_slice() else {
        return None;
    };
    let value = assigned(clause)?;
    Some(path.rsplit('.').fold(value, |inner, key| json!({ key: inner })))
}

/// What stands after "to" or "="; without such a word nothing is assigned.
fn assigned(clause: &Clause) -> Option<Value> {
    let at = clause.tokens.iter().position(|token| matches!(token.kind, Kind::KeyPath(_)))?;
    let switched = clause.tokens.get(clause.head).and_then(|head| match head.text.as_str() {
        "disable" | "deactivate" | "turn off" | "switch off" => Some(false),
        "enable" | "activate" | "turn on" | "switch on" => Some(true),
        _ => None,
    });
    if let Some(on) = switched {
        return Some(json!(on));
    }
    let mut after = clause.tokens[at + 1..].iter().peekable();
    after.next_if(|token| matches!(token.text.as_str(), "to" | "as" | "=" | "is"))?;
    let value = after.next()?;
    match (&value.kind, value.text.as_str()) {
        (_, "true" | "on") => Some(json!(true)),
        (_, "false" | "off") => Some(json!(false)),
        (_, "null") => Some(Value::Null),
        (Kind::Number(n), _) => Some(json!(n)),
        (Kind::Amount(n), _) => Some(json!(n)),
        (Kind::Quote(text) | Kind::ModelName(text), _) => Some(json!(text)),
        (Kind::Word, _) => Some(json!(value.raw)),
        _ => None,
    }
}

/// Models that operators call by a name of their own.
fn nickname(clause: &Clause) -> Option<&'static str> {
    const NICKNAMES: [(&str, &str, &str); 1] = [("kimi", "k2.5", "moonshot/kimi-k2.5")];
    let said = |word: &str| clause.tokens.iter().any(|token| token.raw.eq_ignore_ascii_case(word));
    NICKNAMES.iter().find(|(name, version, _)| said(name) && said(version)).map(|(_, _, model)| *model)
}

/// "all", ids, or a filter; what must come first where none is named.
fn target(scene: &Scene) -> Result<Value, Step> {
    let clause = scene.clause;
    let slots = &clause.slots;
    if !slots.accounts.is_empty() {
        return Ok(json!(slots.accounts));
    }
    let mut filter = json!({});
    put(&mut filter, "provider", slots.provider());
    put(&mut filter, "region", slots.regions.first().map(String::as_str));
    put(&mut filter, "tier", slots.tiers.first().map(String::as_str));
    put(&mut filter, "status", slots.states.first().map(String::as_str).filter(|state| *state != "ACTIVE"));
    if filter.as_object().is_some_and(|filter| !filter.is_empty()) {
        return Ok(filter);
    }
    if clause.any(&[Sense::All, Sense::Fleet]) {
        return Ok(json!("all"));
    }
    // "Here is a config for everyone, push it": the sentence before says to whom.
    if scene.earlier.iter().any(|clause| clause.has(Sense::All) && clause.has(Sense::Config)) {
        return Ok(json!("all"));
    }
    match targets::accounts(scene, "push it to") {
        Targets::Accounts(accounts) if !slots.ordinals.is_empty() || clause.has(Sense::Both) => {
            Ok(json!(accounts))
        }
        Targets::First(step) => Err(step),
        _ => Err(Step::ask(
            "To whom: everyone, some accounts by id, or the gateways of a provider, region or tier?",
        )),
    }
}

/// "In batches of 10", "25 at a time".
pub fn batch_size(clause: &Clause) -> Option<i64> {
    let text = |at: usize| clause.tokens.get(at).map_or("", |token| token.text.as_str());
    clause.slots.numbers.iter().find_map(|(n, at)| {
        let after = text(at + 1) == "at" && text(at + 2) == "a" && text(at + 3) == "time"
            || text(at + 1) == "per" && text(at + 2).starts_with("batch");
        let before = *at >= 2 && text(at - 1) == "of" && text(at - 2).starts_with("batch")
            || *at >= 2 && text(at - 1) == "size" && text(at - 2) == "batch"
            || *at >= 1 && text(at - 1) == "batchsize";
        (after || before).then_some(*n)
    })
}

/// The keys that the patch touches, in words.
fn describe(patch: &Value) -> String {
    fn walk(value: &Value, path: String, keys: &mut Vec<String>) {
        match value.as_object().filter(|map| !map.is_empty()) {
            Some(map) => map.iter().for_each(|(key, inner)| {
                let deeper = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                walk(inner, deeper, keys);
            }),
            None => keys.push(path),
        }
    }
    let mut keys = Vec::new();
    walk(patch, String::new(), &mut keys);
    keys.truncate(5);
    format!("set {}", keys.join(", "))
}
