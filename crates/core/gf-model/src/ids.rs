//! Names as people say them: `acct-0042`, `i-7f3a`, `op-91c2`, `A7K2`, `v47`.
//!
//! An id is checked when it is parsed, so that one that exists in memory is well-formed. It is kept in place and not
//! behind a pointer: a walk over the fleet looks up hundreds of thousands.

use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, Visitor},
};
use smol_str::SmolStr;
use std::{fmt, marker::PhantomData, str::FromStr};

/// What was wrong with a name that somebody typed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not {expected}")]
pub struct BadId {
    pub given: String,
    pub expected: &'static str,
}

/// What follows the prefix of an id.
fn is_tail(tail: &str) -> bool {
    !tail.is_empty()
        && tail.len() <= 40
        && tail.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !tail.starts_with('-')
        && !tail.ends_with('-')
}

/// Reads an id out of a text where it stands.
struct ByName<T>(PhantomData<T>);

impl<T: FromStr<Err = BadId>> Visitor<'_> for ByName<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: de::Error>(self, given: &str) -> Result<T, E> {
        given.parse().map_err(E::custom)
    }
}

macro_rules! named_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
        #[schemars(with = "String")]
        pub struct $name(SmolStr);

        impl $name {
            pub const PREFIX: &'static str = $prefix;
            pub fn as_str(&self) -> &str {
                &self.0
            }
            /// An id made from the low bits of `bits`: four hex digits, or more where four are taken.
            pub fn from_bits(bits: u64, digits: usize) -> Self {
                let digits = digits.clamp(4, 16);
                let hex = format!("{bits:016x}");
                Self(format!("{}{}", $prefix, &hex[16 - digits..]).into())
            }
        }
        impl FromStr for $name {
            type Err = BadId;
            fn from_str(given: &str) -> Result<Self, BadId> {
                // As it is written everywhere: a store and a wire hold millions that need no second look.
                if given.strip_prefix($prefix).is_some_and(is_tail) {
                    return Ok(Self(given.into()));
                }
                let lower = given.trim().to_ascii_lowercase();
                let tail = lower.strip_prefix($prefix).unwrap_or(&lower);
                match is_tail(tail) {
                    true => Ok(Self(format!("{}{tail}", $prefix).into())),
                    false => Err(BadId { given: given.to_owned(), expected: $expected }),
                }
            }
        }
        impl TryFrom<String> for $name {
            type Error = BadId;
            fn try_from(given: String) -> Result<Self, BadId> {
                given.parse()
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.to_string()
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(ByName(PhantomData))
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

named_id!(
    /// An end user of COMPANION; also the name of the Gateway that the account has.
    AccountId, "acct-", "an account id such as acct-0042"
);
named_id!(
    /// One OpenClaw in one place.
    InstanceId, "i-", "an instance id such as i-7f3a"
);
named_id!(
    /// Durable work with progress.
    OperationId, "op-", "an operation id such as op-91c2"
);
named_id!(
    /// A machine that a gf-clawnode in the `host` role runs on.
    NodeId, "node-", "a node id such as node-local-a"
);
named_id!(
    /// A consistent copy of one instance's state.
    SnapshotId, "snap-", "a snapshot id such as snap-1f0c"
);
named_id!(
    /// What is kept of an account after its teardown.
    ArchiveId, "arch-", "an archive id such as arch-7c21"
);
named_id!(IncidentId, "inc-", "an incident id such as inc-03aa");
named_id!(
    /// Something that must be told to somebody, exactly once.
    NoticeId, "note-", "a notice id such as note-5b1d"
);
named_id!(
    /// A report that comes by itself.
    ScheduleId, "sched-", "a schedule id such as sched-4e10"
);
named_id!(
    /// An operator: a human with channel identities, keys and a role.
    PersonId, "person-", "a person id such as person-ada"
);

/// The short code of an approval, as it is read aloud: four of `A-Z2-9` without `I`, `L`, `O`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct ApprovalCode(String);

impl ApprovalCode {
    const ALPHABET: &'static [u8] = b"ABCDEFGHJKMNPQRSTUVWXYZ23456789";

    pub fn from_bits(mut bits: u64) -> Self {
        let n = Self::ALPHABET.len() as u64;
        let mut code = String::with_capacity(4);
        for place in 0..4 {
            // A letter first and a digit second keep a code from ever being an English word ("STOP").
            let (low, size) = match place {
                0 => (0, 23),
                1 => (23, 8),
                _ => (0, n),
            };
            code.push(char::from(Self::ALPHABET[(low + bits % size) as usize]));
            bits /= size;
        }
        Self(code)
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl FromStr for ApprovalCode {
    type Err = BadId;
    fn from_str(given: &str) -> Result<Self, BadId> {
        let upper = given.trim().to_ascii_uppercase();
        if upper.len() == 4 && upper.bytes().all(|b| Self::ALPHABET.contains(&b)) {
            Ok(Self(upper))
        } else {
            Err(BadId { given: given.to_owned(), expected: "an approval code such as A7K2" })
        }
    }
}
impl TryFrom<String> for ApprovalCode {
    type Error = BadId;
    fn try_from(given: String) -> Result<Self, BadId> {
        given.parse()
    }
}
impl From<ApprovalCode> for String {
    fn from(code: ApprovalCode) -> String {
        code.0
    }
}
impl fmt::Display for ApprovalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for ApprovalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A version of configuration, said and written as `v47`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct RevisionId(pub u64);

impl fmt::Display for RevisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}
impl FromStr for RevisionId {
    type Err = BadId;
    fn from_str(given: &str) -> Result<Self, BadId> {
        let lower = given.trim().to_ascii_lowercase();
        lower
            .strip_prefix('v')
            .unwrap_or(&lower)
            .parse()
            .map(Self)
            .map_err(|_| BadId { given: given.to_owned(), expected: "a revision such as v47" })
    }
}
impl TryFrom<String> for RevisionId {
    type Error = BadId;
    fn try_from(given: String) -> Result<Self, BadId> {
        given.parse()
    }
}
impl From<RevisionId> for String {
    fn from(id: RevisionId) -> String {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_number_is_an_account() {
        assert_eq!("0042".parse::<AccountId>().unwrap().as_str(), "acct-0042");
        assert_eq!(" ACCT-0042 ".parse::<AccountId>().unwrap().as_str(), "acct-0042");
    }

    #[test]
    fn a_name_with_a_path_in_it_is_refused() {
        for bad in ["", "acct-", "../etc", "acct-a/b", "acct-a b", "-x", "x-", &"9".repeat(41)] {
            assert!(bad.parse::<AccountId>().is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn a_code_is_never_a_word_and_reads_back() {
        for bits in [0, 1, 7, 991, u64::MAX] {
            let code = ApprovalCode::from_bits(bits);
            assert!(code.as_str().as_bytes()[1].is_ascii_digit(), "{code}");
            assert_eq!(code.as_str().to_lowercase().parse::<ApprovalCode>().unwrap(), code);
        }
        assert!("GO".parse::<ApprovalCode>().is_err());
    }

    #[test]
    fn revisions_are_said_with_a_v() {
        assert_eq!("V47".parse::<RevisionId>().unwrap().to_string(), "v47");
        assert!("v-1".parse::<RevisionId>().is_err());
    }
}
