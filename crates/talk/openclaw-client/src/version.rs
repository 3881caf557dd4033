//! The one OpenClaw release that ClawOps is built and tested against.

use crate::{Error, Result};

/// The release whose protocol, configuration keys and quirks this crate knows.
pub const SUPPORTED: &str = "2026.9.6";

/// Refuses another release, naming both.
pub fn check(found: &str) -> Result<()> {
    let found = found.trim();
    if found == SUPPORTED {
        return Ok(());
    }
    Err(Error::Version { program: "OpenClaw", found: found.into(), supported: SUPPORTED })
}

/// The version in the output of `openclaw --version`, which is `OpenClaw 2026.9.6 (eb377ac)`.
pub fn from_cli(output: &str) -> Option<&str> {
    output
        .split_whitespace()
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_supported_release_passes_and_a_refusal_names_both() {
        assert!(check("2026.9.6\n").is_ok());
        let refusal = check("2026.9.7").unwrap_err().to_string();
        assert!(refusal.contains("2026.9.7") && refusal.contains(SUPPORTED), "{refusal}");
    }

    #[test]
    fn reads_the_version_from_the_command_line_tool() {
        assert_eq!(from_cli("OpenClaw 2026.9.6 (eb377ac)\n"), Some("2026.9.6"));
        assert_eq!(from_cli("command not found"), None);
    }
}
