//! PostgreSQL's errors, by what a person must do about them and by what is known of the change.

use crate::tls::unproven;
use gf_store::StoreError;
use std::time::Duration;
use tokio_postgres::{
    Error,
    error::{DbError, Severity, SqlState},
};

/// What an error before the commit means. Whatever it is, nothing was changed.
pub fn failure(place: &str, error: Error) -> StoreError {
    let path = place.into();
    let Some(code) = refused_by(&error).map(|refusal| refusal.code().clone()) else {
        return StoreError::Cut { place: place.to_owned(), source: error.into() };
    };
    match code {
        SqlState::DISK_FULL => StoreError::Full { path, source: error.into() },
        SqlState::READ_ONLY_SQL_TRANSACTION | SqlState::INSUFFICIENT_PRIVILEGE => {
            StoreError::ReadOnly { path, source: error.into() }
        }
        SqlState::LOCK_NOT_AVAILABLE | SqlState::T_R_DEADLOCK_DETECTED => {
            StoreError::Busy { path, source: error.into() }
        }
        SqlState::DATA_CORRUPTED | SqlState::INDEX_CORRUPTED => {
            StoreError::Damaged { path, source: error.into() }
        }
        _ => StoreError::Database { path, source: error.into() },
    }
}

/// What the server said no to while the connection stood; `None` when the connection is over.
pub fn refused_by(error: &Error) -> Option<&DbError> {
    error.as_db_error().filter(|refusal| {
        !matches!(refusal.parsed_severity(), Some(Severity::Fatal | Severity::Panic))
            && !refusal.code().code().starts_with("08")
    })
}

/// Why no connection could be made.
pub fn no_connection(place: &str, error: Error) -> StoreError {
    let place = place.to_owned();
    if let Some(why) = unproven(&error) {
        return StoreError::Unfit { place, why };
    }
    let refusal = error.as_db_error().filter(|refusal| *refusal.code() != SqlState::CANNOT_CONNECT_NOW);
    match (refusal, error.to_string()) {
        (Some(refusal), _) if *refusal.code() != SqlState::TOO_MANY_CONNECTIONS => StoreError::Unfit {
            why: format!("it lets nobody in by that address: {}", refusal.message()),
            place,
        },
        (None, why) if why.contains("configuration") || why.contains("authentication") => {
            let hint = "give a password with --store-password-file FILE, or set PGPASSFILE";
            StoreError::Unfit { why: format!("nobody could sign in ({}); {hint}", chain(&error)), place }
        }
        _ => StoreError::Away { place, source: error.into() },
    }
}

fn chain(error: &Error) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
    format!("{error}{}", cause.unwrap_or_default())
}

/// The server took too long before the commit was asked for: the connection is given up, and with it the change.
pub fn silent(place: &str, patience: Duration) -> StoreError {
    StoreError::Cut {
        place: place.to_owned(),
        source: format!("the server did not answer within {} s", patience.as_secs_f32()).into(),
    }
}
