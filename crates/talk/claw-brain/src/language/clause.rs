//! One request: its tokens, what they name, and how it is meant (order, question or statement).

use super::{
    Sense,
    opening::head,
    slots::Slots,
    token::{Kind, Token},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// "Restart it", "could you restart it", "I want you to restart it".
    Order,
    Question,
    Statement,
}

#[derive(Debug, Clone)]
pub struct Clause {
    pub tokens: Vec<Token>,
    pub slots: Slots,
    pub mood: Mood,
    /// "Do not …", "never …".
    pub negated: bool,
    /// The first word that counts, after politeness.
    pub head: usize,
    /// "… needs a restart", "… should be restarted".
    pub needs: bool,
}

/// Words that begin a question.
pub(super) const ASKING: &[&str] = &[
    "what", "how", "which", "who", "why", "when", "where", "is", "are", "was", "were", "does", "did", "has",
    "had", "should", "shall", "may", "might", "am", "if", "whether", "would", "could", "can", "will",
    "whose", "whom",
];
/// Senses that order something.
pub const VERBS: &[Sense] = &[
    Sense::Make,
    Sense::Remove,
    Sense::Restore,
    Sense::Resize,
    Sense::Move,
    Sense::Push,
    Sense::Rollback,
    Sense::Restart,
    Sense::Failover,
    Sense::Pause,
    Sense::Stop,
    Sense::Resume,
    Sense::Cancel,
    Sense::Retry,
    Sense::Silence,
    Sense::Show,
    Sense::Check,
    Sense::Schedule,
    Sense::Keep,
    Sense::Approve,
    Sense::Use,
    Sense::Open,
    Sense::Set,
    Sense::Send,
    Sense::Resolve,
];
/// Verbs that carry no meaning but "do".
const LIGHT: &[&str] = &[
    "trigger",
    "perform",
    "do",
    "run",
    "execute",
    "start",
    "initiate",
    "begin",
    "force",
    "plan",
    "arrange",
    "prepare",
    "organise",
    "organize",
    "carry out",
];

impl Clause {
    pub fn new(tokens: Vec<Token>, asked: bool) -> Self {
        let slots = Slots::read(&tokens);
        let (head, polite, negated) = head(&tokens);
        let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
        let ordered = tokens.get(head).is_some_and(|token| {
            let verb =
                VERBS.iter().chain(&[Sense::Want, Sense::Briefing, Sense::Waste]).any(|verb| token.is(*verb));
            !token.past && (verb || LIGHT.contains(&token.text.as_str()))
        });
        let subject_next = matches!(text(head + 1), "you" | "we" | "i");
        let by_whom = tokens.iter().any(|token| token.text == "whom") && !polite;
        let asking =
            by_whom || ASKING.contains(&text(head)) || (matches!(text(head), "do" | "have") && subject_next);
        let has = |word: &str| tokens.iter().any(|token| token.text == word);
        let passive = (has("should") || has("has") || has("have")) && has("be");
        let doubted = has("may") || has("might") || has("could");
        let needs = !asking && !asked && !doubted && !has("not") && (has("need") || has("must") || passive);
        let mood = match () {
            () if asking => Mood::Question,
            () if polite => Mood::Order,
            () if asked => Mood::Question,
            () if ordered => Mood::Order,
            () => Mood::Statement,
        };
        Self { tokens, slots, mood, negated, head, needs }
    }

    pub fn has(&self, sense: Sense) -> bool {
        self.tokens.iter().any(|token| token.is(sense))
    }

    pub fn any(&self, senses: &[Sense]) -> bool {
        senses.iter().any(|sense| self.has(*sense))
    }

    pub fn says(&self, word: &str) -> bool {
        self.tokens.iter().any(|token| token.text == word || token.raw.eq_ignore_ascii_case(word))
    }

