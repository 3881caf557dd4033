//! Which version of the protocol two sides speak, decided by the control plane from what a node offers.

use crate::{GoodbyeReason, Hello};

/// The oldest protocol that this build still speaks.
pub const PROTOCOL_MIN: u32 = 1;
/// The newest protocol that this build speaks.
pub const PROTOCOL_MAX: u32 = 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VersionRefusal {
    #[error(
        "the node speaks protocol {offered} at most, this control plane needs {PROTOCOL_MIN}; update gf-clawnode"
    )]
    TooOld { offered: u32 },
    #[error(
        "the node needs protocol {needed}, this control plane speaks {PROTOCOL_MAX} at most; update the control plane"
    )]
    TooNew { needed: u32 },
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
    let (min, max) = (hello.protocol_min, hello.protocol_max);
    if max == 0 || min > max {
        Err(VersionRefusal::Nonsense { min, max })
    } else if max < PROTOCOL_MIN {
        Err(VersionRefusal::TooOld { offered: max })
    } else if min > PROTOCOL_MAX {
        Err(VersionRefusal::TooNew { needed: min })
    } else {
        Ok(max.min(PROTOCOL_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(protocol_min: u32, protocol_max: u32) -> Result<u32, VersionRefusal> {
        negotiate(&Hello { protocol_min, protocol_max, ..Hello::default() })
    }

    #[test]
    fn the_newest_common_version_wins() {
        assert_eq!(offer(PROTOCOL_MIN, PROTOCOL_MAX), Ok(PROTOCOL_MAX));
        assert_eq!(offer(PROTOCOL_MIN, PROTOCOL_MAX + 7), Ok(PROTOCOL_MAX));
    }

    #[test]
    fn what_cannot_meet_is_refused_by_name() {
        assert_eq!(
            offer(PROTOCOL_MAX + 1, PROTOCOL_MAX + 2),
            Err(VersionRefusal::TooNew { needed: PROTOCOL_MAX + 1 })
        );
        assert_eq!(offer(0, 0), Err(VersionRefusal::Nonsense { min: 0, max: 0 }));
        assert_eq!(offer(3, 2), Err(VersionRefusal::Nonsense { min: 3, max: 2 }));
        assert_eq!(VersionRefusal::TooOld { offered: 0 }.goodbye(), GoodbyeReason::ProtocolTooOld);
    }
}
