//! Records of a [`Table`](super::Table) one after the other, in the order of their keys.

use super::{Entry, places::Places};
use std::{collections::btree_map, iter::FusedIterator};

/// Follows keys in their order to where their records lie.
pub struct Walk<'a, K, V, I> {
    keys: I,
    places: &'a Places<Entry<K, V>>,
}

pub type Iter<'a, K, V> = Walk<'a, K, V, btree_map::Iter<'a, K, u32>>;
pub type Range<'a, K, V> = Walk<'a, K, V, btree_map::Range<'a, K, u32>>;

impl<'a, K, V, I> Walk<'a, K, V, I> {
    pub(super) fn new(keys: I, places: &'a Places<Entry<K, V>>) -> Self {
        Self { keys, places }
    }
}

impl<K, V, I: Clone> Clone for Walk<'_, K, V, I> {
    fn clone(&self) -> Self {
        Self { keys: self.keys.clone(), places: self.places }
    }
}

impl<'a, K: 'a, V: 'a, I: Iterator<Item = (&'a K, &'a u32)>> Iterator for Walk<'a, K, V, I> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        let (key, place) = self.keys.next()?;
        self.places.get(*place).map(|entry| (key, &entry.value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.keys.size_hint()
    }
}

impl<'a, K: 'a, V: 'a, I: DoubleEndedIterator<Item = (&'a K, &'a u32)>> DoubleEndedIterator
    for Walk<'a, K, V, I>
{
    fn next_back(&mut self) -> Option<Self::Item> {
        let (key, place) = self.keys.next_back()?;
        self.places.get(*place).map(|entry| (key, &entry.value))
    }
}

impl<'a, K: 'a, V: 'a, I: ExactSizeIterator<Item = (&'a K, &'a u32)>> ExactSizeIterator
    for Walk<'a, K, V, I>
{
}

impl<'a, K: 'a, V: 'a, I: FusedIterator<Item = (&'a K, &'a u32)>> FusedIterator for Walk<'a, K, V, I> {}
