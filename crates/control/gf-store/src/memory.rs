//! A backend without a disk, for simulations: the same promises, except that nothing outlives the process.

use crate::{
    AuditQuery, Backend, Batch, StoreError,
    backend::{Loaded, SealedChange, SealedRow, StoredRow},
};
use gf_model::audit::AuditRow;
use parking_lot::Mutex;
use std::{collections::BTreeMap, ops::ControlFlow, sync::Arc};

/// Clones share one state: opening a store on a clone is a restart.
#[derive(Clone, Default)]
pub struct MemoryBackend {
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    loaded: Loaded,
    rows: Vec<StoredRow>,
    sealed: BTreeMap<String, String>,
}

impl Backend for MemoryBackend {
    fn load(&self) -> Result<Loaded, StoreError> {
        Ok(self.kept.lock().loaded.clone())
    }

    fn take_over(&self) -> Result<u64, StoreError> {
        let mut kept = self.kept.lock();
        kept.loaded.generation += 1;
        Ok(kept.loaded.generation)
    }

    fn commit(&self, generation: u64, batches: &[Batch]) -> Result<(), StoreError> {
        let mut kept = self.kept.lock();
        let theirs = kept.loaded.generation;
        if theirs != generation {
            return Err(StoreError::Deposed { ours: generation, theirs });
        }
        // The whole chain is checked before anything is kept.
        let mut head = kept.loaded.head.clone();
        for row in batches.iter().flat_map(|batch| &batch.rows) {
            if row.seq.unsigned_abs() != head.seq + 1 || row.previous != head.hash {
                return Err(StoreError::BrokenChain { given: row.seq.unsigned_abs(), last: head.seq });
            }
            head.seq += 1;
            head.hash.clone_from(&row.hash);
        }
        kept.loaded.head = head;
        for batch in batches {
            kept.loaded.number = batch.number;
            kept.rows.extend(batch.rows.iter().cloned());
            for change in &batch.changes {
                kept.loaded.fleet.apply(change.clone());
            }
            for change in &batch.sealed {
                match change {
                    SealedChange::Put(row) => kept.sealed.insert(row.id.clone(), row.sealed.clone()),
                    SealedChange::Erase(id) => kept.sealed.remove(id),
                };
            }
        }
        Ok(())
    }

    fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditRow>, StoreError> {
        let kept = self.kept.lock();
        let rows: Box<dyn Iterator<Item = &StoredRow>> =
            if query.oldest_first() { Box::new(kept.rows.iter()) } else { Box::new(kept.rows.iter().rev()) };
        rows.map(StoredRow::parse)
            .filter(|row| row.as_ref().map_or(true, |row| query.matches(row.seq, &row.entry)))
            .take(query.limit())
            .collect()
    }

    fn scan_audit(&self, visit: &mut dyn FnMut(StoredRow) -> ControlFlow<()>) -> Result<(), StoreError> {
        let rows = self.kept.lock().rows.clone();
        for row in rows {
            if visit(row).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn sealed(&self, prefix: &str) -> Result<Vec<SealedRow>, StoreError> {
        let kept = self.kept.lock();
        Ok(kept
            .sealed
            .range(prefix.to_owned()..)
            .take_while(|(id, _)| id.starts_with(prefix))
            .map(|(id, sealed)| SealedRow { id: id.clone(), sealed: sealed.clone() })
            .collect())
    }

    fn blocks(&self) -> bool {
        false
    }

    fn close(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Place, every_promise};

    impl Place for MemoryBackend {
        fn open(&self) -> Arc<dyn Backend> {
            Arc::new(self.clone())
        }
    }

    #[tokio::test]
    async fn memory_keeps_every_promise_on_one_thread() {
        every_promise(MemoryBackend::default).await;
    }
}
