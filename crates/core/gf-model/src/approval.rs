//! A question that only a person answers, and what exactly their yes covers.

use crate::{
    AccountId, ApprovalCode, Cents, InstanceId, OperationId, PersonId, RevisionId, person::Principal,
    plan::Plan,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    /// Where it was asked for, and so where it is shown: `cli:person-ada`, `telegram:default:777`.
    pub conversation: Option<String>,
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

/// What makes a yes a person's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Evidence {
    /// The person's own key, straight at the control plane.
    Key { person: PersonId },
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
