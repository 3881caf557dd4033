//! A question that only a person answers, and what exactly their yes covers.

use crate::{
    AccountId, ApprovalCode, Cents, InstanceId, OperationId, PersonId, RevisionId, person::Principal,
    plan::Plan,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What a yes covers: at execution the plan must fit inside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    pub verb: String,
    pub accounts: Vec<AccountId>,
    pub instances: Vec<InstanceId>,
    /// The monthly cost may not rise by more than this.
    pub cost_ceiling: Cents,
    pub revision: Option<RevisionId>,
    pub plan_hash: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ApprovalState {
    Open,
    Granted,
    Denied,
    Expired,
    /// The plan no longer fits its envelope.
    Void,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Approval {
    pub code: ApprovalCode,
    pub state: ApprovalState,
    pub envelope: Envelope,
    pub plan: Plan,
    /// The control plane's own words; shown as they are.
    pub question: String,
    pub requested_by: Principal,
    /// The person behind the request, where that is known: the one who asked, or in whose conversation an agent did.
    #[serde(default)]
    pub asked_by: Option<PersonId>,
    /// Another person than the one who asked must agree.
    #[serde(default)]
    pub second_person: bool,
    /// A yes counts only where the person signed it with a signing key of their own.
    #[serde(default)]
    pub signed: bool,
    /// Yeses so far, where two people must agree and nobody can tell who asked: the second one starts it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agreed: Vec<Agreed>,
    /// What a person wants otherwise. It stays open, and nobody grants it as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<ChangesAsked>,
    /// The question that this one takes the place of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<ApprovalCode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<ApprovalCode>,
    /// What was agreed to and was not there any more when it started.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<String>,
    /// Where it was asked for, and so where it is shown: `cli:person-ada`, `telegram:default:777`.
    pub conversation: Option<String>,
    /// The trace id of the request that is asked about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// Where the question was seen leaving. Without an entry it cannot be granted there.
    pub shown: Vec<Shown>,
    pub answered_by: Option<PersonId>,
    pub answered_at: Option<Timestamp>,
    pub evidence: Option<Evidence>,
    pub operation: Option<OperationId>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Shown {
    pub conversation: String,
    /// The channel's own id of the message that carried the question.
    pub message_id: Option<String>,
    pub at: Timestamp,
}

/// A yes that counts and is not enough by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Agreed {
    pub person: PersonId,
    pub at: Timestamp,
    pub evidence: Evidence,
}

/// What a person wants otherwise, in their own words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangesAsked {
    pub by: PersonId,
    pub at: Timestamp,
    pub text: String,
}

/// Whoever keeps it can check it again, also when the key was withdrawn since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Signature {
    /// Which of the person's signing keys.
    pub key: String,
    /// Ed25519, base64.
    pub public_key: String,
    /// What was signed, see [`Approval::statement`].
    pub statement: String,
    /// Base64.
    pub signature: String,
}

impl Evidence {
    pub fn key(person: PersonId) -> Self {
        Self::Key { person, signature: None }
    }

    pub const fn is_signed(&self) -> bool {
        matches!(self, Self::Key { signature: Some(_), .. })
    }
}

impl Approval {
    /// What a person signs who says yes: this question, for this envelope, asked at this time. Nothing else is agreed to
    /// by the same signature.
    pub fn statement(&self) -> String {
        let digest = |text: &str| hex::encode(Sha256::digest(text));
        // Plain data; a value that could not be written would have no digest that anybody signed.
        let envelope = serde_json::to_string(&self.envelope).unwrap_or_default();
        format!(
            "ClawOps approval 1\ngrant {}\nasked {}\nenvelope sha256 {}\nquestion sha256 {}",
            self.code,
            self.created_at,
            digest(&envelope),
            digest(&self.question)
        )
    }
}

/// What makes a yes a person's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Evidence {
    /// The person's own key, straight at the control plane.
    Key {
        person: PersonId,
        /// By a signing key that the control plane has never seen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signature: Option<Signature>,
    },
    /// A message of a real channel, as its host recorded it.
    #[serde(rename_all = "camelCase")]
    Message {
        channel: String,
        sender: String,
        message_id: String,
        provider_update_id: Option<String>,
        text: String,
    },
}

/// A message of a real channel, as the ops gateway's host recorded it. Its single use is enforced by `key()`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InboundMessage {
    pub channel: String,
    pub account_id: String,
    pub sender_id: String,
    pub conversation: String,
    pub message_id: String,
    #[serde(default)]
    pub provider_update_id: Option<String>,
    pub text: String,
    #[serde(default)]
    pub reply_to_message_id: Option<String>,
    pub at: Timestamp,
}

impl InboundMessage {
    /// One message has one key, however often it is delivered.
    pub fn key(&self) -> String {
        format!("{}:{}:{}:{}", self.channel, self.account_id, self.conversation, self.message_id)
    }
}
