//! From a message to its clauses: where each begins, and how a question mark casts doubt on what stands before it.

use super::{
    Sense,
    clause::{ASKING, Clause, Mood, begins_order},
    opening::FILLERS,
    slots::Slots,
    split,
    token::{Kind, Token, tokens},
};

/// All clauses of a message, in order. A part that is no request by itself stays with the one before it.
pub fn clauses(text: &str) -> Vec<Clause> {
    let all = tokens(text);
    let mut found: Vec<Clause> = Vec::new();
    let mut open: Vec<Token> = Vec::new();
    // What is named before a colon and an order that names nothing: "acct-0088: fail over".
    let mut topic: Vec<Token> = Vec::new();
    let mut sentence = 0;
    for (at, token) in all.iter().enumerate() {
        match token.kind {
            Kind::Break(':') if is_topic(&open, &all[at + 1..]) => topic = std::mem::take(&mut open),
            Kind::Break(end @ ('.' | ';' | '?' | '!' | '\n')) => {
                close(&mut found, with_topic(&mut open, &mut topic), end == '?');
                if end == '?' {
                    doubt_all(&mut found[sentence..]);
                }
                sentence = found.len();
            }
            _ if split::joins(token) && split::begins_request(&open, &all[at..]) => {
                close(&mut found, with_topic(&mut open, &mut topic), false)
            }
            _ => {
                let repeated =
                    if split::joins(token) { split::repeated_verb(&open, &all[at..]) } else { None };
                if let Some(verb) = repeated {
                    close(&mut found, with_topic(&mut open, &mut topic), false);
                    open.extend(verb);
                } else {
                    open.push(token.clone());
                }
            }
        }
    }
    close(&mut found, with_topic(&mut open, &mut topic), false);
    found
}

/// Whether these words only name what the order after them is about.
fn is_topic(before: &[Token], after: &[Token]) -> bool {
    let names = Slots::read(before).names_anything();
    let other = |token: &Token| {
        begins_order(token)
            || token.is(Sense::Incident)
            || token.is(Sense::Report)
            || ASKING.contains(&token.text.as_str())
            || matches!(token.kind, Kind::Json(_) | Kind::Quote(_))
    };
    let mut order = after.iter().skip_while(|token| FILLERS.contains(&token.text.as_str()));
    let verb = order.next().is_some_and(begins_order);
    // "Acct-0042: restart loop since 3" tells something.
    let incident = before.iter().any(|token| matches!(token.kind, Kind::Incident(_)));
    let plain = incident
        || order.next().is_none_or(|next| {
            const AFTER: [&str; 14] = [
                "from", "with", "the", "its", "it", "them", "please", "now", "both", "all", "to", "for",
                "pls", "these",
            ];
            next.is_break() || AFTER.contains(&next.text.as_str())
        });
    names && verb && plain && !before.iter().any(other)
}

/// The open clause with its topic behind it, where it names nothing of its own.
fn with_topic<'a>(open: &'a mut Vec<Token>, topic: &mut Vec<Token>) -> &'a mut Vec<Token> {
    let topic = std::mem::take(topic);
    let slots = Slots::read(open);
    if !topic.is_empty() && slots.accounts.is_empty() && slots.instances.is_empty() {
        open.push(Token::new(",", Kind::Break(',')));
        open.extend(topic);
    }
    open
}

/// "Restart it and tear it down?": a mark that makes a question of the last order makes one of the orders before it.
fn doubt_all(sentence: &mut [Clause]) {
    let Some((last, before)) = sentence.split_last_mut() else { return };
    let only_by_mark = last.is_question() && last.tokens.get(last.head).is_some_and(begins_order);
    if !only_by_mark {
        return;
    }
    // "Could you check it, and then restart it?" asks for both.
    if before.iter().any(|clause| clause.is_polite() && clause.mood == Mood::Order) {
        last.mood = Mood::Order;
    } else {
        before
            .iter_mut()
            .filter(|clause| clause.mood == Mood::Order)
            .for_each(|clause| clause.mood = Mood::Question);
    }
}

fn close(found: &mut Vec<Clause>, open: &mut Vec<Token>, asked: bool) {
    let tokens = std::mem::take(open);
    if tokens.iter().any(|token| !token.is_break()) {
        found.push(Clause::new(tokens, asked));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_requests_are_cut_where_a_verb_begins_one() {
        let count = |text: &str| clauses(text).len();
        let north_star = "Provision 50 new accounts, optimize costs, restart anything degraded, and brief me in the morning.";
        assert_eq!(count(north_star), 4);
        assert_eq!(count("restart i-7f3a and i-7f3b, memory leak"), 1);
        assert_eq!(count("Hetzner primary and Vultr standby"), 1);
    }

    #[test]
    fn only_an_order_orders() {
        let orders = |text: &str| clauses(text)[0].orders(Sense::Remove);
        let ordering = [
            "tear down acct-0001",
            "please delete acct-0001",
            "could you remove acct-0001?",
            "acct-0001 needs to be torn down",
        ];
        for order in ordering {
            assert!(orders(order), "{order}");
        }
        let others = [
            "should we tear down acct-0001?",
            "who deleted acct-0001",
            "don't delete acct-0001",
            "what if we remove it?",
            "tear down acct-0001?",
            "show me removed accounts",
            "we must talk about the account that was removed",
        ];
        for other in others {
            assert!(!orders(other), "{other}");
        }
    }
}
