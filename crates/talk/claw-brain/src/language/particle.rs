//! Verbs that are said in two parts around their object: "tear *it* down", "bring *acct-0002* back".

use super::{
    Sense,
    token::{Kind, Token},
};

const PARTED: &[(&str, &str, Sense)] = &[
    ("tear", "down", Sense::Remove),
    ("take", "down", Sense::Remove),
    ("take", "out", Sense::Remove),
    ("shut", "down", Sense::Remove),
    ("shut", "up", Sense::Silence),
    ("bring", "back", Sense::Restore),
    ("get", "back", Sense::Restore),
    ("want", "back", Sense::Restore),
    ("give", "back", Sense::Restore),
    ("give me", "back", Sense::Restore),
    ("have", "back", Sense::Restore),
    ("bring", "up", Sense::Make),
    ("bring", "online", Sense::Make),
    ("get", "running", Sense::Make),
    ("spin", "up", Sense::Make),
    ("set", "up", Sense::Make),
    ("stand", "up", Sense::Make),
    ("roll", "back", Sense::Rollback),
    ("roll", "out", Sense::Push),
    ("fail", "over", Sense::Failover),
    ("switch", "over", Sense::Failover),
    ("scale", "up", Sense::Resize),
    ("scale", "down", Sense::Resize),
    ("size", "down", Sense::Resize),
    ("bump", "up", Sense::Resize),
    ("bump", "down", Sense::Resize),
    ("call", "off", Sense::Cancel),
    ("carry", "on", Sense::Resume),
    ("try", "again", Sense::Retry),
    ("run", "again", Sense::Retry),
    ("put", "hold", Sense::Pause),
    ("throw", "out", Sense::Remove),
    ("throw", "away", Sense::Remove),
    ("clear", "out", Sense::Remove),
    ("turn", "off", Sense::Set),
    ("turn", "on", Sense::Set),
    ("switch", "off", Sense::Set),
    ("switch", "on", Sense::Set),
    ("fire", "up", Sense::Make),
    ("take", "back", Sense::Rollback),
    ("back", "out", Sense::Rollback),
    ("sign", "off", Sense::Approve),
    ("flip", "over", Sense::Failover),
];

/// "Put it back the way it was", "make it back like before": these verbs undo where the earlier state is named.
const PUTTING: &[&str] = &["put", "make", "set", "change", "turn", "switch", "move"];
const EARLIER: &[&str] = &["was", "were", "before", "previously", "previous"];

/// Farthest that a particle may stand from its verb.
const REACH: usize = 8;

/// Gives the verb its meaning and takes the particle out.
pub fn join(tokens: &mut Vec<Token>) {
    undo(tokens);
    let mut at = 0;
    while at < tokens.len() {
        let joined = PARTED.iter().find_map(|(verb, particle, sense)| {
            if tokens[at].text != *verb {
                return None;
            }
            let window = tokens.iter().enumerate().skip(at + 1).take(REACH);
            let mut window =
                window.take_while(|(_, token)| !matches!(token.kind, Kind::Break('.' | ';' | '?' | '!')));
            let (found, _) = window.find(|(_, token)| token.text == *particle)?;
            // "Switch acct-0001 on the standby": there it is no particle.
            let preposition = *particle == "on"
                && found > at + 1
                && tokens
                    .get(found + 1)
                    .is_some_and(|next| matches!(next.text.as_str(), "the" | "its" | "a"));
            (!preposition).then_some((found, *sense))
        });
        if let Some((found, sense)) = joined {
            tokens[at].senses = vec![sense];
            // "Off" is also the value that is set.
            if sense == Sense::Set {
                tokens[at].text = format!("{} {}", tokens[at].text, tokens[found].text);
            }
            tokens.remove(found);
        }
        at += 1;
    }
}

/// Takes "back the way it was" out and makes its verb one that undoes.
fn undo(tokens: &mut Vec<Token>) {
    let ends = |token: &Token| matches!(token.kind, Kind::Break('.' | ';' | '?' | '!' | ','));
    let earlier = |token: &Token| {
        EARLIER.contains(&token.text.as_str()) || EARLIER.contains(&token.raw.to_lowercase().as_str())
    };
    let undone = (0..tokens.len()).filter(|at| PUTTING.contains(&tokens[*at].text.as_str())).find_map(|at| {
        let rest = &tokens[at + 1..];
        let rest = &rest[..rest.iter().position(ends).unwrap_or(rest.len())];
        let back = rest.iter().position(|token| token.text == "back")?;
        rest[back..].iter().any(earlier).then_some((at, at + 1 + back..at + 1 + rest.len()))
    });
    if let Some((at, said)) = undone {
        tokens[at].senses = vec![Sense::Rollback];
        tokens.drain(said);
    }
}
