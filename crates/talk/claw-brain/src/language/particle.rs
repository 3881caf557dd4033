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
    ("bring", "back", Sense::Restore),
    ("get", "back", Sense::Restore),
    ("want", "back", Sense::Restore),
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
    ("flip", "over", Sense::Failover),
];

/// Farthest that a particle may stand from its verb.
const REACH: usize = 8;

/// Gives the verb its meaning and takes the particle out.
pub fn join(tokens: &mut Vec<Token>) {
    let mut at = 0;
    while at < tokens.len() {
        let joined = PARTED.iter().find_map(|(verb, particle, sense)| {
            if tokens[at].text != *verb {
                return None;
            }
            let window = tokens.iter().enumerate().skip(at + 1).take(REACH);
            let mut window =
                window.take_while(|(_, token)| !matches!(token.kind, Kind::Break('.' | ';' | '?' | '!')));
            window.find(|(_, token)| token.text == *particle).map(|(found, _)| (found, *sense))
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
