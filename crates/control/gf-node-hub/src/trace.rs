//! The trace that the present task works for, so that every command which it sends carries its id, whoever builds it.

use std::future::Future;

tokio::task_local! {
    static TRACE: String;
}

/// Does work as part of a trace; of none, as it is.
pub async fn within<T>(trace: Option<String>, work: impl Future<Output = T>) -> T {
    match trace {
        Some(trace) => TRACE.scope(trace, work).await,
        None => work.await,
    }
}

/// Empty where this is part of none.
pub(crate) fn current() -> String {
    TRACE.try_with(Clone::clone).unwrap_or_default()
}
