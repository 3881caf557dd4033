//! When an incident may be called widespread.

use crate::{Refused, hard::refused, limits};
use gf_model::Timestamp;

/// Many gateways that fail together may be one broken observer: the provider's status comes first.
pub fn may_declare_widespread(status_asked_at: Option<Timestamp>, now: Timestamp) -> Result<(), Refused> {
    let age = status_asked_at.map(|at| now.duration_since(at).as_secs());
    match age {
        Some(age) if (0..=limits::STATUS_AGE_SECONDS).contains(&age) => Ok(()),
        _ => Err(refused(
            "provider_not_asked",
            "the provider's status was not asked within the last ten minutes".to_owned(),
            "ask for the provider's health first, then declare the incident",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_provider_is_asked_first_and_lately() {
        let at = |second| Timestamp::from_second(second).unwrap();
        assert!(may_declare_widespread(None, at(0)).is_err());
        assert!(may_declare_widespread(Some(at(0)), at(600)).is_ok());
        assert!(may_declare_widespread(Some(at(0)), at(601)).is_err());
    }
}
