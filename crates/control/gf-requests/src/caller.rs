//! Who asks, how, and what they get.

use gf_model::{approval::Approval, operation::Operation, person::Principal, plan::Plan};

/// Who asks, as the control plane found out by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub principal: Principal,
    /// Where they ask, such as `cli:person-ada`; questions are shown and ends are told there.
    pub conversation: Option<String>,
    /// One id from chat to tool, operation, node and provider.
    pub trace: String,
    /// A person with their own key, who may answer questions with it.
    pub may_approve: bool,
}

impl Caller {
    /// What is kept of it; nothing where the control plane asks by itself.
    pub(crate) fn trace_id(&self) -> Option<String> {
        Some(self.trace.clone()).filter(|trace| !trace.is_empty())
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// The same key with the same request is answered as the first time.
    pub idempotency_key: Option<String>,
    /// A person acting with their own key confirms in the same act.
    pub confirmed: bool,
    /// Plan and judge, and change nothing.
    pub dry_run: bool,
}

#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "an outcome lives for one answer")]
pub enum Outcome {
    /// What would be done; nothing was.
    Planned(Plan),
    /// A person must agree first; nothing was done.
    AwaitingApproval(Approval),
    Started(Operation),
    /// It took effect at once and needs no operation.
    Done(serde_json::Value),
}

/// What a person's yes came to.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "a yes lives for one answer")]
pub enum Yes {
    Started(Operation),
    /// It counts, and another person must agree too; nothing was done.
    Counted(Approval),
}

impl Yes {
    pub fn started(self) -> Option<Operation> {
        match self {
            Self::Started(operation) => Some(operation),
            Self::Counted(_) => None,
        }
    }
}
