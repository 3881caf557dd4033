//! Merge patches over the key paths that we own of a file that OpenClaw rewrites by itself.
//!
//! A revision never says how the whole file looks: only what stands at its own paths. `null` removes.

use crate::secret::{looks_secret, sounds_secret};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// A path of object keys, as people write it: `agents.defaults.model.primary`.
pub type KeyPath = Vec<String>;

/// Every path at which a patch says something: its leaves. Arrays and empty objects are leaves.
pub fn owned_paths(patch: &Value) -> Vec<KeyPath> {
    let mut paths = Vec::new();
    collect(patch, &mut Vec::new(), &mut paths);
    paths
}

fn collect(value: &Value, here: &mut KeyPath, paths: &mut Vec<KeyPath>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, inner) in map {
                here.push(key.clone());
                collect(inner, here, paths);
                here.pop();
            }
        }
        _ if here.is_empty() => {}
        _ => paths.push(here.clone()),
    }
}

/// RFC 7386.
pub fn apply(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    if let Value::Object(map) = target {
        for (key, value) in patch {
            if value.is_null() {
                map.remove(key);
            } else {
                apply(map.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
    }
}

/// Adds a later patch to an earlier one: applying the result does what applying both in turn does.
/// Unlike [`apply`] it keeps removals, which a later document may still need.
pub fn merge(earlier: &mut Value, later: &Value) {
    match (earlier, later) {
        (Value::Object(earlier), Value::Object(later)) => {
            for (key, value) in later {
                merge(earlier.entry(key.clone()).or_insert_with(|| Value::Object(Map::new())), value);
            }
        }
        (earlier, later) => *earlier = later.clone(),
    }
}

/// What stands at a path; `None` where nothing does.
pub fn at<'a>(document: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(document, |value, key| value.get(key))
}

/// The patch that puts the owned paths of `patch` back to what `before` has there; absent becomes `null`.
pub fn inverse(before: &Value, patch: &Value) -> Value {
    let mut undo = Value::Object(Map::new());
    for path in owned_paths(patch) {
        // A value that stood where the patch put an object comes back as the value that it was.
        let stood =
            (1..path.len()).find(|end| at(before, &path[..*end]).is_some_and(|value| !value.is_object()));
        let path = &path[..stood.unwrap_or(path.len())];
        let old = at(before, path).cloned().unwrap_or(Value::Null);
        put(&mut undo, path, old);
    }
    undo
}

/// What of a patch is not owned yet: the keys that are to change.
pub fn delta(owned: &Value, patch: &Value) -> Value {
    let mut delta = Value::Object(Map::new());
    for path in owned_paths(patch) {
        let wanted = at(patch, &path);
        if at(owned, &path) != wanted {
            put(&mut delta, &path, wanted.cloned().unwrap_or(Value::Null));
        }
    }
    delta
}

fn put(document: &mut Value, path: &[String], value: Value) {
    let Some((first, rest)) = path.split_first() else {
        *document = value;
        return;
    };
    if !document.is_object() {
        *document = Value::Object(Map::new());
    }
    if let Value::Object(map) = document {
        put(map.entry(first.clone()).or_insert(Value::Null), rest, value);
    }
}

/// Owned paths at which `document` is not what `patch` asks for: drift, or a write that did not take.
pub fn differences(document: &Value, patch: &Value) -> Vec<KeyPath> {
    owned_paths(patch)
        .into_iter()
        .filter(|path| {
            let wanted = at(patch, path).filter(|value| !value.is_null());
            let held = at(document, path);
            // An empty object asks for an object, whatever is in it: a merge leaves that.
            let is_open = wanted.and_then(Value::as_object).is_some_and(Map::is_empty);
            held != wanted && !(is_open && held.is_some_and(Value::is_object))
        })
        .collect()
}

/// A number for what a document holds at the owned paths: equal numbers, equal values at equal paths.
pub fn fingerprint(document: &Value, owned: &Value) -> String {
    let mut paths = owned_paths(owned);
    paths.sort();
    let held: Vec<_> = paths.iter().map(|path| (path, at(document, path).map(sorted))).collect();
    serde_json::to_vec(&held).map(|text| hex::encode(Sha256::digest(text))).unwrap_or_default()
}

/// The fingerprint of any document that holds exactly what is owned.
pub fn fingerprint_of(owned: &Value) -> String {
    let mut document = Value::Object(Map::new());
    if owned.is_object() {
        apply(&mut document, owned);
    }
    fingerprint(&document, owned)
}

/// The same value whatever order its keys were written in.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| key.as_str());
            entries.into_iter().map(|(key, inner)| (key.clone(), sorted(inner))).collect()
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

/// The patch that turns what one set of owned keys made of a base into what another set makes of it.
pub fn change_over(base: &Value, from: &Value, to: &Value) -> Value {
    let mut change = inverse(base, from);
    merge(&mut change, to);
    change
}

/// Why a patch cannot be a revision.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPatch {
    #[error("the patch is not a JSON object but {0}; write it as {{\"key\": {{\"inner\": value}}}}")]
    NotAnObject(&'static str),
    #[error("the patch says nothing: it has no key")]
    Empty,
    #[error("the patch touches {0}, which ClawOps keeps for itself on every instance")]
    Reserved(String),
    #[error("the patch is {0} bytes long; the limit is 65,536")]
    TooLong(usize),
    #[error(
        "the patch holds a secret at {0}, and patches are shown to people and kept in the audit trail; keep it with \
         `clawops secrets set`, or write ${{NAME}} where the instance knows it"
    )]
    Secret(String),
    #[error("the patch has the key {0:?}, which is no setting of OpenClaw's but changes how a file is read")]
    NoSetting(String),
}

