//! The five providers as they sell: names, regions, prices of one instance a month, and how fast and how
//! reliably they deliver. Their prices are list prices of this product's tiers, not of their machines.

use gf_model::{
    Cents, Tier,
    provider::{Pool, Provider, ProviderId, ProviderStatus, Region, RegionOffer, TrackRecord},
};

pub(crate) const DRIVER: &str = "sim";

/// How a provider behaves, apart from what it sells.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    pub id: &'static str,
    name: &'static str,
    /// Region, title, continent.
    regions: &'static [(&'static str, &'static str, &'static str)],
    /// Cents a month of one instance: nano, standard, pro, enterprise.
    prices: [i64; 4],
    /// What it charges once for an instance, in cents.
    setup_cents: i64,
    /// How long one call of its API takes, in milliseconds.
    pub call_ms: (u64, u64),
    /// From the order to a machine whose node connects, in milliseconds.
    pub provision_ms: (u64, u64),
    /// Orders that it fails, of a million.
    pub failures_per_million: u32,
}

pub(crate) const MANNERS: [Manner; 5] = [
    Manner {
        id: "hetzner",
        name: "Hetzner",
        regions: &[
            ("nbg1", "Nuremberg", "EU"),
            ("fsn1", "Falkenstein", "EU"),
            ("hel1", "Helsinki", "EU"),
            ("ash", "Ashburn, Virginia", "US"),
            ("hil", "Hillsboro, Oregon", "US"),
            ("sin", "Singapore", "ASIA"),
        ],
        prices: [300, 600, 1200, 2400],
        setup_cents: 0,
        call_ms: (150, 600),
        provision_ms: (18_000, 45_000),
        failures_per_million: 8_000,
    },
    Manner {
        id: "vultr",
        name: "Vultr",
        regions: &[
            ("fra", "Frankfurt", "EU"),
            ("ams", "Amsterdam", "EU"),
            ("lhr", "London", "EU"),
            ("ewr", "New Jersey", "US"),
            ("lax", "Los Angeles", "US"),
            ("sgp", "Singapore", "ASIA"),
            ("nrt", "Tokyo", "ASIA"),
        ],
        prices: [300, 600, 1200, 2400],
        setup_cents: 0,
        call_ms: (200, 900),
        provision_ms: (40_000, 90_000),
        failures_per_million: 15_000,
    },
    Manner {
        id: "digitalocean",
        name: "DigitalOcean",
        regions: &[
            ("fra1", "Frankfurt", "EU"),
            ("ams3", "Amsterdam", "EU"),
            ("lon1", "London", "EU"),
            ("nyc3", "New York", "US"),
            ("sfo3", "San Francisco", "US"),
            ("sgp1", "Singapore", "ASIA"),
            ("blr1", "Bangalore", "ASIA"),
        ],
        prices: [350, 700, 1400, 2800],
        setup_cents: 0,
        call_ms: (200, 700),
        provision_ms: (30_000, 70_000),
        failures_per_million: 10_000,
    },
    Manner {
        id: "contabo",
        name: "Contabo",
        regions: &[
            ("eu", "Nuremberg and Lauterbourg", "EU"),
            ("uk", "Portsmouth", "EU"),
            ("us-east", "New York", "US"),
            ("us-west", "Seattle", "US"),
            ("sin", "Singapore", "ASIA"),
            ("jpn", "Tokyo", "ASIA"),
        ],
        prices: [275, 550, 1100, 2200],
        setup_cents: 750,
        call_ms: (600, 2_500),
        provision_ms: (120_000, 420_000),
        failures_per_million: 45_000,
    },
    Manner {
        id: "hostinger",
        name: "Hostinger",
        regions: &[
            ("lt", "Vilnius", "EU"),
            ("fr", "Paris", "EU"),
            ("uk", "London", "EU"),
            ("us", "Phoenix", "US"),
            ("in", "Mumbai", "ASIA"),
        ],
        prices: [290, 580, 1160, 2320],
        setup_cents: 499,
        call_ms: (400, 1_500),
        provision_ms: (60_000, 180_000),
        failures_per_million: 25_000,
    },
];

impl Manner {
    pub(crate) fn of(provider: &ProviderId) -> Option<&'static Self> {
        MANNERS.iter().find(|manner| manner.id == provider.0)
    }

    pub(crate) fn sells_in(&self, region: &Region) -> bool {
        self.regions.iter().any(|(id, ..)| *id == region.0)
    }

    pub(crate) fn region(&self, nth: u64) -> Region {
        Region::from(self.regions[(nth % self.regions.len() as u64) as usize].0)
    }

    pub(crate) fn price(&self, tier: Tier) -> Cents {
        let place = Tier::ALL.iter().position(|known| *known == tier).unwrap_or_default();
        Cents(self.prices[place])
    }

    pub(crate) fn provider(&self) -> Provider {
        let offer = |(region, title, continent): &(&str, &str, &str)| RegionOffer {
            region: Region::from(*region),
            title: (*title).to_owned(),
            continent: (*continent).to_owned(),
        };
        Provider {
            id: ProviderId::from(self.id),
            name: self.name.to_owned(),
            driver: DRIVER.to_owned(),
            regions: self.regions.iter().map(offer).collect(),
            prices: Tier::ALL.into_iter().map(|tier| (tier, self.price(tier))).collect(),
            setup_fee: Some(Cents(self.setup_cents)),
            pool: Pool::Primary,
            status: ProviderStatus::Ok,
            score: None,
            status_asked_at: None,
            low_confidence: true,
            record: TrackRecord::default(),
        }
    }
}
