//! The same for each of many, on all cores: a look-up of an id that stands anywhere in a large fleet waits for memory for
//! most of its time, and two cores wait beside each other.
//!
//! What comes out must be what one core alone would find, in the same order: `some` sees nothing but its items.

use std::thread;

/// Fewer than these are done before a thread has begun.
const WORTH_THREADS: usize = 4096;
/// So many are looked at together, so that what is looked up of them is waited for together.
const TOGETHER: usize = 64;

/// `some` puts down one result for each of the items that it is given.
pub(crate) fn map<T: Sync, R: Send>(items: &[T], some: impl Fn(&[T], &mut Vec<R>) + Sync) -> Vec<R> {
    let some = &some;
    let share = |part: &[T], room: usize| {
        let mut all = Vec::with_capacity(room);
        part.chunks(TOGETHER).for_each(|items| some(items, &mut all));
        all
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    if cores == 1 || items.len() < WORTH_THREADS {
        return share(items, items.len());
    }
    let share = &share;
    thread::scope(|scope| {
        let mut parts = items.chunks(items.len().div_ceil(cores));
        let mine = parts.next().unwrap_or_default();
        let others: Vec<_> = parts.map(|part| scope.spawn(move || share(part, part.len()))).collect();
        let mut all = share(mine, items.len());
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
            let found = super::map(&items, |some, found| found.extend(some.iter().map(|item| item * 7)));
            assert_eq!(found, items.iter().map(|i| i * 7).collect::<Vec<_>>());
        }
    }
}
