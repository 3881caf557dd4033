//! The laws of `gf_fuzz` on a bounded number of inputs: any bytes, and bytes that nearly are what is expected.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use gf_fuzz::{call, frame, patch, said};
use proptest::prelude::*;
use serde_json::{Value, json};

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..512)
}

/// Few keys, so that documents and patches meet.
fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-c]{0,2}".prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
        Just(json!([{"a": null}])),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        proptest::collection::btree_map("[a-c]", inner, 0..4)
            .prop_map(|map| Value::Object(map.into_iter().collect()))
    })
}

fn word() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "go", "yes", "approve", "A7K2", "B3QQ", "but", "?", "no", "change", "changes:", ":", "👍",
        "\u{200b}", "ok", "do", "it", "only", "\n", "!", ".",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_keep_every_law(bytes in bytes()) {
        frame(&bytes);
        patch(&bytes);
        call(&bytes);
        said(&bytes);
    }

    #[test]
    fn a_patch_does_what_it_says_and_can_be_taken_back(before in document(), change in document()) {
        patch(format!("{before}\n{change}").as_bytes());
    }

    #[test]
    fn a_damaged_frame_keeps_the_law(seq: u64, at in 0..32usize, byte: u8, tail in bytes()) {
        let body = gf_node_proto::EventAck { seq };
        let mut bytes = gf_node_proto::encode(body).unwrap().to_vec();
        frame(&bytes);
        let at = at % bytes.len();
        bytes[at] = byte;
        frame(&bytes);
        bytes.extend(tail);
        frame(&bytes);
    }

    #[test]
    fn nobody_signs_without_the_key(agent in "[a-z:/]{0,70}", nonce in "[a-z0-9]{0,130}", signature in "[A-Za-z0-9+/=]{0,64}") {
        let claims = json!({"agent": agent, "at": "1970-01-01T00:00:00Z", "nonce": nonce});
        call(format!("{claims}\n{signature}\n{{}}").as_bytes());
    }

    #[test]
    fn words_are_a_yes_only_as_a_whole(words in proptest::collection::vec(word(), 0..6)) {
        said(words.join(" ").as_bytes());
    }
}
