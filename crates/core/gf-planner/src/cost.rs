//! What things cost a month, in whole cents, and when a rise is more than a fifth.

use gf_model::{Cents, Tier, fleet::Fleet, provider::ProviderId};

/// A rise by more than this needs to be pointed out, in percent.
pub const RISE_PERCENT: i64 = 20;
/// Below this monthly base a percentage says nothing and is not used.
pub const PERCENT_BASE: Cents = Cents::dollars(100);

/// The price of one instance for a month: the provider's own, or half of the list price of a pair.
pub fn price(fleet: &Fleet, provider: &ProviderId, tier: Tier) -> Cents {
    let own = fleet.providers.get(provider).and_then(|provider| provider.prices.get(&tier).copied());
    own.unwrap_or(Cents(tier.list_price().0 / 2))
}

/// Whether the provider sells the tier. One without any price list is taken at list prices.
pub fn sells(fleet: &Fleet, provider: &ProviderId, tier: Tier) -> bool {
    fleet
        .providers
        .get(provider)
        .is_some_and(|provider| provider.prices.is_empty() || provider.prices.contains_key(&tier))
}

/// Whether `delta` on top of `before` is a rise by more than a fifth. A fifth itself is not.
pub fn is_steep(before: Cents, delta: Cents) -> bool {
    before >= PERCENT_BASE && i128::from(delta.0) * 100 > i128::from(before.0) * i128::from(RISE_PERCENT)
}

/// The rise in tenths of a percent, rounded half up; `None` where the base is too small for one.
pub fn permille(before: Cents, delta: Cents) -> Option<i64> {
    (before >= PERCENT_BASE).then(|| Cents(delta.0).pro_rata(1000, before.0).0)
}

/// As people write a change of cost: `+$24`, `-$6`, `$0`.
pub fn signed(delta: Cents) -> String {
    if delta.0 > 0 { format!("+{delta}") } else { delta.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fifth_passes_and_a_cent_more_does_not() {
        let base = Cents::dollars(1000);
        assert!(!is_steep(base, Cents::dollars(200)));
        assert!(is_steep(base, Cents(20_001)));
        assert!(is_steep(base, Cents::dollars(201)));
        assert_eq!(permille(base, Cents::dollars(201)), Some(201));
    }

    #[test]
    fn under_a_hundred_dollars_a_percentage_says_nothing() {
        assert!(!is_steep(Cents(9_999), Cents(9_999)));
        assert!(is_steep(Cents(10_000), Cents(2_001)));
        assert_eq!(permille(Cents(9_999), Cents(1)), None);
    }

    #[test]
    fn a_change_is_written_with_its_sign() {
        assert_eq!(signed(Cents::dollars(24)), "+$24");
        assert_eq!(signed(Cents(-650)), "-$6.50");
        assert_eq!(signed(Cents(0)), "$0");
    }
}
