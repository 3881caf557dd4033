//! The catalogue of errors: it is the page, and it is what the program can answer, both ways.

use gf_api::catalogue::{self, TABLE};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

#[test]
fn the_page_is_the_table_and_the_table_is_in_order() {
    assert!(TABLE.is_sorted_by(|a, b| a.code < b.code), "codes stand in their order, once each");
    for entry in TABLE {
        assert!(catalogue::entry(entry.code).is_some(), "{}", entry.code);
        assert!(!entry.means.is_empty() && !entry.fix.is_empty() && !entry.statuses.is_empty());
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/errors.md");
    if std::env::var_os("CLAWOPS_WRITE_OPENAPI").is_some() {
        fs::write(&path, catalogue::page()).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == catalogue::page(),
        "docs/errors.md is not the table; write it anew with: CLAWOPS_WRITE_OPENAPI=1 cargo test -p gf-api --test api errors"
    );
}

/// Whatever the source writes where an error is made.
#[test]
fn every_code_that_the_program_can_answer_stands_in_it_and_no_other() {
    let source = sources();
    // Where an error is made its code stands; elsewhere strings of one word may be anything.
    let (mut made, mut named) = (BTreeSet::new(), BTreeSet::new());
    for text in &source {
        for maker in [
            "Problem::new(",
            "Refusal::new(",
            "Self::new(",
            "bad_request(",
            "refused(",
            "refuse(",
            "problem(",
            "not_here(",
        ] {
            made.extend(after(text, maker).filter_map(|rest| literal(rest, 2)).filter(|code| is_word(code)));
        }
        let kinds = after(text, "not_found(").chain(after(text, "unknown("));
        made.extend(kinds.filter_map(|rest| literal(rest, 1)).map(|kind| format!("unknown_{kind}")));
        let fields = after(text, "few_words(").filter_map(|rest| literal(rest, 1));
        made.extend(fields.map(|field| format!("bad_{field}")));
        // An error's own names: `Self::NoPlace { .. } => "no_place"`, `(StatusCode::NOT_FOUND, "unknown_secret")`.
        named.extend(after(text, "=> \"").filter(|_| text.contains("fn code(")).filter_map(quoted));
        let is_table = text.contains("fn parts(") || text.contains("fn over(");
        let pairs = after(text, "=> (\"").filter(|_| is_table);
        named.extend(pairs.flat_map(|rest| [quoted(rest), second(rest)]).flatten());
        named.extend(after(text, "=> (StatusCode::").filter_map(|rest| literal(rest, 2)));
        for line in ["\n            (\"", "\n                \""] {
            named.extend(after(text, line).filter_map(quoted).filter(|_| text.contains("fn over(")));
        }
    }
    let written: BTreeSet<String> = made
        .into_iter()
        .chain(named.into_iter().filter(|name| is_word(name) && name.contains('_')))
        .collect();
    let known: BTreeSet<String> = TABLE.iter().map(|entry| entry.code.to_owned()).collect();
    let missing: Vec<_> = written.difference(&known).collect();
    assert!(missing.is_empty(), "gf-api/src/catalogue.rs lacks {missing:?}");
    let invented: Vec<_> = known.difference(&written).collect();
    assert!(invented.is_empty(), "nothing answers with {invented:?}");
}

/// In small letters: `too_slow`, and no sentence.
fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

fn after<'a>(text: &'a str, maker: &'a str) -> impl Iterator<Item = &'a str> {
    text.match_indices(maker).map(move |(at, _)| &text[at + maker.len()..])
}

fn quoted(rest: &str) -> Option<String> {
    rest.split_once('"').map(|(code, _)| code.to_owned())
}

/// `unknown_account` of `account", "unknown_account")`.
fn second(rest: &str) -> Option<String> {
    quoted(rest.split_once("\", \"")?.1)
}

/// The first string among the first arguments.
fn literal(rest: &str, arguments: usize) -> Option<String> {
    let mut rest = rest.trim_start();
    for _ in 0..arguments {
        if let Some(rest) = rest.strip_prefix("(\"").or_else(|| rest.strip_prefix('"')) {
            return quoted(rest);
        }
        let end = rest.find([',', ';', '{'])?;
        rest = rest.get(end + 1..)?.trim_start();
    }
    None
}

/// The text of all crates that answer, without their tests.
fn sources() -> Vec<String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let rooms = [
        "control/gf-api",
        "control/gf-requests",
        "control/gf-policy-cedar",
        "core/gf-planner",
        "core/gf-policy",
    ];
    let mut files: Vec<PathBuf> = Vec::new();
    let mut look: Vec<PathBuf> = rooms.iter().map(|room| crates.join(room).join("src")).collect();
    while let Some(dir) = look.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                look.push(path);
            } else if name.ends_with(".rs") && !name.ends_with("_tests.rs") && name != "catalogue.rs" {
                files.push(path);
            }
        }
    }
    assert!(files.len() > 80);
    files
        .iter()
        .map(|file| {
            let text = fs::read_to_string(file).unwrap();
            text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned()
        })
        .collect()
}
