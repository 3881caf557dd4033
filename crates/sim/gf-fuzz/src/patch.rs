//! A patch of a configuration on any document: what it writes, what it leaves, and the way back.

use crate::two;
use gf_model::patch::{apply, at, check, delta, differences, fingerprint, inverse, merge, owned_paths};
use serde_json::Value;

/// The document and the patch, as JSON on a line each.
pub fn patch(bytes: &[u8]) {
    let (document, patch) = two(bytes);
    let (Ok(document), Ok(patch)) =
        (serde_json::from_slice::<Value>(document), serde_json::from_slice::<Value>(patch))
    else {
        return;
    };
    // Only what passes the check is ever applied.
    if check(&patch).is_err() || !document.is_object() {
        return;
    }
    let mut pushed = document.clone();
    apply(&mut pushed, &patch);
    assert!(differences(&pushed, &patch).is_empty(), "{document} and {patch}: not what was asked for");

    let mut twice = pushed.clone();
    apply(&mut twice, &patch);
    assert_eq!(twice, pushed, "a push that comes twice does more");

    // What is not owned stays as OpenClaw left it.
    let owned = owned_paths(&patch);
    for path in owned_paths(&document) {
        let touched = owned.iter().any(|own| own.starts_with(&path) || path.starts_with(own));
        assert!(touched || at(&pushed, &path) == at(&document, &path), "{} was touched", path.join("."));
    }

    // Taken back, everything holds what it held; a null in a file is as good as nothing.
    let undo = inverse(&document, &patch);
    let mut back = pushed.clone();
    apply(&mut back, &undo);
    for path in owned.iter().chain(&owned_paths(&document)) {
        let holds = |document| at(document, path).and_then(bare);
        assert_eq!(holds(&back), holds(&document), "{} of {document} after {patch} and back", path.join("."));
    }

    // What is owned afterwards needs nothing more, and has one fingerprint.
    let mut owns = Value::Object(Default::default());
    merge(&mut owns, &patch);
    assert!(owned_paths(&delta(&owns, &patch)).is_empty(), "{patch} is owned and still lacks something");
    assert_eq!(fingerprint(&pushed, &patch), fingerprint(&twice, &patch));
}

/// Without nulls, and without empty objects: they may be left where a push has made its place.
fn bare(value: &Value) -> Option<Value> {
    let Value::Object(map) = value else { return (!value.is_null()).then(|| value.clone()) };
    let kept: serde_json::Map<_, _> =
        map.iter().filter_map(|(key, value)| Some((key.clone(), bare(value)?))).collect();
    (!kept.is_empty()).then_some(Value::Object(kept))
}
