//! The handle to the fleet's secrets: set, list, confirm, erase, and reveal to an instance that may have them.
//!
//! Each act is one transaction of the store together with its audit row: no audit, no action.

use crate::{
    Listed, MasterKey, Plain, Scope, SecretsError,
    envelope::{Envelope, Label, Sealed},
    name,
    purpose::{Purpose, may_have},
};
use gf_model::{Timestamp, ambient::Entropy, audit::AuditEntry, channel::SecretName, person::Principal};
use gf_store::FleetStore;
use serde_json::json;
use std::{path::Path, sync::Arc};
use tokio::sync::Mutex;

/// Room for any token or private key; a larger thing is a file and no secret.
const LIMIT: usize = 64 * 1024;
/// Encrypted with the master key when it is first used: tells a wrong key from a tampered secret.
const CHECK_ID: &str = "master-key-check";
const CHECK: &[u8] = b"clawops master key";

/// Who does something with a secret, and when.
#[derive(Debug, Clone, Copy)]
pub struct Use<'a> {
    pub principal: &'a Principal,
    pub at: Timestamp,
}

#[derive(Debug)]
pub struct Revealed {
    pub version: u64,
    pub plain: Plain,
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Secrets {
    inner: Arc<Inner>,
}

struct Inner {
    store: FleetStore,
    master: MasterKey,
    entropy: Arc<dyn Entropy>,
    /// Versions are counted by reading and then writing.
    writing: Mutex<()>,
}

impl Secrets {
    /// Reads the master key, or makes it where nothing was encrypted yet, and checks that it fits.
    pub async fn open(
        store: FleetStore,
        master_key: &Path,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, SecretsError> {
        let check = store.sealed(CHECK_ID).await?.pop();
        let master = MasterKey::open_or_create(master_key, check.is_some(), &*entropy)?;
        match check {
            Some(row) => {
                let fits = serde_json::from_str::<Sealed>(&row.sealed)
                    .is_ok_and(|sealed| sealed.open(master.bytes(), CHECK).is_ok());
                if !fits {
                    return Err(SecretsError::KeyDoesNotFit { path: master.path().to_owned() });
                }
            }
            None => {
                let sealed = to_json(&Sealed::seal(master.bytes(), CHECK, CHECK, &*entropy))?;
                store.update(|_, tx| tx.put_sealed(CHECK_ID, sealed)).await?;
            }
        }
        Ok(Self { inner: Arc::new(Inner { store, master, entropy, writing: Mutex::new(()) }) })
    }

    /// Sets a secret. An older version is kept until the new one is [confirmed](Self::confirm).
    pub async fn set(
        &self,
        by: Use<'_>,
        scope: &Scope,
        name: &SecretName,
        plain: Plain,
    ) -> Result<Listed, SecretsError> {
        name::check(name)?;
        let bytes = plain.expose().len();
        if bytes == 0 || bytes > LIMIT {
            return Err(SecretsError::BadSize { bytes, limit: LIMIT });
        }
        let inner = &self.inner;
        let _writing = inner.writing.lock().await;
        let version = self.versions(scope, name).await?.last().map_or(1, |listed| listed.version + 1);
        let label = Label { scope, name, version, created_at: by.at };
        let sealed = to_json(&Envelope::seal(inner.master.bytes(), &label, &plain, &*inner.entropy))?;
        inner
            .store
            .update(|_, tx| {
                tx.audit(row(by, "secret.set", scope, name, json!({ "version": version })));
                tx.put_sealed(name::id(scope, name, version), sealed);
            })
            .await?;
        Ok(Listed { scope: scope.clone(), name: name.clone(), version, created_at: by.at })
    }

    /// Every version of every secret of a scope, by name and version. Never a value.
    pub async fn list(&self, scope: &Scope) -> Result<Vec<Listed>, SecretsError> {
        self.listed(scope, name::of_scope(scope)).await
    }

    /// The version is known to work: older ones are erased. Says how many.
    pub async fn confirm(
        &self,
        by: Use<'_>,
        scope: &Scope,
        name: &SecretName,
        version: u64,
    ) -> Result<usize, SecretsError> {
        name::check(name)?;
        let _writing = self.inner.writing.lock().await;
        let versions = self.versions(scope, name).await?;
        if !versions.iter().any(|listed| listed.version == version) {
            return Err(unknown(scope, name, Some(version)));
        }
        let old: Vec<u64> = versions.iter().map(|listed| listed.version).filter(|v| *v < version).collect();
        self.erase_versions(
            by,
            "secret.confirmed",
            scope,
            name,
            &old,
            json!({ "version": version, "erased": old }),
        )
        .await?;
        Ok(old.len())
    }

    /// Erases a secret with all its versions. Says how many.
    pub async fn erase(&self, by: Use<'_>, scope: &Scope, name: &SecretName) -> Result<usize, SecretsError> {
        name::check(name)?;
        let _writing = self.inner.writing.lock().await;
        let all: Vec<u64> = self.versions(scope, name).await?.iter().map(|listed| listed.version).collect();
        if all.is_empty() {
            return Err(unknown(scope, name, None));
        }
        self.erase_versions(by, "secret.erased", scope, name, &all, json!({ "erased": all })).await?;
        Ok(all.len())
    }

    /// The newest value, for a use that is written into the audit trail first.
    pub async fn reveal_for(
        &self,
        by: Use<'_>,
        purpose: &Purpose,
        scope: &Scope,
        name: &SecretName,
    ) -> Result<Revealed, SecretsError> {
        name::check(name)?;
        let newest = self.versions(scope, name).await?.pop();
        let Some(Listed { version, .. }) = newest else { return Err(unknown(scope, name, None)) };
        self.reveal_version(by, purpose, scope, name, version).await
    }

    /// An older value that is not confirmed away yet, to go back to when the new one does not work.
    pub async fn reveal_version(
        &self,
        by: Use<'_>,
        purpose: &Purpose,
        scope: &Scope,
        name: &SecretName,
        version: u64,
    ) -> Result<Revealed, SecretsError> {
        name::check(name)?;
        let id = name::id(scope, name, version);
        let rows = self.inner.store.sealed(id.clone()).await?;
        // A prefix finds version 12 beside version 1.
        let Some(row_kept) = rows.into_iter().find(|row| row.id == id) else {
            return Err(unknown(scope, name, Some(version)));
        };
        let tampered = || SecretsError::Tampered { scope: scope.to_string(), name: name.0.clone(), version };
        let envelope: Envelope = serde_json::from_str(&row_kept.sealed).map_err(|_| tampered())?;
        let label = Label { scope, name, version, created_at: envelope.created_at };
        let plain = envelope.open(self.inner.master.bytes(), &label).map_err(|_| tampered())?;
        let detail = match purpose {
            Purpose::Instance { node, instance } => {
                json!({ "version": version, "node": node, "instance": instance })
            }
            Purpose::ControlPlane(what) => json!({ "version": version, "for": what }),
        };
        let audited = self.inner.store.transact(|fleet, tx| {
            may_have(fleet, purpose, scope)?;
            let mut entry = row(by, "secret.revealed", scope, name, detail);
            if let Purpose::Instance { instance, .. } = purpose {
                entry.targets.push(instance.to_string());
            }
            tx.audit(entry);
            Ok::<(), SecretsError>(())
        });
        audited.await?;
        Ok(Revealed { version, plain })
    }

    async fn versions(&self, scope: &Scope, name: &SecretName) -> Result<Vec<Listed>, SecretsError> {
        self.listed(scope, name::versions_of(scope, name)).await
    }

    async fn listed(&self, scope: &Scope, prefix: String) -> Result<Vec<Listed>, SecretsError> {
        let rows = self.inner.store.sealed(prefix).await?;
        let mut listed = Vec::with_capacity(rows.len());
        for row in rows {
            let Some((name, version)) = name::parse(scope, &row.id) else { continue };
            let envelope: Envelope = serde_json::from_str(&row.sealed).map_err(|_| {
                SecretsError::Tampered { scope: scope.to_string(), name: name.0.clone(), version }
            })?;
            listed.push(Listed { scope: scope.clone(), name, version, created_at: envelope.created_at });
        }
        listed.sort_by(|a, b| (&a.name, a.version).cmp(&(&b.name, b.version)));
        Ok(listed)
    }

    async fn erase_versions(
        &self,
        by: Use<'_>,
        action: &str,
        scope: &Scope,
        name: &SecretName,
        versions: &[u64],
        detail: serde_json::Value,
    ) -> Result<(), SecretsError> {
        let erase = self.inner.store.update(|_, tx| {
            tx.audit(row(by, action, scope, name, detail));
            for version in versions {
                tx.erase_sealed(name::id(scope, name, *version));
            }
        });
        Ok(erase.await?)
    }
}

fn unknown(scope: &Scope, name: &SecretName, version: Option<u64>) -> SecretsError {
    let (scope, name) = (scope.to_string(), name.0.clone());
    match version {
        Some(version) => SecretsError::UnknownVersion { scope, name, version },
        None => SecretsError::Unknown { scope, name },
    }
}

fn row(
    by: Use<'_>,
    action: &str,
    scope: &Scope,
    name: &SecretName,
    mut detail: serde_json::Value,
) -> AuditEntry {
    detail["secret"] = json!(name);
    AuditEntry::noted(by.at, by.principal.clone(), action, vec![scope.to_string()], detail)
}

fn to_json<T: serde::Serialize>(sealed: &Option<T>) -> Result<String, SecretsError> {
    match sealed {
        Some(sealed) => {
            serde_json::to_string(sealed).map_err(|source| gf_store::StoreError::Unwritable(source).into())
        }
        None => Err(SecretsError::BadSize { bytes: usize::MAX, limit: LIMIT }),
    }
}
