//! The companion remembers what was said in the conversation, and says plainly when it knows nothing.

use crate::support::Talk;

fn companion() -> Talk {
    Talk { model: "companion".to_owned(), ..Talk::new() }
}

fn answer(talk: Talk) -> String {
    let turn = talk.turn();
    assert!(turn.calls.is_empty(), "the companion calls no tools");
    turn.text
}

#[test]
fn a_word_is_remembered() {
    for (told, asked, word) in [
        ("Please remember the word heliotrope.", "What was the word?", "heliotrope"),
        ("remember the word heliotrope", "what word did I ask you to remember?", "heliotrope"),
        ("The password for the garden is begonia.", "what is the garden password?", "begonia"),
        ("My name is Ada.", "What's my name?", "Ada"),
        ("remember that my dog is called Rex", "what did I tell you to remember?", "Rex"),
        ("Remember this: the meeting is on Tuesday", "when is the meeting?", "Tuesday"),
        ("the secret word is marzipan", "do you remember the secret word?", "marzipan"),
        ("Remember: tulip", "what did I ask you to remember?", "tulip"),
    ] {
        let talk = companion()
            .say(told)
            .answered("I will remember that.")
            .say("nice weather")
            .answered("I heard you.")
            .say(asked);
        let text = answer(talk);
        assert!(text.contains(word), "{told} / {asked} → {text}");
    }
}

#[test]
fn the_newest_word_counts() {
    let talk = companion()
        .say("remember the word tulip")
        .answered("ok")
        .say("remember the word rose")
        .answered("ok")
        .say("what was the word?");
    assert!(answer(talk).contains("rose"));
}

#[test]
fn it_knows_nothing_that_was_not_said() {
    let text = answer(companion().say("What was the word?"));
    assert!(text.contains("offline companion"), "{text}");
}

#[test]
fn small_talk_is_honest() {
    assert!(answer(companion().say("hello")).starts_with("Hello"));
    assert!(answer(companion().say("I had soup today")).contains("offline companion"));
}
