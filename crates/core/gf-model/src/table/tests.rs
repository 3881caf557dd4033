use super::Table;
use proptest::prelude::*;
use std::collections::{BTreeMap, HashSet};

#[derive(Debug, Clone)]
enum Act {
    Put(u16, u8),
    Remove(u16),
    Keep(u8),
    Extend(Vec<(u16, u8)>),
    Become(Vec<(u16, u8)>),
    Copy,
    Clear,
}

fn act() -> impl Strategy<Value = Act> {
    let key = 0..1500_u16;
    let many = proptest::collection::vec((key.clone(), any::<u8>()), 0..1200);
    prop_oneof![
        200 => (key.clone(), any::<u8>()).prop_map(|(key, value)| Act::Put(key, value)),
        150 => key.prop_map(Act::Remove),
        3 => any::<u8>().prop_map(Act::Keep),
        4 => many.clone().prop_map(Act::Extend),
        2 => many.prop_map(Act::Become),
        4 => Just(Act::Copy),
        1 => Just(Act::Clear),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn a_table_is_what_a_tree_is(acts in proptest::collection::vec(act(), 1..400)) {
        let (mut table, mut tree) = (Table::<String, u8>::default(), BTreeMap::<String, u8>::new());
        let name = |key: u16| format!("i-{key:04x}");
        for act in acts {
            match act {
                Act::Put(key, value) => {
                    prop_assert_eq!(table.insert(name(key), value), tree.insert(name(key), value));
                }
                Act::Remove(key) => prop_assert_eq!(table.remove(&name(key)), tree.remove(&name(key))),
                Act::Keep(mark) => {
                    table.retain(|_, value| *value != mark);
                    tree.retain(|_, value| *value != mark);
                }
                Act::Extend(many) => {
                    let named = || many.iter().map(|(key, value)| (name(*key), *value));
                    table.extend(named());
                    tree.extend(named());
                }
                Act::Become(many) => {
                    let named = || many.iter().map(|(key, value)| (name(*key), *value));
                    (table, tree) = (named().collect(), named().collect());
                }
                Act::Copy => table = table.clone(),
                Act::Clear => {
                    table.clear();
                    tree.clear();
                }
            }
            prop_assert_eq!(table.len(), tree.len());
        }
        prop_assert!(table.iter().eq(&tree));
        prop_assert!(table.iter().rev().eq(tree.iter().rev()));
        prop_assert!(table.keys().eq(tree.keys()));
        prop_assert!(table.values().eq(tree.values()));
        let (low, high) = (name(300), name(900));
        prop_assert!(table.range(low.clone()..=high.clone()).eq(tree.range(low..=high)));
        for key in 0..1500 {
            prop_assert_eq!(table.get(&name(key)), tree.get(&name(key)));
            prop_assert_eq!(table.contains_key(name(key).as_str()), tree.contains_key(&name(key)));
        }
        let names: Vec<String> = (0..1500).map(name).collect();
        let wanted = names.iter().map(|name| Some(name.as_str()).filter(|name| !name.ends_with('7')));
        let one_by_one: Vec<_> = wanted.clone().map(|name| tree.get(name?)).collect();
        prop_assert_eq!(table.get_each(wanted), one_by_one);
        for value in table.values_mut() {
            *value = value.wrapping_add(1);
        }
        tree.values_mut().for_each(|value| *value = value.wrapping_add(1));
        prop_assert!(table.into_iter().eq(tree));
    }
}

#[test]
fn many_of_which_some_share_a_hash_are_each_found() {
    // So many that some of them do: half of a hash is kept.
    let table: Table<u64, u64> = (0..300_000).map(|n| (n, n)).collect();
    let hashes: HashSet<u32> = (0..300_000_u64).map(|n| table.hash(&n)).collect();
    assert!(hashes.len() < 300_000, "{} hashes", hashes.len());
    let keys: Vec<u64> = (0..300_100).collect();
    let found = table.get_each(keys.iter().map(Some));
    assert!(keys.iter().zip(found).all(|(key, found)| found == Some(key).filter(|key| **key < 300_000)));
}

#[test]
fn tables_that_came_about_otherwise_are_equal_where_they_hold_the_same() {
    let forwards: Table<u32, u32> = (0..2000).map(|n| (n, n * n)).collect();
    let mut backwards: Table<u32, u32> = (0..3000).rev().map(|n| (n, n * n)).collect();
    assert_ne!(forwards, backwards);
    backwards.retain(|key, _| *key < 2000);
    assert_eq!(forwards, backwards);
    assert_eq!(forwards[&1999], 1999 * 1999);
}
