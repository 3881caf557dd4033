//! What is kept, beside what counting anew says.

use super::*;
use crate::{
    AccountId, Tier, Timestamp,
    fleet::{Fleet, Gathered},
    instance::{InstanceState, Role},
};
use proptest::prelude::*;

fn instance(nth: u8, place: u8, state: usize, cents: i64) -> Instance {
    let account: AccountId = "acct-0001".parse().unwrap();
    let provider = ["hetzner", "vultr"][usize::from(place % 2)];
    Instance {
        state: InstanceState::ALL[state % InstanceState::ALL.len()],
        monthly_cost: Cents(cents),
        node: (!place.is_multiple_of(3)).then(|| format!("node-{}", place % 5).parse().unwrap()),
        ..Instance::new(
            format!("i-{nth:04}").parse().unwrap(),
            account,
            Role::Primary,
            Tier::Nano,
            provider.into(),
            ["here", "there"][usize::from(place / 2 % 2)].into(),
            Timestamp::UNIX_EPOCH,
        )
    }
}

fn gathered(fleet: Fleet) -> Gathered {
    let mut gathered = Gathered::default();
    fleet.instances.into_values().for_each(|instance| gathered.add(Record::Instance(instance)));
    gathered
}

proptest! {
    #[test]
    fn what_is_kept_is_what_counting_anew_says(
        changes in prop::collection::vec((0..12_u8, 0..10_u8, 0..20_usize, 0..5_000_i64, 0..5_u8), 0..80),
        cut in 0..80_usize,
    ) {
        let (mut fleet, mut later) = (Fleet::default(), Fleet::default());
        for (at, (nth, place, state, cents, kind)) in changes.into_iter().enumerate() {
            let part = if at < cut { &mut fleet } else { &mut later };
            let change = instance(nth, place, state, cents);
            part.apply(if kind == 0 { Change::Delete(Key::Instance(change.id)) } else { change.into() });
            prop_assert_eq!(part.loads(), &Loads::of(&part.instances));
        }
        let mut both = fleet.instances.clone();
        both.extend(later.instances.clone());
        let fleet = Fleet::of(vec![gathered(fleet), gathered(later)]);
        prop_assert_eq!(&fleet.instances, &both);
        prop_assert_eq!(fleet.loads(), &Loads::of(&fleet.instances));
        let paid: Cents = fleet.instances.values().filter(|it| it.is_paid()).map(|it| it.monthly_cost).sum();
        prop_assert_eq!(fleet.loads().monthly(), paid);
        let there: usize = fleet.loads().places().map(|(.., count)| count).sum();
        prop_assert_eq!(there, fleet.live_instances().count());
        let placed: usize = (0..5).map(|n| fleet.loads().on_node(&format!("node-{n}").parse().unwrap())).sum();
        prop_assert_eq!(placed, fleet.live_instances().filter(|it| it.node.is_some()).count());
    }
}