/// Paths that belong to the instance's supervisor: a revision that moves them would cut the instance off.
const RESERVED: [&str; 7] =
    ["gateway.port", "gateway.bind", "gateway.auth", "gateway.mode", "logging.file", "channels", "meta"];

/// Keys that some readers of JSON take for something else than a key.
const OF_THE_READER: [&str; 3] = ["__proto__", "constructor", "prototype"];

/// A name of a variable is no secret: `${OPENAI_API_KEY}`.
fn holds_secret(value: &Value, under_a_secrets_name: bool) -> bool {
    match value {
        Value::String(text) if text.starts_with("${") && text.ends_with('}') => false,
        Value::String(text) => !text.is_empty() && (under_a_secrets_name || looks_secret(text)),
        Value::Number(_) => under_a_secrets_name,
        Value::Array(items) => items.iter().any(|item| holds_secret(item, under_a_secrets_name)),
        Value::Object(map) => map.iter().any(|(key, inner)| holds_secret(inner, sounds_secret(key))),
        Value::Null | Value::Bool(_) => false,
    }
}

/// Checks that a patch may become a revision.
pub fn check(patch: &Value) -> Result<(), BadPatch> {
    let length = patch.to_string().len();
    if length > 65_536 {
        return Err(BadPatch::TooLong(length));
    }
    match patch {
        Value::Object(map) if map.is_empty() => return Err(BadPatch::Empty),
        Value::Object(_) => {}
        Value::Array(_) => return Err(BadPatch::NotAnObject("a list")),
        Value::String(_) => return Err(BadPatch::NotAnObject("a text")),
        _ => return Err(BadPatch::NotAnObject("a single value")),
    }
    for path in owned_paths(patch) {
        let dotted = path.join(".");
        if let Some(key) =
            path.iter().find(|key| key.starts_with('$') || OF_THE_READER.contains(&key.as_str()))
        {
            return Err(BadPatch::NoSetting(key.clone()));
        }
        let under_a_secrets_name = path.last().is_some_and(|key| sounds_secret(key));
        if at(patch, &path).is_some_and(|value| holds_secret(value, under_a_secrets_name)) {
            return Err(BadPatch::Secret(dotted));
        }
        let clash = |reserved: &str| {
            dotted == reserved
                || dotted.strip_prefix(reserved).is_some_and(|rest| rest.starts_with('.'))
                || reserved.strip_prefix(dotted.as_str()).is_some_and(|rest| rest.starts_with('.'))
        };
        if RESERVED.into_iter().any(clash) {
            return Err(BadPatch::Reserved(dotted));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_that_stood_where_an_object_was_put_comes_back() {
        let before = json!({"agents": "none", "meta": 1});
        let patch = json!({"agents": {"defaults": {"a": 1, "b": 2}}});
        let mut now = before.clone();
        apply(&mut now, &patch);
        apply(&mut now, &inverse(&before, &patch));
        assert_eq!(now, before);
    }

    #[test]
    fn an_empty_object_asks_for_an_object_whatever_is_in_it() {
        let patch = json!({"channels": {}});
        let mut now = json!({"channels": {"telegram": {"enabled": true}}});
        apply(&mut now, &patch);
        assert!(differences(&now, &patch).is_empty(), "{now}");
        assert_eq!(differences(&json!({"channels": 1}), &patch).len(), 1);
        assert_eq!(differences(&json!({}), &patch).len(), 1);
    }

    #[test]
    fn what_was_absent_is_removed_again() {
        let before = json!({"agents": {"defaults": {"model": {"primary": "a"}}}, "meta": 1});
        let patch = json!({"agents": {"defaults": {"model": {"primary": "b", "fallbacks": ["c"]}}}});
        let undo = inverse(&before, &patch);
        let mut now = before.clone();
        apply(&mut now, &patch);
        assert_eq!(differences(&now, &patch), Vec::<KeyPath>::new());
        apply(&mut now, &undo);
        assert_eq!(now, before);
    }

    #[test]
    fn merged_patches_do_what_both_do() {
        let first = json!({"a": {"b": 1, "c": 2}, "d": 1});
        let second = json!({"a": {"b": null, "e": [3]}, "d": {"f": 4}});
        let mut merged = first.clone();
        merge(&mut merged, &second);
        let before = json!({"a": {"b": 0, "keep": true}});
        let (mut by_turns, mut at_once) = (before.clone(), before);
        apply(&mut by_turns, &first);
        apply(&mut by_turns, &second);
        apply(&mut at_once, &merged);
        assert_eq!(by_turns, at_once);
    }

    #[test]
    fn a_fingerprint_tells_drift_and_nothing_else() {
        let owned = json!({"tts": {"auto": "tagged", "gone": null}, "list": [{"b": 1, "a": 2}]});
        let held = json!({"meta": 1, "list": [{"a": 2, "b": 1}], "tts": {"theirs": 1, "auto": "tagged"}});
        assert_eq!(fingerprint(&held, &owned), fingerprint_of(&owned));
        for drifted in [json!({"tts": {"auto": "off"}}), json!({"tts": {"gone": 1}}), json!({"list": null})] {
            let mut document = held.clone();
            apply(&mut document, &drifted);
            assert_ne!(fingerprint(&document, &owned), fingerprint_of(&owned), "{drifted}");
        }
        assert_eq!(
            fingerprint_of(&Value::Null),
            fingerprint_of(&json!({})),
            "nothing owned is nothing owned"
        );
    }

    #[test]
    fn changing_over_puts_back_what_is_not_owned_any_more() {
        let base = json!({"tts": {"auto": "off"}, "kept": 1});
        let (from, to) = (json!({"tts": {"auto": "on", "new": 1}}), json!({"messages": {"prefix": "x"}}));
        let mut document = base.clone();
        apply(&mut document, &from);
        apply(&mut document, &change_over(&base, &from, &to));
        assert_eq!(document, json!({"tts": {"auto": "off"}, "kept": 1, "messages": {"prefix": "x"}}));
    }

    #[test]
    fn keys_of_others_are_never_drift() {
        let patch = json!({"tts": {"auto": "tagged"}});
        let document = json!({"tts": {"auto": "tagged", "theirs": true}, "meta": {"touched": 1}});
        assert!(differences(&document, &patch).is_empty());
        assert_eq!(differences(&json!({}), &patch), vec![vec!["tts".to_owned(), "auto".to_owned()]]);
    }

    #[test]
    fn a_patch_carries_no_secret_and_no_key_that_is_none() {
        let secrets = [
            json!({"models": {"providers": {"x": {"apiKey": "abcdef"}}}}),
            json!({"tools": {"web": {"headers": ["Bearer", "sk-0123456789abcdef"]}}}),
            json!({"mcp": {"servers": [{"env": {"PASSWORD": "x"}}]}}),
        ];
        for patch in secrets {
            assert!(matches!(check(&patch), Err(BadPatch::Secret(_))), "{patch} was taken");
        }
        for patch in [json!({"$include": "/etc/passwd"}), json!({"a": {"__proto__": {"b": 1}}})] {
            assert!(matches!(check(&patch), Err(BadPatch::NoSetting(_))), "{patch} was taken");
        }
        let fine =
            json!({"models": {"providers": {"x": {"apiKey": "${X_API_KEY}"}}}, "agents": {"maxTokens": 5}});
        assert_eq!(check(&fine), Ok(()));
    }

    #[test]
    fn a_patch_cannot_cut_its_instance_off() {
        for bad in
            [json!({"gateway": {"port": 1}}), json!({"gateway": null}), json!({"gateway": {"auth": {}}})]
        {
            assert!(matches!(check(&bad), Err(BadPatch::Reserved(_))), "{bad} was taken");
        }
        assert_eq!(check(&json!([])), Err(BadPatch::NotAnObject("a list")));
        assert_eq!(check(&json!({})), Err(BadPatch::Empty));
        assert_eq!(check(&json!({"gateway": {"controlUi": {"enabled": false}}})), Ok(()));
    }
}
