//! The same for each of many, on all cores: a look-up of an id that stands anywhere in a large fleet waits for memory for
//! most of its time, and two cores wait beside each other.
//!
//! What comes out must be what one core alone would find, in the same order: `one` sees nothing but its item.

use std::thread;

/// Fewer than these are done before a thread has begun.
const WORTH_THREADS: usize = 4096;

pub(crate) fn map<T: Sync, R: Send>(items: &[T], one: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    if cores == 1 || items.len() < WORTH_THREADS {
        return items.iter().map(one).collect();
    }
    let one = &one;
    thread::scope(|scope| {
        let share = |part| move || Iterator::map(<[T]>::iter(part), one).collect::<Vec<R>>();
        let mut parts = items.chunks(items.len().div_ceil(cores));
        let mine = parts.next().unwrap_or_default();
        let others: Vec<_> = parts.map(|part| scope.spawn(share(part))).collect();
        let mut all = Vec::with_capacity(items.len());
        all.extend(mine.iter().map(one));
        for other in others {
            all.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        all
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_many_cores_find_is_what_one_finds_in_the_same_order() {
        for count in [0, 1, super::WORTH_THREADS - 1, super::WORTH_THREADS, 3 * super::WORTH_THREADS + 1] {
            let items: Vec<usize> = (0..count).collect();
            assert_eq!(super::map(&items, |item| item * 7), items.iter().map(|i| i * 7).collect::<Vec<_>>());
        }
    }
}
