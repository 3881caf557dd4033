//! Why a request cannot be planned: the field, its value, and what would be right.

use gf_model::{
    AccountId, BadId, InstanceId, OperationId, Tier,
    instance::InstanceState,
    provider::{Pool, ProviderId},
    tier::UnknownTier,
};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    #[error(transparent)]
    BadId(#[from] BadId),
    #[error(transparent)]
    UnknownTier(#[from] UnknownTier),
    /// An account, instance, provider, region, state, role, operation, archive or snapshot that is not there.
    #[error("there is no {kind} {given}{}", maybe(.close))]
    Unknown { kind: Kind, given: String, close: Vec<String>, known: Vec<String> },
    #[error("{field} is {given}; it must be from {min} to {max}")]
    OutOfRange { field: &'static str, given: i64, min: i64, max: i64 },
    #[error("nothing matches {what}")]
    NothingMatches { what: String },
    #[error("{what} has nothing to do: {why}")]
    NothingToDo { what: &'static str, why: String },
    #[error("primary and standby would both be at {0}; a pair is always at two providers")]
    SameProvider(ProviderId),
    #[error("{provider} is {} and takes no new {role}", pool_words(*.pool))]
    PoolForbids { provider: ProviderId, pool: Pool, role: &'static str },
    #[error("{provider} does not sell {tier}")]
    NotSold { provider: ProviderId, tier: Tier },
    #[error("there is no place for a {role} of tier {tier}{}", in_regions(.regions))]
    NoPlace { role: &'static str, tier: Tier, regions: Vec<String> },
    #[error("{0} is served already")]
    AlreadyServed(AccountId),
    #[error("{0} has an archive; it is not a new account")]
    HasArchive(AccountId),
    #[error("{account} has no {missing}")]
    Lacks { account: AccountId, missing: &'static str },
    #[error(
        "the standby of {account} is {}; a pair is only moved to a standby that is ACTIVE",
        .state.map_or("missing", InstanceState::name)
    )]
    StandbyNotActive { account: AccountId, state: Option<InstanceState> },
    #[error("{account} has an ACTIVE standby already: {standby}")]
    HasStandby { account: AccountId, standby: InstanceId },
    #[error("{kind} {given} belongs to {owner}, not to {account}")]
    BelongsToAnother { kind: Kind, given: String, owner: AccountId, account: AccountId },
    #[error("{kind} {given} was kept until {until}")]
    NoLongerKept { kind: Kind, given: String, until: String },
    #[error("{0} is not a rollout: it pushed no configuration")]
    NotARollout(OperationId),
}

/// Kinds of things that can be named and not be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Account,
    Instance,
    Provider,
    Region,
    State,
    Role,
    Operation,
    Archive,
    Snapshot,
}

impl Kind {
    const fn parts(self) -> (&'static str, &'static str) {
        match self {
            Self::Account => ("account", "unknown_account"),
            Self::Instance => ("instance", "unknown_instance"),
            Self::Provider => ("provider", "unknown_provider"),
            Self::Region => ("region", "unknown_region"),
            Self::State => ("state", "unknown_state"),
            Self::Role => ("role", "unknown_role"),
            Self::Operation => ("operation", "unknown_operation"),
            Self::Archive => ("archive", "unknown_archive"),
            Self::Snapshot => ("snapshot", "unknown_snapshot"),
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.parts().0)
    }
}

impl PlanError {
    /// Stable, for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadId(_) => "bad_id",
            Self::UnknownTier(_) => "unknown_tier",
            Self::Unknown { kind, .. } => kind.parts().1,
            Self::OutOfRange { .. } => "out_of_range",
            Self::NothingMatches { .. } => "nothing_matches",
            Self::NothingToDo { .. } => "nothing_to_do",
            Self::SameProvider(_) => "same_provider",
            Self::PoolForbids { .. } => "pool_forbids",
            Self::NotSold { .. } => "tier_not_sold",
            Self::NoPlace { .. } => "no_place",
            Self::AlreadyServed(_) => "already_served",
            Self::HasArchive(_) => "has_archive",
            Self::Lacks { .. } => "incomplete_pair",
            Self::StandbyNotActive { .. } => "standby_not_active",
            Self::HasStandby { .. } => "has_standby",
            Self::BelongsToAnother { .. } => "belongs_to_another",
            Self::NoLongerKept { .. } => "no_longer_kept",
            Self::NotARollout(_) => "not_a_rollout",
        }
    }

    /// The HTTP status that says the same.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Unknown { .. } => 404,
            Self::BadId(_)
            | Self::UnknownTier(_)
            | Self::OutOfRange { .. }
            | Self::SameProvider(_)
            | Self::NotARollout(_)
            | Self::BelongsToAnother { .. } => 400,
            _ => 409,
        }
    }

    /// Which parameter is at fault, and what it was.
    pub fn at(&self) -> Option<(&'static str, String)> {
        Some(match self {
            Self::BadId(bad) => ("id", bad.given.clone()),
            Self::UnknownTier(bad) => ("tier", bad.0.clone()),
            Self::OutOfRange { field, given, .. } => (field, given.to_string()),
            Self::NothingMatches { what } => ("targets", what.clone()),
            Self::SameProvider(provider) => ("standbyProvider", provider.to_string()),
            Self::PoolForbids { provider, .. } => ("provider", provider.to_string()),
            Self::NotSold { tier, .. } => ("tier", tier.to_string()),
            Self::NoPlace { regions, .. } if !regions.is_empty() => ("regions", regions.join(", ")),
            Self::AlreadyServed(account) | Self::HasArchive(account) => ("accountIds", account.to_string()),
            Self::Lacks { account, .. }
            | Self::StandbyNotActive { account, .. }
            | Self::HasStandby { account, .. } => ("accountId", account.to_string()),
            Self::Unknown { kind, given, .. }
            | Self::BelongsToAnother { kind, given, .. }
            | Self::NoLongerKept { kind, given, .. } => (kind.parts().0, given.clone()),
            Self::NotARollout(id) => ("id", id.to_string()),
            Self::NothingToDo { .. } | Self::NoPlace { .. } => return None,
        })
    }

    /// What would be right; `None` where only the fleet's own list can tell.
    pub fn fix(&self) -> Option<String> {
        Some(match self {
            Self::BadId(bad) => format!("give {}", bad.expected),
            Self::UnknownTier(_) => "use nano, standard, pro or enterprise".into(),
            Self::Unknown { close, .. } if !close.is_empty() => format!("use {}", close.join(" or ")),
            Self::Unknown { known, .. } if !known.is_empty() => format!("use one of {}", known.join(", ")),
            Self::Unknown { .. } | Self::NothingMatches { .. } => return None,
            Self::OutOfRange { field, min, max, .. } => format!("give a {field} from {min} to {max}"),
            Self::NothingToDo { .. } => "look at what there is now; nothing needs to be changed".into(),
            Self::SameProvider(_) => "name two different providers, or only one of them".into(),
            Self::PoolForbids { .. } => "choose another provider, or change its pool first".into(),
            Self::NotSold { .. } => "choose another tier or another provider".into(),
            Self::NoPlace { .. } => {
                "name more regions or none, or let another provider take new instances".into()
            }
            Self::AlreadyServed(_) => "name accounts that do not exist yet, or give a count".into(),
            Self::HasArchive(account) => format!("restore {account} instead"),
            Self::Lacks { .. } => "look at the pair: it may still be being built".into(),
            Self::StandbyNotActive { .. } => {
                "wait until its standby is ACTIVE; a missing one is being rebuilt".into()
            }
            Self::HasStandby { .. } => "nothing is missing".into(),
            Self::BelongsToAnother { account, .. } => {
                format!("name one of {account}, or none for the newest")
            }
            Self::NoLongerKept { .. } => "name another, or provision the account without its memory".into(),
            Self::NotARollout(_) => "name the operation of a configuration push".into(),
        })
    }
}

fn maybe(close: &[String]) -> String {
    if close.is_empty() { String::new() } else { format!("; did you mean {}?", close.join(" or ")) }
}

fn in_regions(regions: &[String]) -> String {
    if regions.is_empty() { String::new() } else { format!(" in {}", regions.join(", ")) }
}

pub(crate) const fn pool_words(pool: Pool) -> &'static str {
    match pool {
        Pool::Primary => "open for primaries and standbys",
        Pool::Standby => "for standbys only",
        Pool::Paused => "paused",
    }
}
