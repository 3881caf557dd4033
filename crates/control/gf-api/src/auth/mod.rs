//! Who is asking: a person by their key, an agent by the plugin's signature, a browser by its cookie.
//!
//! Nothing in a body or a query ever says who called. What could not be proven is refused; there is no anonymous
//! caller of anything but `/healthz` and the sign-in.

pub mod access;
pub mod browser;
pub mod conversation;
pub mod gate;
pub mod person;
pub mod plugin;

use gf_model::person::{PersonRole, Principal};

/// What the plugin is called when it speaks for itself, and not for an agent.
pub const PLUGIN_ITSELF: &str = "plugin:clawops";

/// A caller who proved who they are. Put into a request by the gate, read by handlers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub principal: Principal,
    /// A person's; agents and the plugin have none.
    pub role: Option<PersonRole>,
    /// Where the caller is being talked to, as far as the host said.
    pub conversation: Option<String>,
    /// What ties log lines and audit rows of one request together.
    pub trace: String,
    /// The plugin's id of the tool call: a call is done once.
    pub call: Option<String>,
}

impl Identity {
    pub fn agent(&self) -> Option<&str> {
        match &self.principal {
            Principal::Agent(agent) => Some(agent),
            _ => None,
        }
    }

    pub fn is_person(&self) -> bool {
        matches!(self.principal, Principal::Person(_))
    }

    /// Whether this caller's own word can answer an approval.
    pub fn may_approve(&self) -> bool {
        self.role >= Some(PersonRole::Approver)
    }
}
