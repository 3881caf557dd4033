//! Placement and batches over fleets and wishes that nobody thought of.

mod support;

use gf_model::{
    Tier,
    fleet::Fleet,
    operation::Step,
    provider::{Pool, ProviderId, Region},
    verb::{Strategy, Verb},
};
use gf_planner::{
    lint,
    place::{Placer, Wish},
};
use proptest::prelude::*;
use std::sync::LazyLock;
use support::{Counter, id, now};

static WHOLE: LazyLock<Fleet> = LazyLock::new(|| gf_planner::fixture::fleet(now()));

fn fleet(pools: &[u8]) -> Fleet {
    let mut fleet = Fleet::default();
    for (mut provider, pool) in gf_planner::fixture::providers().into_iter().zip(pools) {
        provider.pool = [Pool::Primary, Pool::Standby, Pool::Paused][usize::from(pool % 3)];
        fleet.apply(provider.into());
    }
    fleet
}

proptest! {
    #[test]
    fn a_pair_is_never_at_one_provider(
        pools in proptest::collection::vec(0u8..3, 1..=5),
        count in 1usize..12,
        primary in proptest::option::of(0usize..5),
        standby in proptest::option::of(0usize..5),
        region in proptest::option::of(proptest::sample::select(vec!["EU", "us", "nbg1", "Frankfurt"])),
    ) {
        let fleet = fleet(&pools);
        let names = ["hetzner", "vultr", "digitalocean", "contabo", "hostinger"];
        let named = |place: Option<usize>| place.map(|place| ProviderId::from(names[place]));
        let verb = Verb::Provision {
            accounts: (1..=count).map(|n| id(&format!("{n:04}"))).collect(),
            tier: Tier::Pro,
            regions: region.map(Region::from).into_iter().collect(),
            primary_provider: named(primary),
            standby_provider: named(standby),
            purpose: None,
        };
        let Ok(plan) = gf_planner::plan(&fleet, &verb, &mut Counter(0), now()) else { return Ok(()) };
        prop_assert!(lint(&fleet, &plan).iter().all(|objection| !objection.forbids));
        for lane in plan.stages.iter().flat_map(|stage| &stage.lanes) {
            let places: Vec<_> = lane.steps.iter().filter_map(|record| match &record.step {
                Step::CreateInstance { provider, role, .. } => Some((provider, *role)),
                _ => None,
            }).collect();
            prop_assert_eq!(places.len(), 2);
            prop_assert_ne!(places[0].0, places[1].0);
            prop_assert_eq!(fleet.providers[places[0].0].pool, Pool::Primary);
            prop_assert_ne!(fleet.providers[places[1].0].pool, Pool::Paused);
        }
    }

    #[test]
    fn batches_hold_everyone_once_and_none_is_too_large(accounts in 1usize..300, size in 1u32..70) {
        let fleet = &*WHOLE;
        let verb = Verb::ConfigPush {
            accounts: (1..=accounts).map(|n| id(&format!("{n:04}"))).collect(),
            revision: gf_model::RevisionId(1),
            strategy: Strategy::Rolling,
            batch_size: size,
            pace: Default::default(),
        };
        let plan = gf_planner::plan(fleet, &verb, &mut Counter(0), now()).unwrap();
        let sizes: Vec<_> = plan.stages.iter().map(|stage| stage.lanes.len()).collect();
        prop_assert_eq!(sizes.len(), accounts.div_ceil(size as usize));
        prop_assert_eq!(sizes.iter().sum::<usize>(), accounts);
        prop_assert!(sizes.iter().all(|lanes| *lanes <= size as usize));
    }
}

#[test]
fn pairs_spread_over_providers_and_stay_on_their_continent() {
    let fleet = fleet(&[0, 0, 0, 0, 0]);
    let mut placer = Placer::new(&fleet);
    let eu = [Region::from("EU")];
    let wish = Wish { tier: Tier::Nano, regions: &eu, primary: None, standby: None };
    let pairs: Vec<_> = (0..10).map(|_| placer.pair(&wish).unwrap()).collect();
    for provider in fleet.providers.keys() {
        let used = pairs.iter().flat_map(|(a, b)| [a, b]).filter(|spot| spot.provider == *provider).count();
        assert_eq!(used, 4, "{provider}");
    }
}

#[test]
fn a_bad_score_is_believed_once_enough_was_measured() {
    let mut fleet = fleet(&[0, 0, 0]);
    for (name, score) in [("hetzner", 49), ("vultr", 74), ("digitalocean", 75)] {
        let provider = fleet.providers.get_mut(&name.into()).unwrap();
        provider.score = Some(score);
        provider.low_confidence = false;
    }
    let wish = Wish { tier: Tier::Nano, regions: &[], primary: None, standby: None };
    let (primary, standby) = Placer::new(&fleet).pair(&wish).unwrap();
    assert_eq!((primary.provider.0.as_str(), standby.provider.0.as_str()), ("digitalocean", "vultr"));
}
