//! Operators in many voices (`tests/voices/*.txt`), written from the tools' list alone: does each sentence lead to
//! the right tool with the right arguments?
//!
//! Half of the sentences, chosen by a hash, is untouched: only its totals are ever printed, so that nobody comes to
//! tune on it. A change that was not ordered fails the test, whichever half it is in, and shows no sentence.

pub mod expect;

use crate::support::{Talk, history};
use claw_brain::ChatTurn;
use expect::{Case, Verdict, cases};
use std::collections::BTreeMap;

/// Floors in percent of sentences: right tools, right arguments.
const TUNED: (usize, usize) = (97, 95);
const UNTOUCHED: (usize, usize) = (88, 87);
/// Slips of the untouched half that still change something with another argument; may only shrink.
const UNTOUCHED_SLIPS: usize = 1;

#[derive(Default)]
struct Score {
    all: usize,
    tools: usize,
    arguments: usize,
}

fn turn_of(case: &Case) -> ChatTurn {
    history(&case.history).say(&case.say).turn()
}

#[test]
fn voices_are_understood() {
    let mut scores: BTreeMap<(bool, String), Score> = BTreeMap::new();
    let mut misses = Vec::new();
    let mut wrong = [0usize, 0];
    let mut wrong_by: BTreeMap<(bool, String, String), usize> = BTreeMap::new();
    for case in cases() {
        let turn = turn_of(&case);
        let verdict = Verdict::of(&case, &turn);
        for key in [case.intent.clone(), "all".to_owned()] {
            let score = scores.entry((case.untouched, key)).or_default();
            score.all += 1;
            score.tools += usize::from(verdict.tools);
            score.arguments += usize::from(verdict.arguments);
        }
        wrong[usize::from(case.untouched)] += usize::from(verdict.wrong_change);
        if verdict.wrong_change {
            let tools: Vec<&str> = turn.calls.iter().map(|call| call.tool.as_str()).collect();
            *wrong_by.entry((case.untouched, case.intent.clone(), tools.join(" "))).or_default() += 1;
        }
        if !case.untouched && (!verdict.arguments || verdict.wrong_change) {
            let alarm = if verdict.wrong_change { "WRONG CHANGE " } else { "" };
            let seen: Vec<String> =
                turn.calls.iter().map(|call| format!("{} {}", call.tool, call.arguments)).collect();
            misses.push(format!(
                "{alarm}[{}|{}] {:?} → {} {:?}",
                case.intent,
                case.history,
                case.say,
                seen.join(" ; "),
                turn.text.chars().take(90).collect::<String>()
            ));
        }
    }
    println!("{}", misses.join("\n"));
    for ((untouched, intent), score) in &scores {
        let half = if *untouched { "untouched" } else { "tuned" };
        println!(
            "{half:>9} {intent:<10} {:>3} sentences, tools {:>3}, arguments {:>3}",
            score.all, score.tools, score.arguments
        );
    }
    for ((untouched, intent, tools), count) in &wrong_by {
        println!("wrong changes, untouched {untouched}: {count} of intent {intent} through {tools}");
    }
    println!("wrong changes: tuned {}, untouched {}", wrong[0], wrong[1]);
    assert_eq!(wrong, [0, 0], "changes that nobody ordered (tuned, untouched)");
    for (untouched, (tools, arguments)) in [(false, TUNED), (true, UNTOUCHED)] {
        let score = &scores[&(untouched, "all".to_owned())];
        assert!(
            score.tools * 100 >= tools * score.all,
            "tools: {} of {} (untouched: {untouched})",
            score.tools,
            score.all
        );
        assert!(
            score.arguments * 100 >= arguments * score.all,
            "arguments: {} of {} (untouched: {untouched})",
            score.arguments,
            score.all
        );
    }
}

#[test]
fn there_are_enough_voices_in_both_halves() {
    let all = cases();
    let untouched = all.iter().filter(|case| case.untouched).count();
    assert!(untouched >= 200 && all.len() - untouched >= 200, "{untouched} of {}", all.len());
}

/// Small slips of the finger must never make a change of anything but what was meant.
#[test]
fn a_slip_of_the_finger_changes_nothing_else() {
    let mut wrong = [0usize, 0];
    let mut shown = Vec::new();
    let mut by = Vec::new();
    for case in cases() {
        for slipped in slips(&case.say) {
            let turn = history(&case.history).say(&slipped).turn();
            if Verdict::of(&case, &turn).wrong_change {
                wrong[usize::from(case.untouched)] += 1;
                let tools: Vec<&str> = turn.calls.iter().map(|call| call.tool.as_str()).collect();
                by.push(format!("untouched {}: {} through {}", case.untouched, case.intent, tools.join(" ")));
                if !case.untouched {
                    shown.push(format!("{slipped:?} → {:?}", turn.calls));
                }
            }
        }
    }
    println!("{}\n{}", by.join("\n"), shown.join("\n"));
    assert!(
        wrong[0] == 0 && wrong[1] <= UNTOUCHED_SLIPS,
        "slips that changed something else (tuned, untouched): {wrong:?}"
    );
}

/// The sentence with one long plain word misspelt, for each such word: letters swapped, or one left out.
fn slips(say: &str) -> Vec<String> {
    let words: Vec<&str> = say.split(' ').collect();
    let plain = |word: &str| word.len() >= 5 && word.bytes().all(|b| b.is_ascii_alphabetic());
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate().filter(|(_, word)| plain(word)) {
        let middle = word.len() / 2;
        let mut swapped = word.as_bytes().to_vec();
        swapped.swap(middle, middle - 1);
        let mut shorter = word.as_bytes().to_vec();
        shorter.remove(middle);
        for bytes in [swapped, shorter] {
            let mut slipped: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            slipped[at] = String::from_utf8_lossy(&bytes).into_owned();
            found.push(slipped.join(" "));
        }
    }
    found
}

/// A long conversation: the newest things win, and nothing of it is repeated by itself.
#[test]
fn a_talk_of_many_turns_keeps_its_thread() {
    let mut talk = Talk::new();
    for n in 1..=60 {
        let id = format!("acct-{n:04}");
        talk = talk
            .say(&format!("how is {id}?"))
            .used(
                "gf_pair_status",
                serde_json::json!({ "accountId": id }),
                serde_json::json!({ "summary": "Protected.", "accountId": id }),
            )
            .answered("Protected.");
    }
    let turn = talk.say("fail it over").turn();
    assert_eq!(turn.calls.len(), 1, "{turn:?}");
    assert_eq!(turn.calls[0].arguments["accountId"], "acct-0060");
}
