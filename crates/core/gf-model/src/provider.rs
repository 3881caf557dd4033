//! Who sells places, where, and how well they have done it.

use crate::{Cents, Tier};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::{collections::BTreeMap, fmt};

/// A seller of places, by its short lower-case name: `hetzner`, `vultr`, `local-a`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ProviderId(#[schemars(with = "String")] pub SmolStr);

/// A provider's own name for a place on the map: `nbg1`, `here`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Region(#[schemars(with = "String")] pub SmolStr);

impl fmt::Display for ProviderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl From<&str> for ProviderId {
    fn from(name: &str) -> Self {
        Self(name.to_ascii_lowercase().into())
    }
}
impl From<&str> for Region {
    fn from(name: &str) -> Self {
        Self(name.to_ascii_lowercase().into())
    }
}

/// For which roles a provider is chosen when a new account is placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Pool {
    /// Primaries and standbys.
    Primary,
    /// Standbys only.
    Standby,
    /// Nothing new.
    Paused,
}

/// What a provider offers, as its driver reports it, and what the fleet has decided about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Provider {
    pub id: ProviderId,
    pub name: String,
    pub driver: String,
    pub regions: Vec<RegionOffer>,
    /// Price of ONE instance for a month, by tier. A tier that is absent is not sold here.
    pub prices: BTreeMap<Tier, Cents>,
    /// What it charges once for an instance; `None` where that is not known, so that no move to it is ever advised.
    #[serde(default)]
    pub setup_fee: Option<Cents>,
    pub pool: Pool,
    pub status: ProviderStatus,
    /// When it was last asked for that; whether it answered is in the status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_asked_at: Option<Timestamp>,
    /// 0–100 over seven days; `None` while nothing has been measured.
    pub score: Option<u8>,
    pub low_confidence: bool,
    pub record: TrackRecord,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RegionOffer {
    pub region: Region,
    pub title: String,
    /// `EU`, `US`, `ASIA`, `LOCAL`: what an operator means by "EU regions".
    pub continent: String,
}

/// What the provider itself says of its health.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", tag = "state")]
pub enum ProviderStatus {
    Ok,
    Incident { title: String, regions: Vec<Region> },
    Unknown,
}

impl Provider {
    /// What it reports of one of its regions.
    pub fn incident_at(&self, region: &Region) -> Option<&str> {
        match &self.status {
            ProviderStatus::Incident { title, regions } if regions.is_empty() || regions.contains(region) => {
                Some(title)
            }
            _ => None,
        }
    }

    /// The cities of one of its regions, as people name them.
    fn cities(&self, region: &Region) -> impl Iterator<Item = &str> {
        let offers = self.regions.iter().filter(move |offer| offer.region == *region);
        offers.flat_map(|offer| offer.title.split(" and "))
    }

    /// Whether two providers' regions are in one city: what darkens the one may darken the other.
    pub fn shares_city(&self, region: &Region, other: &Self, others: &Region) -> bool {
        self.cities(region).any(|city| other.cities(others).any(|theirs| theirs.eq_ignore_ascii_case(city)))
    }
}

/// Counts of the last seven days from which the score is made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrackRecord {
    pub provisions_tried: u32,
    pub provisions_failed: u32,
    /// Sum over the successful ones.
    pub provision_millis_total: u64,
    pub api_calls: u64,
    pub api_errors: u64,
    /// Parts per million of instance time in which instances were up.
    pub uptime_ppm: Option<u32>,
}
