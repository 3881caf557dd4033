//! A database that a newer version of the program has written to: what that one only added outlives this one's writing, and
//! one that cannot be gone on with is refused and left alone.

use super::{Place, account, entry, moment, store};
use crate::{CopyNote, SCHEMA, StoreError, Written, inspect};
use gf_model::fleet::{Account, Key};
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::Path};

/// A place that can be written to without the program, as another version of it would.
pub trait Raw: Place {
    /// Why it cannot be opened.
    fn refusal(&self) -> StoreError;
    /// A record as it lies there.
    fn stored(&self, kind: &str, id: &str) -> Option<Value>;
    fn lay(&self, kind: &str, id: &str, record: &Value);
    fn say(&self, written: Written);
    /// The schema that it claims.
    fn schema(&self) -> u64;
}

/// As the next version would leave it: another field, a field within, and a record of a kind that is not known here.
async fn lay_what_the_next_version_adds(place: &impl Raw) {
    let store = store(place);
    store.update(|_, tx| (1..=3).for_each(|number| tx.put(account(number)))).await.unwrap();
    store.close().await;
    let mut later = place.stored("Account", "acct-0001").unwrap();
    later["value"]["nickname"] = json!("Ada");
    later["value"]["billing"] = json!({"plan": "gold"});
    for id in ["acct-0001", "acct-0003"] {
        later["value"]["id"] = json!(id);
        place.lay("Account", id, &later);
    }
    place.lay("Contract", "c-1", &json!({"kind": "contract", "value": {"id": "c-1"}}));
    place.say(Written { schema: SCHEMA + 1, from: Some(SCHEMA) });
}

/// `directory` is empty.
pub async fn what_a_newer_version_only_added_is_kept(place: &impl Raw, directory: &Path) {
    lay_what_the_next_version_adds(place).await;
    let store = store(place);
    assert_eq!(store.read(|fleet| fleet.accounts.len()), 3);
    store
        .update(|_, tx| {
            tx.put(Account { created_at: moment(77), ..account(1) });
            tx.audit(entry("noted", "acct-0001", 1));
        })
        .await
        .unwrap();
    // The same account may go and come again: then it is a new one.
    store
        .update(|_, tx| {
            tx.delete(Key::Account(account(2).id));
            tx.delete(Key::Account(account(3).id));
            tx.put(account(3));
        })
        .await
        .unwrap();
    let kept = place.stored("Account", "acct-0001").unwrap();
    assert_eq!(
        (&kept["value"]["nickname"], &kept["value"]["billing"]["plan"]),
        (&json!("Ada"), &json!("gold"))
    );
    assert_eq!(kept["value"]["createdAt"], json!(moment(77)));
    assert!(place.stored("Contract", "c-1").is_some() && place.stored("Account", "acct-0002").is_none());
    assert_eq!(place.stored("Account", "acct-0003").unwrap()["value"]["nickname"], json!(null));

    let copy = directory.join("copy");
    let note = CopyNote { made_at: moment(9), program: "0.0.0".to_owned(), keys: BTreeMap::new() };
    store.back_up(copy.clone(), note).await.unwrap();
    assert_eq!(inspect(&copy, None).unwrap().fleet, store.read(Clone::clone), "a copy of it can be read");
    assert!(store.verify().await.unwrap().is_whole());
    store.close().await;
    drop(store);
    assert_eq!(place.schema(), SCHEMA + 1, "it is still the next version's");
    let again = super::store(place);
    assert_eq!(again.read(|fleet| fleet.accounts[&account(1).id].created_at), moment(77));
    again.close().await;
    drop(again);

    // One that took something away is refused, whatever it was before.
    place.say(Written { schema: SCHEMA + 1, from: Some(SCHEMA + 1) });
    assert!(matches!(place.refusal(), StoreError::Newer { .. }));
}

/// Also one that says nothing of who may go on.
pub async fn a_newer_one_that_changed_is_refused_with_the_way_back(place: &impl Raw) {
    store(place).close().await;
    place.say(Written { schema: 7, from: None });
    let refused = place.refusal();
    assert!(matches!(refused, StoreError::Newer { found: 7, known: SCHEMA, .. }), "{refused}");
    let text = refused.to_string();
    assert!(text.contains("schema 7") && text.contains(&format!("schema {SCHEMA}")), "{text}");
    assert!(text.contains("start the newer version, or restore a copy"), "{text}");
    assert_eq!(place.schema(), 7, "it is left as it is");
    place.say(Written { schema: 0, from: None });
    assert!(matches!(place.refusal(), StoreError::Damaged { .. }));
}

/// Every version's own records can be read by all that came later.
pub async fn one_of_the_first_version_is_taken_over_as_it_is(place: &impl Raw) {
    let first = store(place);
    first.update(|_, tx| tx.put(account(1))).await.unwrap();
    first.close().await;
    drop(first);
    place.say(Written { schema: 1, from: None });
    let again = store(place);
    assert_eq!(again.read(|fleet| fleet.accounts.len()), 1);
    assert_eq!(place.schema(), SCHEMA, "an older program is kept from what is added now");
    again.close().await;
}
