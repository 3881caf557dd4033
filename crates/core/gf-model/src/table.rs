//! Records by their id: found in one or two looks at memory, walked in the order of their ids.
//!
//! A tree of large records is a look at memory that is in no cache for each of its levels, and a plan for everybody looks
//! up hundreds of thousands. Here a record lies in a place of its own and stays there while others come and go; an index
//! by hash leads to it, and one by order is for walks. What is hashed how never shows: nothing is ever walked in that
//! order, so that the same records are told of in the same order by every process.

mod places;
mod walk;

pub use walk::{Iter, Range, Walk};

use hashbrown::{DefaultHashBuilder, HashTable};
use places::Places;
use std::{
    borrow::Borrow,
    collections::BTreeMap,
    fmt,
    hash::{BuildHasher, Hash},
    ops::{Index, RangeBounds},
};

#[derive(Clone)]
pub struct Table<K, V> {
    places: Places<Entry<K, V>>,
    index: HashTable<Pointer>,
    order: BTreeMap<K, u32>,
    hasher: DefaultHashBuilder,
}

/// The key stands beside its record: whoever was led here wrongly sees it by what it reads first.
#[derive(Clone)]
#[repr(C)]
struct Entry<K, V> {
    key: K,
    value: V,
}

/// Where a record lies, and enough of its key's hash to move this without looking there.
#[derive(Clone, Copy)]
struct Pointer {
    hash: u32,
    place: u32,
}

impl Pointer {
    /// The hash that the index is built with, of the half that is kept.
    fn spread(hash: u32) -> u64 {
        u64::from(hash).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self {
            places: Places::default(),
            index: HashTable::new(),
            order: BTreeMap::new(),
            hasher: DefaultHashBuilder::default(),
        }
    }
}

impl<K, V> Table<K, V> {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn len(&self) -> usize {
        self.order.len()
    }

    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// All of it, in the order of the keys.
    pub fn iter(&self) -> Iter<'_, K, V> {
        Walk::new(self.order.iter(), &self.places)
    }

    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> + ExactSizeIterator + Clone {
        self.order.keys()
    }

    /// In the order of the keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> + ExactSizeIterator + Clone {
        self.iter().map(|(_, value)| value)
    }

    /// As they lie, which is in no order that means anything.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.places.iter_mut().map(|entry| &mut entry.value)
    }

    /// In the order of the keys.
    pub fn into_values(self) -> impl Iterator<Item = V> {
        self.into_iter().map(|(_, value)| value)
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

impl<K: Ord + Hash + Clone, V> Table<K, V> {
    pub fn get<Q: Ord + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let place = self.place(key, self.hash(key))?;
        self.places.get(place).map(|entry| &entry.value)
    }

    /// What [`get`](Self::get) finds for each, in less time: where all of them lie is found before any is looked at, so that
    /// memory is waited for once for many and not for one after the other. For some dozens at a time.
    pub fn get_each<'q, Q: Ord + Hash + ?Sized + 'q>(
        &self,
        keys: impl Iterator<Item = Option<&'q Q>> + Clone,
    ) -> Vec<Option<&V>>
    where
        K: Borrow<Q>,
    {
        let likely = |key: Option<&Q>| {
            let hash = self.hash(key?);
            self.index.find(Pointer::spread(hash), |it| it.hash == hash).map(|it| it.place)
        };
        let places: Vec<Option<u32>> = keys.clone().map(likely).collect();
        let look = |(key, place): (Option<&Q>, Option<u32>)| {
            let (key, entry) = (key?, self.places.get(place?)?);
            // Another one may have the same hash; whose hash nobody has is not there.
            if entry.key.borrow() == key { Some(&entry.value) } else { self.get(key) }
        };
        keys.zip(places).map(look).collect()
    }

    pub fn get_mut<Q: Ord + Hash + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let place = self.place(key, self.hash(key))?;
        self.places.get_mut(place).map(|entry| &mut entry.value)
    }

    pub fn contains_key<Q: Ord + Hash + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.place(key, self.hash(key)).is_some()
    }

    /// Those within a range of keys, in their order.
    pub fn range(&self, range: impl RangeBounds<K>) -> Range<'_, K, V> {
        Walk::new(self.order.range(range), &self.places)
    }

    /// Puts a record in, and hands back the one that was there.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let hash = self.hash(&key);
        let place = self.place(&key, hash);
        if let Some(entry) = place.and_then(|place| self.places.get_mut(place)) {
            return Some(std::mem::replace(&mut entry.value, value));
        }
        self.order.insert(key.clone(), self.places.next());
        self.lay(hash, key, value);
        None
    }

    /// Takes a record out. Its place is the next one's that comes.
    pub fn remove<Q: Ord + Hash + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let hash = self.hash(key);
        let place = self.place(key, hash)?;
        if let Ok(found) = self.index.find_entry(Pointer::spread(hash), |it| it.place == place) {
            found.remove();
        }
        self.order.remove(key);
        self.places.take(place).map(|entry| entry.value)
    }

    /// Keeps only what passes.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &V) -> bool) {
        let gone: Vec<K> =
            self.iter().filter(|(key, value)| !keep(key, value)).map(|(key, _)| key.clone()).collect();
        for key in gone {
            self.remove(&key);
        }
    }

    fn hash<Q: Hash + ?Sized>(&self, key: &Q) -> u32 {
        let hash = self.hasher.hash_one(key);
        (hash ^ (hash >> 32)) as u32
    }

    fn place<Q: Ord + Hash + ?Sized>(&self, key: &Q, hash: u32) -> Option<u32>
    where
        K: Borrow<Q>,
    {
        let is_it = |it: &Pointer| {
            it.hash == hash && self.places.get(it.place).is_some_and(|entry| entry.key.borrow() == key)
        };
        self.index.find(Pointer::spread(hash), is_it).map(|it| it.place)
    }

    /// Lays a record down whose key is known not to be there.
    fn lay(&mut self, hash: u32, key: K, value: V) {
        let place = self.places.put(Entry { key, value });
        let pointer = Pointer { hash, place };
        self.index.insert_unique(Pointer::spread(hash), pointer, |it| Pointer::spread(it.hash));
    }
}

