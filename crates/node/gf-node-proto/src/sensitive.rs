//! Values that must not reach a log: their `Debug` form says only that something is there.

use crate::{Sensitive, Ticket};
use std::fmt;

impl fmt::Debug for Sensitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value.is_empty() {
            true => f.write_str("Sensitive(empty)"),
            false => f.write_str("Sensitive(…)"),
        }
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ticket(until {})", self.expires_at_s)
    }
}

impl From<String> for Sensitive {
    fn from(value: String) -> Self {
        Self { value }
    }
}

impl From<&str> for Sensitive {
    fn from(value: &str) -> Self {
        Self { value: value.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use crate::{ProviderCredential, SecretsApply, Ticket, Welcome};

    #[test]
    fn a_key_is_not_printed_with_its_message() {
        let apply = SecretsApply {
            instance_id: "i-7f3a".into(),
            credentials: vec![ProviderCredential {
                provider: "anthropic".into(),
                api_key: Some("sk-very-secret".into()),
                agent_id: "main".into(),
            }],
        };
        let printed = format!("{apply:?}");
        assert!(printed.contains("anthropic") && !printed.contains("very-secret"), "{printed}");
    }

    #[test]
    fn a_ticket_is_not_printed_with_its_welcome() {
        let ticket = Ticket { expires_at_s: 7, secret: vec![203; 32] };
        let printed = format!("{:?}", Welcome { ticket: Some(ticket), ..Welcome::default() });
        assert!(printed.contains("until 7") && !printed.contains("203"), "{printed}");
    }
}
