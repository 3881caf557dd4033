//! Copies of an instance's memory: snapshots (a directory) and archives (one file), both with a manifest.
//!
//! A copy is complete and checked before it gets its name. Nothing here touches a live state directory but to
//! read it while its owner stands still.

pub mod archive;
mod copy;
mod manifest;
mod restore;

pub use copy::{Cancel, copy_tree};
pub use manifest::{FileEntry, Manifest, STATE_DIR, digest_of};
pub use restore::{Source, restore};

use crate::files;
use std::{io, path::Path};

#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{path} exists already; each snapshot needs a place of its own")]
    Exists { path: String },
    #[error("{path} is not a complete snapshot: {why}")]
    Corrupt { path: String, why: String },
    #[error("cancelled")]
    Cancelled,
}

/// Fills in what a copied tree holds. `staging` has the state below [`STATE_DIR`].
pub fn describe(staging: &Path, manifest: &mut Manifest) -> Result<(), SnapshotError> {
    manifest.files = manifest::describe(&staging.join(STATE_DIR))?;
    manifest.digest = digest_of(&manifest.files);
    Ok(())
}

/// A described tree becomes a snapshot: durable, and named in one step.
///
/// `staging` lies on the same file system as `destination`.
pub fn seal(staging: &Path, destination: &Path, manifest: &Manifest) -> Result<(), SnapshotError> {
    if destination.exists() {
        return Err(SnapshotError::Exists { path: destination.display().to_string() });
    }
    let text = serde_json::to_vec_pretty(manifest).map_err(io::Error::from)?;
    files::write_private(&staging.join(manifest::FILE), &text)?;
    sync_file_system(staging)?;
    std::fs::rename(staging, destination)?;
    files::sync_parent(destination)?;
    Ok(())
}

/// Reads a snapshot's manifest.
pub fn read_manifest(snapshot: &Path) -> Result<Manifest, SnapshotError> {
    let corrupt = |why: &dyn std::fmt::Display| SnapshotError::Corrupt {
        path: snapshot.display().to_string(),
        why: why.to_string(),
    };
    let text = std::fs::read(snapshot.join(manifest::FILE)).map_err(|why| corrupt(&why))?;
    serde_json::from_slice(&text).map_err(|why| corrupt(&why))
}

/// Makes everything below durable with one call instead of one per file.
fn sync_file_system(path: &Path) -> io::Result<()> {
    let directory = std::fs::File::open(path)?;
    rustix::fs::syncfs(&directory)?;
    Ok(())
}