impl<K: Ord + Hash + Clone, V> FromIterator<(K, V)> for Table<K, V> {
    /// What comes in the order of its keys lies in that order, so that a walk goes straight through memory. Of what comes
    /// twice the later one stays.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(all: I) -> Self {
        let mut table = Self::default();
        let mut keys = Vec::new();
        for (key, value) in all {
            let hash = table.hash(&key);
            let known = table.place(&key, hash);
            match known.and_then(|place| table.places.get_mut(place)) {
                Some(entry) => entry.value = value,
                None => {
                    keys.push((key.clone(), table.places.next()));
                    table.lay(hash, key, value);
                }
            }
        }
        // A tree of what is in order is built from its leaves, without looking for any place.
        table.order = keys.into_iter().collect();
        table
    }
}

impl<K: Ord + Hash + Clone, V> Extend<(K, V)> for Table<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, all: I) {
        for (key, value) in all {
            self.insert(key, value);
        }
    }
}

impl<K, V> IntoIterator for Table<K, V> {
    type Item = (K, V);
    type IntoIter = std::vec::IntoIter<(K, V)>;

    fn into_iter(mut self) -> Self::IntoIter {
        let in_order = self.order.into_values().filter_map(|place| self.places.take(place));
        in_order.map(|entry| (entry.key, entry.value)).collect::<Vec<_>>().into_iter()
    }
}

impl<'a, K, V> IntoIterator for &'a Table<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = Iter<'a, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<K: Ord + Hash + Clone + Borrow<Q>, Q: Ord + Hash + ?Sized, V> Index<&Q> for Table<K, V> {
    type Output = V;

    #[allow(clippy::expect_used, reason = "as any index: whoever writes `[…]` knows that it is there")]
    fn index(&self, key: &Q) -> &V {
        self.get(key).expect("no record of that key")
    }
}

impl<K: PartialEq, V: PartialEq> PartialEq for Table<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Table<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
#[path = "table/tests.rs"]
mod tests;
