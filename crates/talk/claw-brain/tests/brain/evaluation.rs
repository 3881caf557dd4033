//! Two operators whom nobody here has met (`tests/evaluation`, written from the tools' list alone): how many of
//! their sentences lead to the right tool with the right arguments, and that none changes what was not ordered.
//!
//! `CLAW_BRAIN_EVALUATION=file.toml` measures another file too; of it, and of every fourth sentence here, only totals
//! are printed.

mod cases;
mod compare;

use cases::{Case, Part};
use claw_brain::ChatTurn;
use compare::Verdict;
use std::collections::BTreeMap;

/// Floors in percent of sentences: right tools, right arguments.
const FLOORS: [(Part, usize, usize); 2] = [(Part::Tuned, 98, 98), (Part::Check, 87, 87)];

#[derive(Default)]
struct Score {
    all: usize,
    tools: usize,
    arguments: usize,
    asked: usize,
    wrong_changes: usize,
}

#[derive(Default)]
struct Totals {
    intents: BTreeMap<(Part, String), Score>,
    /// Of each argument: how often it was expected, and how often it was right.
    slots: BTreeMap<(Part, String), (usize, usize)>,
    wrong: Vec<(Part, String)>,
}

impl Totals {
    fn add(&mut self, case: &Case, turn: &ChatTurn, verdict: &Verdict) {
        for key in [case.intent(), "all"] {
            let score = self.intents.entry((case.part, key.to_owned())).or_default();
            score.all += 1;
            score.tools += usize::from(verdict.tools);
            score.arguments += usize::from(verdict.arguments);
            score.asked += usize::from(verdict.asked);
            score.wrong_changes += usize::from(!verdict.wrong_changes.is_empty());
        }
        for wanted in &case.readings[0].calls {
            for (key, value) in wanted.args.as_object().unwrap() {
                let right = turn.calls.iter().filter(|call| call.tool == wanted.tool).any(|call| {
                    call.arguments.as_object().is_some_and(|given| compare::has(given, key, value))
                });
                let slot = self.slots.entry((case.part, key.clone())).or_default();
                slot.0 += 1;
                slot.1 += usize::from(right);
            }
        }
        self.wrong.extend(verdict.wrong_changes.iter().map(|tool| (case.part, tool.clone())));
    }

    fn print(&self) {
        for ((part, intent), score) in &self.intents {
            let Score { all, tools, arguments, asked, wrong_changes } = score;
            println!(
                "{part:>5?} {intent:<20} {all:>3} sentences, tools {tools:>3}, arguments {arguments:>3}, asked {asked:>3}, wrong changes {wrong_changes}"
            );
        }
        for ((part, key), (all, right)) in &self.slots {
            println!("{part:>5?} {key:<20} {right:>3} of {all:>3}");
        }
        for (part, tool) in &self.wrong {
            println!("{part:>5?} wrong change through {tool}");
        }
    }
}

#[test]
fn operators_whom_nobody_has_met_are_understood() {
    let histories = cases::histories();
    let mut totals = Totals::default();
    for case in cases::cases() {
        let talk = match case.history.as_str() {
            "" => crate::support::Talk::new(),
            name => histories.get(name).unwrap_or_else(|| panic!("no history is named {name}")).clone(),
        };
        let turn = talk.say(&case.say).turn();
        let verdict = Verdict::of(&case.readings, &turn);
        if case.part == Part::Tuned && !(verdict.arguments && verdict.wrong_changes.is_empty()) {
            show(&case, &turn, &verdict);
        }
        totals.add(&case, &turn, &verdict);
    }
    totals.print();
    assert!(totals.wrong.is_empty(), "changes that nobody ordered: {:?}", totals.wrong);
    for (part, tools, arguments) in FLOORS {
        let score = &totals.intents[&(part, "all".to_owned())];
        assert!(score.tools * 100 >= tools * score.all, "{part:?}: tools {} of {}", score.tools, score.all);
        assert!(
            score.arguments * 100 >= arguments * score.all,
            "{part:?}: arguments {} of {}",
            score.arguments,
            score.all
        );
    }
}

fn show(case: &Case, turn: &ChatTurn, verdict: &Verdict) {
    let alarm = if verdict.wrong_changes.is_empty() { "" } else { "WRONG CHANGE " };
    let calls: Vec<String> =
        turn.calls.iter().map(|call| format!("{} {}", call.tool, call.arguments)).collect();
    let text: String = turn.text.chars().take(90).collect();
    println!("{alarm}[{}|{}] {:?} → {} {text:?}", case.intent(), case.history, case.say, calls.join(" ; "));
}
