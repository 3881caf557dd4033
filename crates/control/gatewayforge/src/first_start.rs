//! What a new home gets: its first admin, whose key lies in `keys/operator.key`.

use crate::keys;
use anyhow::{Context, Result};
use gf_api::auth::person;
use gf_model::{
    PersonId,
    ambient::{Clock, Entropy},
    audit::AuditEntry,
    person::{Person, PersonRole, Principal},
};
use gf_store::FleetStore;
use std::{fs, path::Path};

/// Makes the first admin where there is no person at all.
pub async fn admin(
    store: &FleetStore,
    keys_dir: &Path,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<()> {
    if store.read(|fleet| !fleet.people.is_empty()) {
        return Ok(());
    }
    let path = keys_dir.join("operator.key");
    keys::create_private(&path, &person::mint(entropy))?;
    let key = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let id: PersonId = "person-operator".parse()?;
    let now = clock.now();
    let first = Person {
        id: id.clone(),
        first_name: "Operator".to_owned(),
        role: PersonRole::Admin,
        identities: Vec::new(),
        key_sha256: vec![person::digest(key.trim())],
        signing_keys: Vec::new(),
        zone: None,
        created_at: now,
        disabled: false,
    };
    store
        .update(|fleet, tx| {
            if !fleet.people.is_empty() {
                return;
            }
            tx.audit(AuditEntry::noted(
                now,
                Principal::Service("gatewayforge".to_owned()),
                "person.add",
                vec![id.to_string()],
                serde_json::json!({"role": "admin", "note": "the first admin of a new home"}),
            ));
            tx.put(first);
        })
        .await
        .context("the first admin could not be written down")?;
    Ok(())
}
