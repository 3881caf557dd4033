//! What a freeze holds back: everything that the control plane would be doing by itself now.
//!
//! Only looks. What goes on while automation is frozen (watching, counting, telling people, leases, approvals) is not here.

use crate::decide::{self, Protect};
use gf_model::{ScheduleId, Timestamp, fleet::Fleet, freeze::Freeze, gateway::Desired, instance::Instance};

/// Of a fleet whose automation is frozen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldBack {
    /// Heals, moves and new standbys that are due; calling a person is never held back.
    pub acts: Vec<Protect>,
    /// Reports that would have been sent.
    pub schedules: Vec<ScheduleId>,
    /// Primaries whose memory was not copied since the freeze.
    pub memory_not_copied: usize,
}

impl HeldBack {
    pub fn by(freeze: &Freeze, fleet: &Fleet, now: Timestamp) -> Self {
        let is_held = |act: &Protect| !matches!(act, Protect::Critical { .. });
        let copied_since = |primary: &Instance| {
            fleet.newest_snapshot(&primary.account).is_some_and(|copy| copy.taken_at >= freeze.at)
        };
        let pairs = fleet.gateways.values().filter(|gateway| gateway.desired == Desired::Pair);
        let primaries = pairs.filter_map(|gateway| fleet.primary(gateway));
        Self {
            acts: decide::due(fleet, now).into_iter().filter(is_held).collect(),
            schedules: crate::schedules::due(fleet, now).map(|schedule| schedule.id.clone()).collect(),
            memory_not_copied: primaries
                .filter(|primary| primary.is_active() && !copied_since(primary))
                .count(),
        }
    }
}
