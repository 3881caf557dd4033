//! The sizes that a Gateway is sold in.

use crate::Cents;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    Nano,
    Standard,
    Pro,
    Enterprise,
}

impl Tier {
    pub const ALL: [Tier; 4] = [Tier::Nano, Tier::Standard, Tier::Pro, Tier::Enterprise];

    /// List price of a pair for a month; a provider's own price refines it.
    pub const fn list_price(self) -> Cents {
        match self {
            Tier::Nano => Cents::dollars(6),
            Tier::Standard => Cents::dollars(12),
            Tier::Pro => Cents::dollars(24),
            Tier::Enterprise => Cents::dollars(48),
        }
    }
    pub const fn name(self) -> &'static str {
        match self {
            Tier::Nano => "nano",
            Tier::Standard => "standard",
            Tier::Pro => "pro",
            Tier::Enterprise => "enterprise",
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a tier; the tiers are nano, standard, pro and enterprise")]
pub struct UnknownTier(pub String);

impl FromStr for Tier {
    type Err = UnknownTier;
    fn from_str(given: &str) -> Result<Self, UnknownTier> {
        let lower = given.trim().to_ascii_lowercase();
        Tier::ALL.into_iter().find(|tier| tier.name() == lower).ok_or_else(|| UnknownTier(given.to_owned()))
    }
}
