//! Adds up how much each account uses: the peaks of an hour are gathered in memory and written once the hour is over.
//!
//! A control plane that ends loses the hour that it was in, and that hour then counts as not measured.

use crate::Reconcilers;
use gf_model::{
    AccountId, InstanceId, Timestamp,
    fleet::Fleet,
    usage::{Peak, Usage},
};
use gf_node_proto::InstanceSummary;
use std::{collections::BTreeMap, time::Duration};

/// Between two looks at what the nodes last said.
const EVERY: Duration = Duration::from_secs(30);

/// The peaks of the hour that runs.
#[derive(Debug, Default)]
struct Hour {
    number: i64,
    peaks: BTreeMap<AccountId, Peak>,
}

pub(crate) async fn run(all: Reconcilers) {
    let hands = all.engine.hands();
    let mut hour = Hour::default();
    loop {
        tokio::time::sleep(EVERY).await;
        let now = hands.clock.now();
        if let Some((at, over)) = hour.turn(now) {
            let write = hands.store.update(|fleet, tx| {
                summed(fleet, at, over).into_iter().for_each(|usage| tx.put(usage));
            });
            if let Err(error) = write.await {
                tracing::error!(%error, "an hour of usage could not be written down and is not counted");
            }
        }
        hands.store.read(|fleet| hands.hub.each_heard(|at, runs| hour.hear(fleet, at, runs, now)));
    }
}

impl Hour {
    /// When another hour began: what the last one came to, and a moment in it.
    fn turn(&mut self, now: Timestamp) -> Option<(Timestamp, BTreeMap<AccountId, Peak>)> {
        let number = now.as_second().div_euclid(3600);
        if number == self.number {
            return None;
        }
        let over = std::mem::take(&mut self.peaks);
        let at = Timestamp::from_second(self.number * 3600).ok();
        self.number = number;
        at.filter(|_| !over.is_empty()).map(|at| (at, over))
    }

    /// What a node that is there said last, and when; an old word is no measurement of this hour.
    fn hear(&mut self, fleet: &Fleet, said: Timestamp, runs: &[InstanceSummary], now: Timestamp) {
        if now.duration_since(said).as_secs() >= 2 * EVERY.as_secs() as i64 {
            return;
        }
        for seen in runs {
            let Some(observed) = &seen.observation else { continue };
            let account = seen.instance_id.parse::<InstanceId>().ok().and_then(|id| fleet.instances.get(&id));
            let Some(account) = account.map(|instance| &instance.account) else { continue };
            let peak = Peak { cpu_percent: observed.cpu_percent_5m, memory_percent: observed.memory_percent };
            if !peak.is_empty() {
                self.peaks.entry(account.clone()).or_default().raise(peak);
            }
        }
    }
}

/// The records with that hour added, of accounts that are still there.
fn summed(fleet: &Fleet, at: Timestamp, over: BTreeMap<AccountId, Peak>) -> Vec<Usage> {
    let known = over.into_iter().filter(|(account, _)| fleet.gateways.contains_key(account));
    known
        .map(|(account, peak)| {
            let kept = fleet.usage.get(&account).cloned();
            let mut usage = kept.unwrap_or_else(|| Usage::new(account));
            usage.add(at, peak);
            usage
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::tests::pair;
    use gf_model::instance::InstanceState;
    use gf_node_proto::Observation;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn runs(instance: &str, cpu: Option<f32>) -> Vec<InstanceSummary> {
        let observation = Observation { cpu_percent_5m: cpu, ..Observation::default() };
        vec![InstanceSummary {
            instance_id: instance.to_owned(),
            observation: Some(observation),
            ..InstanceSummary::default()
        }]
    }

    #[test]
    fn the_peak_of_an_hour_is_written_when_it_is_over() {
        let fleet = pair(InstanceState::Active, Some(InstanceState::Active));
        let mut hour = Hour::default();
        assert!(hour.turn(at(7200)).is_none());
        hour.hear(&fleet, at(7200), &runs("i-0001", Some(12.0)), at(7200));
        hour.hear(&fleet, at(7230), &runs("i-0002", Some(30.0)), at(7230));
        hour.hear(&fleet, at(7260), &runs("i-0001", Some(7.0)), at(7260));
        assert!(hour.turn(at(10_799)).is_none());
        let (then, over) = hour.turn(at(10_800)).unwrap();
        let written = summed(&fleet, then, over);
        assert_eq!(written.len(), 1, "one account has both instances");
        assert_eq!(written[0].days[0].peak_cpu_percent, Some(30.0));
        assert_eq!((written[0].days[0].hours, written[0].days[0].peak_memory_percent), (1 << 2, None));
    }

    #[test]
    fn what_is_old_or_nobodys_or_unmeasured_is_no_measurement() {
        let fleet = pair(InstanceState::Active, None);
        let mut hour = Hour::default();
        hour.turn(at(7200));
        hour.hear(&fleet, at(7100), &runs("i-0001", Some(99.0)), at(7260));
        hour.hear(&fleet, at(7260), &runs("i-0001", None), at(7260));
        hour.hear(&fleet, at(7260), &runs("i-ffff", Some(99.0)), at(7260));
        assert!(hour.turn(at(10_800)).is_none());
    }
}