    pub fn says_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.says(word))
    }

    /// Whether it names what to leave out: an id, a place, a half or a place in a list.
    pub fn any_exception(&self) -> bool {
        !self.slots.is_empty() || self.any(&[Sense::Primary, Sense::Standby, Sense::Pronoun])
    }

    pub(super) fn is_polite(&self) -> bool {
        head(&self.tokens).1
    }

    /// Whether these words stand in a row.
    pub fn phrase(&self, phrase: &str) -> bool {
        let words: Vec<&str> = phrase.split(' ').collect();
        let plain: Vec<&str> = self.tokens.iter().flat_map(|token| token.text.split(' ')).collect();
        plain.windows(words.len()).any(|window| window == words)
    }

    pub fn head_is(&self, sense: Sense) -> bool {
        self.tokens.get(self.head).is_some_and(|token| token.is(sense))
    }

    /// "They are in maintenance": a sentence that tells something and asks for nothing.
    pub fn explains(&self) -> bool {
        const TELLING: [&str; 12] =
            ["is", "are", "was", "were", "has", "have", "had", "been", "looks", "seems", "am", "do"];
        self.mood == Mood::Statement && !self.needs && self.says_any(&TELLING)
    }

    /// "The customer signed yesterday", "they asked for it": somebody did something, and nothing is asked for.
    pub fn tells(&self) -> bool {
        const DONE: [&str; 16] = [
            "said", "left", "paid", "went", "told", "got", "came", "broke", "lost", "wrote", "gave", "sent",
            "knows", "says", "wants", "keeps",
        ];
        const WHO: [&str; 8] = ["they", "he", "she", "we", "i", "it", "nobody", "somebody"];
        let done = self.tokens.iter().any(|token| {
            let raw = token.raw.to_lowercase();
            token.past || raw.len() > 4 && raw.ends_with("ed") || DONE.contains(&raw.as_str())
        });
        // "They stopped paying" names no state.
        let named = Slots { states: Vec::new(), ..self.slots.clone() }.names_anything();
        let by = self.tokens.first().is_some_and(|first| WHO.contains(&first.text.as_str()));
        let asks = self.any(&[Sense::Show, Sense::Check, Sense::Want, Sense::Report]);
        self.mood == Mood::Statement && !self.needs && !named && (done || by) && !asks
    }

    pub fn is_question(&self) -> bool {
        self.mood == Mood::Question
    }

    /// Whether the clause orders this very act; only then may anything that changes something follow.
    pub fn orders(&self, sense: Sense) -> bool {
        !self.negated
            && match self.mood {
                Mood::Question => false,
                Mood::Statement => self.needs && self.needed(sense),
                Mood::Order => self.head_is(sense) || self.object_is(sense),
            }
    }

    /// Whether it is said of what is needed, and not of what has happened ("we need the account that was removed").
    fn needed(&self, sense: Sense) -> bool {
        let over = |at: usize| {
            let before = |back: usize| at.checked_sub(back).map_or("", |at| self.tokens[at].text.as_str());
            self.tokens[at].past
                && (matches!(before(1), "was" | "were")
                    || matches!(before(1), "been" | "be") && matches!(before(2), "has" | "had"))
        };
        self.tokens.iter().enumerate().any(|(at, token)| token.is(sense) && !over(at))
    }

    /// "Do a restart", "I need a restart", "give i-7f3a a restart": the act is the object of a verb that means
    /// little by itself.
    fn object_is(&self, sense: Sense) -> bool {
        let Some(head) = self.tokens.get(self.head) else { return false };
        let carries = head.is(Sense::Want) || LIGHT.contains(&head.text.as_str());
        let mut rest = self.tokens[self.head + 1..].iter().peekable();
        let named =
            rest.next_if(|token| matches!(token.kind, Kind::Instance(_) | Kind::Account(_))).is_some();
        let article = rest.peek().is_some_and(|token| matches!(token.text.as_str(), "a" | "an"));
        let between = |token: &&Token| {
            matches!(
                token.text.as_str(),
                "a" | "an"
                    | "the"
                    | "me"
                    | "us"
                    | "full"
                    | "its"
                    | "their"
                    | "quick"
                    | "proper"
                    | "clean"
                    | "fresh"
            )
        };
        let object = rest.find(|token| !between(token));
        carries && (!named || article) && object.is_some_and(|token| token.is(sense) && !token.past)
    }

    /// The same request with more tokens, as when an answer completes it.
    pub fn with(&self, more: &[Token]) -> Self {
        let mut tokens = self.tokens.clone();
        tokens.push(Token::new(",", Kind::Break(',')));
        tokens.extend_from_slice(more);
        Self { mood: self.mood, negated: self.negated, ..Self::new(tokens, self.is_question()) }
    }
}

pub(super) fn begins_order(token: &Token) -> bool {
    !token.past && VERBS.iter().any(|verb| token.is(*verb))
}
