//! The serving lease: for how long an instance may keep its channels open without hearing from anybody.
//!
//! Pure rules with the time as an argument. A moment is a [`Duration`] since some beginning on the monotonic clock of
//! whoever asks; moments of two machines are never compared, and a wall clock is never looked at. `docs/leases.md` shows
//! how the figures fit together.

use crate::InstanceId;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long a lease lasts, from when it was asked for (at its holder) or granted (at whoever granted it).
pub const LASTS: Duration = Duration::from_secs(30);
/// So long after the control plane's last word the witness is asked.
pub const WITNESS_AFTER: Duration = Duration::from_secs(12);
/// Between two questions to a witness.
pub const ASK_EVERY: Duration = Duration::from_secs(4);
/// What closing the channels may take before the process is ended instead.
pub const CLOSES_WITHIN: Duration = Duration::from_secs(5);
/// So long after the end whoever stands beside the node ends what still serves: past what closing takes.
pub const GUARD_AFTER: Duration = Duration::from_secs(8);
/// How much longer a lease is taken to last by those who granted it: closing, ending the process, and clocks that run
/// at different speeds.
pub const MARGIN: Duration = Duration::from_secs(15);

/// Under which terms a pair's primary holds its lease. A new number with each change: what a node says of older terms is
/// told apart from what it says of these.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Terms {
    pub number: u64,
    /// The standby whose node renews while the control plane is silent. Without one the lease does not lapse, and
    /// nobody is promoted without a confirmed stop.
    pub witness: Option<InstanceId>,
}

impl Terms {
    pub fn next(&self, witness: Option<InstanceId>) -> Self {
        Self { number: self.number + 1, witness }
    }
}

/// What a holder knows of a lease that lapses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Held {
    until: Duration,
    /// The control plane's last word, by when it was asked for.
    control: Duration,
    /// When the witness was asked last.
    asked: Option<Duration>,
}

impl Held {
    /// The control plane renewed what was asked for at `asked`.
    pub fn renewed_by_control(&mut self, asked: Duration, lasts: Duration) {
        self.control = self.control.max(asked);
        self.renewed_by_witness(asked, lasts);
    }

    /// The witness did.
    pub fn renewed_by_witness(&mut self, asked: Duration, lasts: Duration) {
        self.until = self.until.max(asked + lasts.min(LASTS));
    }

    /// When it ends.
    pub fn until(&self) -> Duration {
        self.until
    }

    /// Whether the channels may be open.
    pub fn stands(&self, now: Duration) -> bool {
        now < self.until
    }

    /// Whether the witness is to be asked now. Also after the end: a witness that comes back opens the channels again.
    pub fn asks_witness(&mut self, now: Duration) -> bool {
        let due = now >= self.next_question();
        if due {
            self.asked = Some(now);
        }
        due
    }

    fn next_question(&self) -> Duration {
        let silent = self.control + WITNESS_AFTER;
        self.asked.map_or(silent, |asked| silent.max(asked + ASK_EVERY))
    }

    /// When something is due: a question, or the end.
    pub fn next_look(&self, now: Duration) -> Duration {
        let question = self.next_question();
        if self.stands(now) { question.min(self.until) } else { question }
    }
}

/// How long those who granted a lease must still wait until it is over for certain, `ago` being how long it is at least
/// since any of them renewed it. Nothing is known of a time before whoever asks began, so that `ago` never reaches
/// further back than that.
pub fn over_in(ago: Duration) -> Duration {
    (LASTS + MARGIN).saturating_sub(ago)
}

/// Why a witness does not renew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotRenewed {
    #[error("this node is not the witness of these terms")]
    OtherTerms,
    #[error("a newer generation of this pair exists")]
    NewerGeneration,
}

/// Whether a witness renews what somebody holds under `terms` and `generation`. `duty` is what the control plane told
/// this witness last, and `seen` the highest generation of the pair that it has heard of from anybody.
pub fn may_renew(duty: (u64, u64), seen: u64, terms: u64, generation: u64) -> Result<(), NotRenewed> {
    let (duty_terms, duty_generation) = duty;
    if terms == 0 || terms != duty_terms {
        return Err(NotRenewed::OtherTerms);
    }
    if generation < duty_generation || generation < seen {
        return Err(NotRenewed::NewerGeneration);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_lease_counts_from_its_question_and_never_gets_shorter() {
        let mut held = Held::default();
        assert!(!held.stands(s(0)), "what nobody granted does not stand");
        held.renewed_by_control(s(100), LASTS);
        assert!(held.stands(s(129)) && !held.stands(s(130)));
        // An answer to an older question, come late.
        held.renewed_by_witness(s(90), LASTS);
        assert!(held.stands(s(129)));
        // Nobody can give more than all sides reckon with.
        held.renewed_by_control(s(101), s(3600));
        assert!(!held.stands(s(131)));
    }

    #[test]
    fn the_witness_is_asked_while_the_control_plane_is_silent_also_after_the_end() {
        let mut held = Held::default();
        held.renewed_by_control(s(100), LASTS);
        assert!(!held.asks_witness(s(111)) && held.next_look(s(111)) == s(112));
        assert!(held.asks_witness(s(112)) && !held.asks_witness(s(113)) && held.asks_witness(s(116)));
        held.renewed_by_witness(s(116), LASTS);
        assert!(held.stands(s(145)) && !held.stands(s(146)));
        assert!(held.asks_witness(s(150)));
        held.renewed_by_control(s(151), LASTS);
        assert!(!held.asks_witness(s(160)));
    }

    #[test]
    fn the_holder_has_closed_before_the_grantor_reckons_it_over() {
        // Asked at 0 and granted as late as an answer can still be taken, on a clock that runs 1 % slow.
        let mut held = Held::default();
        held.renewed_by_control(s(0), LASTS);
        let holder_has_closed = LASTS + 2 * CLOSES_WITHIN;
        assert!(!held.stands(LASTS));
        assert!(holder_has_closed + LASTS / 100 < over_in(s(0)));
        // Its guard comes after its node could have closed it, and before anybody goes on.
        assert!(CLOSES_WITHIN < GUARD_AFTER && LASTS + GUARD_AFTER < holder_has_closed);
        assert_eq!(over_in(s(3600)), s(0));
    }

    #[test]
    fn a_witness_renews_its_own_terms_and_no_older_generation() {
        assert_eq!(may_renew((3, 7), 7, 3, 7), Ok(()));
        // The holder heard of its new generation first.
        assert_eq!(may_renew((3, 7), 1, 3, 8), Ok(()));
        assert_eq!(may_renew((3, 7), 8, 3, 7), Err(NotRenewed::NewerGeneration));
        assert_eq!(may_renew((3, 7), 7, 2, 7), Err(NotRenewed::OtherTerms));
        assert_eq!(may_renew((0, 0), 0, 0, 0), Err(NotRenewed::OtherTerms));
    }
}
