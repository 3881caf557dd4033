//! What the pages name exists: every source file and every test in backticks. A page that names a test which is gone
//! promises what nobody checks.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const NOT_OURS: [&str; 4] = ["node_modules", "target", ".git", "dist"];

fn all_below(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if NOT_OURS.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        if path.is_dir() { all_below(&path, found) } else { found.push(path) }
    }
}

fn is_page(path: &Path, root: &Path) -> bool {
    let place = path.parent();
    path.extension().is_some_and(|ending| ending == "md")
        && (place == Some(root) || place == Some(root.join("docs").as_path()))
}

/// What stands in backticks on one line, outside of code blocks.
fn named(page: &str) -> impl Iterator<Item = &str> {
    let mut code = false;
    page.lines()
        .filter(move |line| {
            let fence = line.starts_with("```");
            code ^= fence;
            !code && !fence
        })
        .flat_map(|line| line.split('`').skip(1).step_by(2))
}

fn is_source(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    matches!(ending, Some("rs" | "ts" | "toml" | "css")) && !name.contains([' ', '*', '<', '{', '$'])
}

/// Names of tests are sentences.
fn is_test(name: &str) -> bool {
    name.split('_').count() > 4
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

#[test]
fn every_file_and_test_that_a_page_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    all_below(root, &mut files);
    let names: BTreeSet<_> = files.iter().filter_map(|path| path.file_name()?.to_str()).collect();
    let sources = files.iter().filter(|path| path.extension().is_some_and(|ending| ending == "rs"));
    let functions: BTreeSet<String> = sources
        .map(|path| fs::read_to_string(path).unwrap())
        .flat_map(|text| {
            let words =
                text.split("fn ").skip(1).map(|rest| rest.split(['(', '<']).next().unwrap_or_default());
            words.map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();

    let mut missing = Vec::new();
    for page in files.iter().filter(|path| is_page(path, root)) {
        let text = fs::read_to_string(page).unwrap();
        for name in named(&text) {
            let file = Path::new(name).file_name().and_then(|file| file.to_str()).unwrap_or_default();
            let function = name.rsplit("::").next().unwrap_or_default();
            let gone = is_source(name) && !names.contains(file)
                || is_test(function) && !functions.contains(function);
            if gone {
                missing.push(format!("{}: `{name}`", page.strip_prefix(root).unwrap().display()));
            }
        }
    }
    assert!(missing.is_empty(), "named and not there:\n{}", missing.join("\n"));
}

#[test]
fn what_is_named_is_found_and_a_code_block_is_not_read() {
    let page = "see `a/b.rs` and\n```text\n`c.rs`\n```\n`a_test_that_is_a_sentence`";
    assert_eq!(named(page).collect::<Vec<_>>(), ["a/b.rs", "a_test_that_is_a_sentence"]);
    assert!(is_source("a/b.rs") && !is_source("docs/*.rs") && !is_source("run/x.json"));
    assert!(is_test("a_test_that_is_a_sentence") && !is_test("gf_fleet_status"));
}
