//! What is a yes, and the many things that are not.

use super::*;
use proptest::prelude::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn question(code: &str) -> OpenQuestion {
    OpenQuestion {
        code: code.parse().unwrap(),
        was_shown: true,
        message_ids: vec![format!("m-{code}")],
        expires_at: at(100),
    }
}

fn context(open: &[OpenQuestion]) -> AnswerContext<'_> {
    AnswerContext { open, quoted: None, sender_is_proven: true, now: at(0) }
}

fn granted(code: &str) -> Answer {
    Answer::Granted(code.parse().unwrap())
}

#[test]
fn a_whole_word_of_the_list_answers_the_one_open_question() {
    let open = [question("A7K2")];
    for yes in [
        "go",
        "Go.",
        " GO! ",
        "yes",
        "Yes, do it",
        "approve a7k2",
        "Approve A7K2.",
        "ok go",
        "yes, do that!",
        "Please go ahead.",
    ] {
        assert_eq!(answer(yes, &context(&open)), granted("A7K2"), "{yes:?}");
    }
    for no in ["no", "No.", "deny A7K2", "cancel", "don't", "No, don't.", "forget it", "Never mind"] {
        assert_eq!(answer(no, &context(&open)), Answer::Denied("A7K2".parse().unwrap()), "{no:?}");
    }
}

#[test]
fn what_is_wanted_otherwise_stands_after_a_colon() {
    let open = [question("A7K2")];
    let wish = |text: &str| Answer::Changes("A7K2".parse().unwrap(), text.to_owned());
    assert_eq!(answer("change: only the standby", &context(&open)), wish("only the standby"));
    assert_eq!(answer("Changes a7k2: go, but: 10", &context(&open)), wish("go, but: 10"));
    let longest = "x".repeat(LONGEST_WISH);
    assert_eq!(answer(&format!("change A7K2: {longest}"), &context(&open)), wish(&longest));
    for other in [
        "change A7K2",
        "change A7K2:  ",
        "change acct-0001: make it pro",
        "change it: now",
        &format!("change A7K2: {longest}x"),
    ] {
        assert_eq!(answer(other, &context(&open)), Answer::None, "{other:?}");
    }
    let two = [question("A7K2"), question("B3QQ")];
    assert!(matches!(answer("change: less", &context(&two)), Answer::Ambiguous { .. }));
}

#[test]
fn anything_more_is_a_new_request() {
    let open = [question("A7K2")];
    for more in [
        "go, but only 10",
        "go ahead and show the status?",
        "yes and then restart everything",
        "shall I go?",
        "go?",
        "approve A7K2 and B3QQ",
        "the user said go",
        "go\ngo provision 500 more",
        "not yes",
        "gogo",
        "approve",
        "",
    ] {
        let heard = answer(more, &context(&open));
        if more == "approve" {
            assert_eq!(heard, granted("A7K2"));
        } else {
            assert_eq!(heard, Answer::None, "{more:?}");
        }
    }
}

#[test]
fn two_open_questions_want_a_code_or_a_quote() {
    let open = [question("A7K2"), question("B3QQ")];
    assert!(matches!(answer("go", &context(&open)), Answer::Ambiguous { .. }));
    assert_eq!(answer("approve B3QQ", &context(&open)), granted("B3QQ"));
    let quoting = AnswerContext { quoted: Some("m-B3QQ"), ..context(&open) };
    assert_eq!(answer("go", &quoting), granted("B3QQ"));
}

#[test]
fn what_was_not_shown_has_lapsed_or_comes_from_nobody_cannot_be_granted() {
    let mut unseen = [question("A7K2")];
    unseen[0].was_shown = false;
    assert!(matches!(answer("go", &context(&unseen)), Answer::Ambiguous { .. }));
    let open = [question("A7K2")];
    assert_eq!(answer("go", &AnswerContext { now: at(100), ..context(&open) }), Answer::None);
    let nobody = AnswerContext { sender_is_proven: false, ..context(&open) };
    assert!(matches!(answer("go", &nobody), Answer::Ambiguous { .. }));
    assert_eq!(answer("go", &context(&[])), Answer::None);
    assert!(matches!(answer("approve C9ZZ", &context(&open)), Answer::Ambiguous { .. }));
}

proptest! {
    #[test]
    fn a_yes_with_anything_around_it_is_no_yes(before in "[a-z]{1,8}", after in "[a-z]{1,8}") {
        let open = [question("A7K2")];
        let text = format!("{before} go {after}");
        prop_assert!(!matches!(answer(&text, &context(&open)), Answer::Granted(_)), "{}", text);
    }

    /// Words around an answer leave no answer, unless all of it together is on the list as well ("ok" before "go").
    #[test]
    fn no_longer_text_is_granted(
        yes in proptest::sample::select(YES.to_vec()),
        word in "[a-z]{1,9}",
        joint in proptest::sample::select(vec![" ", ", ", ". ", "\n", "? ", "; "]),
        before in any::<bool>(),
    ) {
        let open = [question("A7K2")];
        let text = if before { format!("{word}{joint}{yes}") } else { format!("{yes}{joint}{word}") };
        let plain = text.replace(", ", " ").replace(['\n', ' '], " ");
        prop_assume!(!YES.contains(&plain.as_str()));
        prop_assert!(!matches!(answer(&text, &context(&open)), Answer::Granted(_)), "{:?}", text);
    }

    #[test]
    fn no_text_makes_it_fail(text in any::<String>()) {
        let open = [question("A7K2"), question("B3QQ")];
        answer(&text, &context(&open));
    }
}

#[test]
fn a_reply_to_something_else_is_no_answer_to_the_question() {
    let open = [question("A7K2"), question("B3QQ")];
    let quoting = |id| AnswerContext { quoted: Some(id), ..context(&open) };
    assert_eq!(answer("yes", &quoting("m-other")), Answer::None);
    assert_eq!(
        answer("yes", &AnswerContext { quoted: Some("m-other"), ..context(&open[..1]) }),
        Answer::None
    );
    assert!(matches!(answer("approve A7K2", &quoting("m-B3QQ")), Answer::Ambiguous { .. }));
    assert_eq!(answer("approve A7K2", &quoting("m-A7K2")), granted("A7K2"));
}

#[test]
fn a_thumb_is_a_yes_and_an_ok_is_only_polite() {
    let open = [question("A7K2")];
    for yes in ["👍", "👍🏽", "go 👍", "Yes!\u{fe0f}", "\u{200b}go"] {
        assert_eq!(answer(yes, &context(&open)), granted("A7K2"), "{yes:?}");
    }
    assert_eq!(answer("👎", &context(&open)), Answer::Denied("A7K2".parse().unwrap()));
    assert_eq!(answer("stop", &context(&open)), Answer::Denied("A7K2".parse().unwrap()));
    for polite in ["ok", "Okay.", "thanks", "sure, why not"] {
        assert_eq!(answer(polite, &context(&open)), Answer::None, "{polite:?}");
    }
}
