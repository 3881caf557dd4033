//! A message of a person while one question is open: it is a yes only as a whole.

use gf_model::{ApprovalCode, Timestamp};
use gf_policy::{Answer, AnswerContext, LONGEST_WISH, OpenQuestion, answer};

pub fn said(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (Ok(code), now) = ("A7K2".parse(), Timestamp::UNIX_EPOCH) else { return };
    let Ok(expires_at) = Timestamp::from_second(60) else { return };
    let code: ApprovalCode = code;
    let question =
        |was_shown| OpenQuestion { code: code.clone(), was_shown, message_ids: Vec::new(), expires_at };
    let (shown, unseen) = ([question(true)], [question(false)]);
    let hear = |open: &[OpenQuestion], sender_is_proven| {
        answer(&text, &AnswerContext { open, quoted: None, sender_is_proven, now })
    };
    match hear(&shown, true) {
        Answer::Granted(_) => {
            assert!(text.len() <= 64, "a yes is short: {text:?}");
            assert!(!text.contains('?') && !text.contains("but"), "no whole yes: {text:?}");
        }
        Answer::Changes(_, wish) => {
            assert!((1..=LONGEST_WISH).contains(&wish.chars().count()), "{text:?}");
        }
        Answer::Denied(_) | Answer::Ambiguous { .. } | Answer::None => {}
    }
    // Whoever was not asked, or cannot be told apart from others, grants nothing.
    for other in [hear(&unseen, true), hear(&shown, false), hear(&[], true)] {
        assert!(!matches!(other, Answer::Granted(_)), "{text:?}");
    }
}
