//! Long lists in pages: a page is asked for by the key of the last item that was seen, so that what is added
//! meanwhile neither repeats nor hides anything else.

use crate::{
    Api,
    problem::{Answer, Problem},
};
use axum::Json;
use gf_model::fleet::Fleet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub const DEFAULT_LIMIT: usize = 100;
pub const LARGEST_LIMIT: usize = 1000;

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// How many items (default 100, at most 1000).
    pub limit: Option<i64>,
    /// The `next` of the page before.
    pub after: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Listing<T> {
    pub items: Vec<T>,
    /// All items that match, on this page or not.
    pub total: u64,
    /// What to give as `after` for the next page; `null` on the last.
    pub next: Option<String>,
}

/// A limit that somebody typed.
pub fn checked_limit(limit: Option<i64>, default: usize, largest: usize) -> Result<usize, Problem> {
    match limit {
        None => Ok(default),
        Some(n) => match usize::try_from(n) {
            Ok(n) if (1..=largest).contains(&n) => Ok(n),
            _ => Err(Problem::bad_request("bad_limit", format!("{n} is not a number of items to return"))
                .at("limit", n)
                .fix(format!("use 1 to {largest}"))),
        },
    }
}

/// What a list may be asked by besides its page. A list's query is this and `limit` and `after`; they are spelled out
/// in every query because a flattened one can neither be typed nor closed.
macro_rules! list_query {
    ($(#[$outer:meta])* struct $name:ident { $($(#[$inner:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$outer])*
        #[derive(serde::Deserialize, schemars::JsonSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        struct $name {
            /// How many items (default 100, at most 1000).
            limit: Option<i64>,
            /// The `next` of the page before.
            after: Option<String>,
            $($(#[$inner])* $field: Option<$type>,)*
        }

        impl $name {
            fn page(&self) -> $crate::paging::Page {
                $crate::paging::Page { limit: self.limit, after: self.after.clone() }
            }
        }
    };
}
pub(crate) use list_query;

/// The newest first, and what is of one moment in a steady order.
pub fn newest_first<'a, T, A: Ord, I: Ord>(
    items: impl Iterator<Item = &'a T>,
    at: impl Fn(&T) -> A,
    id: impl Fn(&T) -> I,
) -> std::vec::IntoIter<&'a T> {
    let mut found: Vec<&T> = items.collect();
    found.sort_by_key(|item| std::cmp::Reverse((at(item), id(item))));
    found.into_iter()
}

/// Answers with a page of the fleet as it is now.
pub fn answer<T>(api: &Api, look: impl FnOnce(&Fleet) -> Result<Listing<T>, Problem>) -> Answer<Listing<T>> {
    api.store.read(look).map(Json)
}

/// One page of items that come in the order of their keys.
pub fn page<'a, T: 'a, U>(
    items: impl Iterator<Item = &'a T>,
    key: impl Fn(&T) -> String,
    show: impl Fn(&T) -> U,
    asked: &Page,
) -> Result<Listing<U>, Problem> {
    let limit = checked_limit(asked.limit, DEFAULT_LIMIT, LARGEST_LIMIT)?;
    let all: Vec<&T> = items.collect();
    let start = match &asked.after {
        None => 0,
        Some(after) => {
            let found = all.iter().position(|item| key(item) == *after);
            found.map(|at| at + 1).ok_or_else(|| {
                Problem::bad_request("unknown_cursor", format!("no item {after:?} is in this list"))
                    .at("after", after)
                    .fix("begin again without `after`")
            })?
        }
    };
    let shown = &all[start..(start + limit).min(all.len())];
    let next = (start + shown.len() < all.len()).then(|| shown.last().map(|item| key(item))).flatten();
    Ok(Listing { items: shown.iter().map(|item| show(item)).collect(), total: all.len() as u64, next })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(limit: Option<i64>, after: Option<&str>) -> Result<Listing<u32>, Problem> {
        let asked = Page { limit, after: after.map(str::to_owned) };
        page([1u32, 2, 3].iter(), u32::to_string, |n| *n, &asked)
    }

    #[test]
    fn pages_follow_each_other_and_end() {
        let first = of(Some(2), None).unwrap();
        assert_eq!((first.items, first.total, first.next.as_deref()), (vec![1, 2], 3, Some("2")));
        let last = of(Some(2), Some("2")).unwrap();
        assert_eq!((last.items, last.next), (vec![3], None));
    }

    #[test]
    fn a_senseless_page_is_refused() {
        for limit in [0, -1, 1001, i64::MAX] {
            assert_eq!(of(Some(limit), None).unwrap_err().code, "bad_limit");
        }
        assert_eq!(of(None, Some("9")).unwrap_err().code, "unknown_cursor");
    }
}
