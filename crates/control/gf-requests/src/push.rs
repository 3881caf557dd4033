//! Makes a revision out of a patch, and asks for its rollout.

use crate::{Caller, Options, Outcome, Refusal, Requests};
use gf_model::{
    AccountId, RevisionId, patch,
    revision::Revision,
    verb::{Pace, Strategy, Verb},
};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// A configuration to be pushed, before it is a revision.
#[derive(Debug, Clone, PartialEq)]
pub struct Push {
    pub accounts: Vec<AccountId>,
    pub patch: Value,
    pub description: String,
    pub strategy: Strategy,
    pub batch_size: u32,
    pub pace: Pace,
}

impl Requests {
    pub async fn push(&self, caller: &Caller, push: Push, options: Options) -> Result<Outcome, Refusal> {
        patch::check(&push.patch).map_err(|bad| {
            Refusal::new(400, "bad_patch", bad.to_string())
                .at("patch", push.patch.to_string().chars().take(200).collect::<String>())
                .fix("give a JSON object with the keys to set, such as {\"agents\":{\"defaults\":{…}}}")
        })?;
        let revision = if options.dry_run {
            self.store().read(|fleet| fleet.newest_revision().0) + 1
        } else {
            self.make_revision(caller, &push).await?.0
        };
        let verb = Verb::ConfigPush {
            accounts: push.accounts,
            revision: RevisionId(revision),
            strategy: push.strategy,
            batch_size: push.batch_size,
            pace: push.pace,
        };
        self.request(caller, verb, options).await
    }

    /// The same patch asked for again while nothing newer exists is the same revision.
    async fn make_revision(&self, caller: &Caller, push: &Push) -> Result<RevisionId, Refusal> {
        let digest = hex::encode(Sha256::digest(push.patch.to_string()));
        let now = self.clock().now();
        let write = self.store().update(|fleet, tx| {
            let newest = fleet.revisions.values().next_back();
            if let Some(same) = newest.filter(|revision| revision.digest == digest) {
                return same.id;
            }
            let id = RevisionId(fleet.newest_revision().0 + 1);
            tx.put(Revision {
                id,
                description: push.description.clone(),
                patch: push.patch.clone(),
                digest,
                created_at: now,
                created_by: caller.principal.clone(),
            });
            id
        });
        Ok(write.await?)
    }
}
