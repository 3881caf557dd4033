//! Takes up operations that stand in the store as under way and that nobody runs.
//!
//! A commit that reported failure may have been kept: then an operation was begun that its starter does not know of.

use crate::Reconcilers;

pub(crate) async fn run(all: Reconcilers) {
    loop {
        tokio::time::sleep(all.cadence.sweep).await;
        all.engine.resume_all();
    }
}
