//! Changes that touch no instance: a provider's pool, a silence.

use crate::{PlanError, draft::Draft, error::pool_words, expand};
use gf_model::{
    RevisionId, Timestamp,
    operation::{Lane, Step},
    provider::{Pool, ProviderId},
    verb::SilenceScope,
};
use jiff::SignedDuration;

/// A week: whatever is silent longer was forgotten.
const LONGEST_SILENCE: i64 = 7 * 24 * 60;

pub(super) fn pool(draft: &mut Draft<'_>, provider: &ProviderId, pool: Pool) -> Result<(), PlanError> {
    let id = expand::provider(draft.fleet, &provider.0)?;
    let before = draft.fleet.providers.get(&id).map(|provider| provider.pool);
    if before == Some(pool) {
        let why = format!("{id} is {} already", pool_words(pool));
        return Err(PlanError::NothingToDo { what: "provider policy", why });
    }
    let revision = RevisionId(draft.fleet.newest_revision().0 + 1);
    let step = Step::SetProviderPool { provider: id.clone(), pool, revision };
    draft.stage("provider policy", 1, vec![Lane::new(id.0.clone(), vec![step])]);
    let old = before.map_or("unknown", pool_words);
    draft.line(format!("{id}: {old}, from {revision} on {}", pool_words(pool)));
    draft.line("new accounts only; instances that exist stay where they are");
    let after = |other: &&gf_model::provider::Provider| if other.id == id { pool } else { other.pool };
    let providers = || draft.fleet.providers.values();
    let (primary, any) = (
        providers().filter(|other| after(other) == Pool::Primary).count(),
        providers().filter(|other| after(other) != Pool::Paused).count(),
    );
    if primary == 0 || any < 2 {
        draft.warn(
            "no new pair can be placed after this: a pair needs two providers, one of them for primaries",
        );
    }
    Ok(())
}

pub(super) fn silence(
    draft: &mut Draft<'_>,
    scope: &SilenceScope,
    minutes: u32,
    now: Timestamp,
) -> Result<(), PlanError> {
    let given = i64::from(minutes);
    if !(1..=LONGEST_SILENCE).contains(&given) {
        return Err(PlanError::OutOfRange { field: "minutes", given, min: 1, max: LONGEST_SILENCE });
    }
    let what = match scope {
        SilenceScope::Provider(id) => format!("provider {}", expand::provider(draft.fleet, &id.0)?),
        SilenceScope::Region(region) => {
            expand::known_region(draft.fleet, &region.0)?;
            format!("region {region}")
        }
        SilenceScope::Instance(id) => format!("instance {}", expand::instance(draft.fleet, id.as_str())?),
    };
    let until = now + SignedDuration::from_mins(given);
    draft.line(format!("alerts of {what} are silent until {}", until.strftime("%H:%M UTC")));
    draft.line("what is CRITICAL still pages");
    Ok(())
}
