//! Who may use a route. Declared with the route itself, so that the router, the OpenAPI document and the gate agree.

use super::Identity;
use crate::problem::Problem;
use axum::http::StatusCode;
use gf_model::person::{PersonRole, Principal};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nobody is asked: liveness and the sign-in.
    Open,
    /// People with any role, agents, and the plugin.
    Read,
    /// The page in a browser: its cookie, or a person's key.
    Page,
    /// People with any role, and agents; what a call may do is decided by the tool.
    Tool,
    /// People of at least this role, by their own key.
    Person(PersonRole),
    /// The plugin, for itself.
    Plugin,
}

impl Access {
    /// For the document.
    pub fn words(self) -> &'static str {
        match self {
            Self::Open => "Nobody is asked for a key.",
            Self::Read => "Any person, any agent.",
            Self::Page => "A browser that signed in, or any person.",
            Self::Tool => "Any person or agent; what a call may do is decided by the tool.",
            Self::Person(PersonRole::Viewer) => "A person.",
            Self::Person(PersonRole::Operator) => "A person with the role operator.",
            Self::Person(PersonRole::Approver) => "A person with the role approver.",
            Self::Person(PersonRole::Admin) => "A person with the role admin.",
            Self::Plugin => "The ops gateway's plugin.",
        }
    }

    /// Whether a caller who proved who they are may pass.
    pub fn admits(self, who: &Identity) -> Result<(), Problem> {
        let plugin = who.agent() == Some(super::PLUGIN_ITSELF);
        let forbidden = |message: String| Problem::new(StatusCode::FORBIDDEN, "forbidden", message);
        match self {
            Self::Open | Self::Read => Ok(()),
            Self::Page if who.is_person() => Ok(()),
            Self::Page => Err(forbidden("the page is for people".into())),
            Self::Tool if plugin => {
                Err(forbidden("the plugin calls tools for an agent, never for itself".into()))
            }
            Self::Tool => Ok(()),
            Self::Plugin if plugin => Ok(()),
            Self::Plugin => {
                Err(forbidden("only the ops gateway's plugin may say what a channel received".into()))
            }
            Self::Person(needed) => match (&who.principal, who.role) {
                (Principal::Person(_), Some(role)) if role >= needed => Ok(()),
                (Principal::Person(person), Some(role)) => {
                    Err(forbidden(format!("{person} is {} and this needs {}", name(role), name(needed)))
                        .fix("ask an admin for the role"))
                }
                _ => Err(forbidden(format!("{} is no person; this needs a person's own key", who.principal))
                    .fix("use the agent's tools")),
            },
        }
    }
}

pub fn name(role: PersonRole) -> &'static str {
    match role {
        PersonRole::Viewer => "a viewer",
        PersonRole::Operator => "an operator",
        PersonRole::Approver => "an approver",
        PersonRole::Admin => "an admin",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(role: PersonRole) -> Identity {
        Identity {
            principal: Principal::Person("person-ada".parse().unwrap()),
            role: Some(role),
            conversation: None,
            trace: String::new(),
            call: None,
        }
    }

    fn agent(name: &str) -> Identity {
        Identity { principal: Principal::Agent(name.into()), role: None, ..person(PersonRole::Viewer) }
    }

    #[test]
    fn a_role_includes_the_ones_before_it() {
        let approve = Access::Person(PersonRole::Approver);
        assert!(approve.admits(&person(PersonRole::Operator)).is_err());
        assert!(approve.admits(&person(PersonRole::Approver)).is_ok());
        assert!(approve.admits(&person(PersonRole::Admin)).is_ok());
    }

    #[test]
    fn an_agent_never_passes_where_a_person_is_needed() {
        for role in [PersonRole::Viewer, PersonRole::Operator, PersonRole::Approver, PersonRole::Admin] {
            assert!(Access::Person(role).admits(&agent("commander")).is_err());
        }
        assert!(Access::Page.admits(&agent("commander")).is_err());
        assert!(Access::Plugin.admits(&agent("commander")).is_err());
        assert!(Access::Tool.admits(&agent(super::super::PLUGIN_ITSELF)).is_err());
    }

    #[test]
    fn a_person_is_not_the_plugin() {
        assert!(Access::Plugin.admits(&person(PersonRole::Admin)).is_err());
    }
}
