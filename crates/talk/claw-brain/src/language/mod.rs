//! From a sentence to clauses of typed tokens; knows words, never tools.

mod classify;
pub mod clause;
mod hours;
pub mod lexicon;
mod message;
pub mod moment;
pub mod number;
mod opening;
mod particle;
mod respell;
pub mod sense;
pub mod slots;
pub mod spelling;
mod split;
pub mod token;

pub use classify::is_code;
pub use clause::{Clause, Mood};
pub use hours::duration;
pub use lexicon::Lexicon;
pub use message::clauses;
pub use opening::FILLERS;
pub use sense::Sense;
pub use slots::Slots;
pub use spelling::distance;
pub use token::{Kind, Token};
