//! Which version of the protocol two sides speak, decided by the control plane from what a node offers.

use crate::{Challenge, GoodbyeReason, Hello};
use std::ops::RangeInclusive;

/// The oldest protocol that this build still speaks. Under it a handshake's signatures cover the fields that it knew.
pub const PROTOCOL_MIN: u32 = 1;
/// The newest protocol that this build speaks. Since it they cover whatever was sent, so that fields may be added.
pub const PROTOCOL_MAX: u32 = 2;

const OURS: RangeInclusive<u32> = PROTOCOL_MIN..=PROTOCOL_MAX;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VersionRefusal {
    #[error(
        "the node speaks protocol {offered} at most, this control plane {needed} at least: they are more than one \
         version apart; install a gf-clawnode of this control plane's version on the node, or of the version before it"
    )]
    TooOld { offered: u32, needed: u32 },
    #[error(
        "the node speaks protocol {needed} at least, this control plane {offered} at most: they are more than one \
         version apart; update the control plane first, or put the gf-clawnode of its version back"
    )]
    TooNew { offered: u32, needed: u32 },
    #[error("the node offers no protocol version at all ({min} to {max})")]
    Nonsense { min: u32, max: u32 },
}

impl VersionRefusal {
    pub fn goodbye(self) -> GoodbyeReason {
        match self {
            Self::TooOld { .. } => GoodbyeReason::ProtocolTooOld,
            Self::TooNew { .. } => GoodbyeReason::ProtocolTooNew,
            Self::Nonsense { .. } => GoodbyeReason::UnexpectedFrame,
        }
    }
}

/// The newest version that both sides speak.
pub fn negotiate(hello: &Hello) -> Result<u32, VersionRefusal> {
    common(hello, OURS)
}

/// Whether a node offered the version that a control plane chose.
pub fn chosen(challenge: &Challenge) -> bool {
    OURS.contains(&challenge.protocol)
}

/// Whether all that tickets need is covered by what is signed under this protocol.
pub fn carries_tickets(protocol: u32) -> bool {
    protocol > 1
}

fn common(hello: &Hello, ours: RangeInclusive<u32>) -> Result<u32, VersionRefusal> {
    let (min, max) = (hello.protocol_min, hello.protocol_max);
    let (oldest, newest) = ours.into_inner();
    if max == 0 || min > max {
        Err(VersionRefusal::Nonsense { min, max })
    } else if max < oldest {
        Err(VersionRefusal::TooOld { offered: max, needed: oldest })
    } else if min > newest {
        Err(VersionRefusal::TooNew { offered: newest, needed: min })
    } else {
        Ok(max.min(newest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(versions: RangeInclusive<u32>, ours: RangeInclusive<u32>) -> Result<u32, VersionRefusal> {
        let (protocol_min, protocol_max) = versions.into_inner();
        common(&Hello { protocol_min, protocol_max, ..Hello::default() }, ours)
    }

    #[test]
    fn a_node_one_version_older_or_newer_speaks_the_newest_that_both_know() {
        // Each build speaks its own version and the one before.
        assert_eq!(offer(1..=2, 1..=2), Ok(2));
        assert_eq!(offer(1..=2, 2..=3), Ok(2));
        assert_eq!(offer(2..=3, 1..=2), Ok(2));
        assert_eq!(offer(1..=1, OURS), Ok(1), "the build before versions were counted");
    }

    #[test]
    fn two_versions_apart_is_refused_with_what_to_do() {
        let older = offer(1..=2, 3..=4).unwrap_err();
        assert_eq!(older, VersionRefusal::TooOld { offered: 2, needed: 3 });
        assert_eq!(older.goodbye(), GoodbyeReason::ProtocolTooOld);
        assert!(
            older.to_string().contains("install a gf-clawnode of this control plane's version"),
            "{older}"
        );
        let newer = offer(3..=4, 1..=2).unwrap_err();
        assert_eq!(newer, VersionRefusal::TooNew { offered: 2, needed: 3 });
        assert_eq!(newer.goodbye(), GoodbyeReason::ProtocolTooNew);
        assert!(newer.to_string().contains("update the control plane"), "{newer}");
    }

    #[test]
    fn what_is_no_version_is_refused_by_name() {
        assert_eq!(offer(0..=0, OURS), Err(VersionRefusal::Nonsense { min: 0, max: 0 }));
        let turned = Hello { protocol_min: 3, protocol_max: 2, ..Hello::default() };
        assert_eq!(negotiate(&turned), Err(VersionRefusal::Nonsense { min: 3, max: 2 }));
    }

    #[test]
    fn a_version_that_was_not_offered_is_not_taken() {
        let challenge = |protocol| Challenge { protocol, ..Challenge::default() };
        assert!(chosen(&challenge(PROTOCOL_MIN)) && chosen(&challenge(PROTOCOL_MAX)));
        assert!(!chosen(&challenge(0)) && !chosen(&challenge(PROTOCOL_MAX + 1)));
    }
}
