//! A person's key: 256 random bits that are shown once, kept as a hash, and compared without telling how close a
//! guess was.

use gf_model::{ambient::Entropy, person::Person};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// What a key begins with, so that a leaked one is recognised by whoever finds it.
const PREFIX: &str = "gfk_";

/// A fresh key, in the clear. Only its [`digest`] may be kept.
pub fn mint(entropy: &dyn Entropy) -> String {
    let mut secret = [0; 32];
    entropy.fill(&mut secret);
    format!("{PREFIX}{}", hex::encode(secret))
}

/// The hash under which a key is kept, hex.
pub fn digest(key: &str) -> String {
    hex::encode(Sha256::digest(key.as_bytes()))
}

/// Whose key this is. Every key of every person is compared, whether or not one has matched before.
pub fn owner<'a>(people: impl Iterator<Item = &'a Person>, key: &str) -> Option<&'a Person> {
    let given = digest(key);
    let mut found = None;
    for person in people.filter(|person| !person.disabled) {
        for kept in &person.key_sha256 {
            if bool::from(kept.as_bytes().ct_eq(given.as_bytes())) {
                found = Some(person);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use gf_model::{Timestamp, person::PersonRole};

    #[test]
    fn a_key_opens_for_its_owner_until_they_are_disabled() {
        let mut ada = Person {
            id: "person-ada".parse().unwrap(),
            first_name: "Ada".into(),
            role: PersonRole::Admin,
            identities: vec![],
            key_sha256: vec![digest("one"), digest("two")],
            signing_keys: Vec::new(),
            zone: None,
            created_at: Timestamp::UNIX_EPOCH,
            disabled: false,
        };
        assert!(owner([&ada].into_iter(), "two").is_some());
        assert!(owner([&ada].into_iter(), "three").is_none());
        assert!(owner([&ada].into_iter(), &digest("two")).is_none(), "the hash is not the key");
        ada.disabled = true;
        assert!(owner([&ada].into_iter(), "two").is_none());
    }
}
