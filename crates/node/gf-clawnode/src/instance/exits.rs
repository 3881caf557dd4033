//! Why a process that ended did so, judged from how it ended, how long it lived and what it printed last.

use crate::instance::process::Exit;
use gf_node_proto::FailureReason;
use std::time::Duration;

/// OpenClaw's exit code for a configuration that it will not run with.
const EX_CONFIG: i32 = 78;
/// A process that ends sooner than this without having answered never worked.
const AT_ONCE: Duration = Duration::from_secs(3);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    pub reason: FailureReason,
    pub detail: String,
    /// What OpenClaw itself found wrong, a line each.
    pub issues: Vec<String>,
}

/// `last_lines` are the last lines of its output, redacted.
pub fn classify(exit: Exit, lived: Duration, was_ready: bool, last_lines: &[String]) -> Ended {
    let says = |words: &[&str]| last_lines.iter().any(|line| words.iter().any(|word| line.contains(word)));
    let reason = match exit {
        // Not its configuration: it lost a race for its own state, or was starved while it started.
        Exit { code: Some(EX_CONFIG), .. }
            if says(&["another OpenClaw process owns", "maintenance", "state lease heartbeat"]) =>
        {
            FailureReason::Exited
        }
        Exit { code: Some(EX_CONFIG), .. } => FailureReason::InvalidConfig,
        _ if says(&["EADDRINUSE", "address already in use"]) && !was_ready => FailureReason::PortTaken,
        _ if says(&["ENOSPC", "database or disk is full"]) => FailureReason::DiskFull,
        _ if says(&["EACCES", "unable to open database file"]) && !was_ready => {
            FailureReason::StateUnreadable
        }
        Exit { signal: Some(9 | 15), .. } => FailureReason::Killed,
        Exit { signal: Some(_), .. } => FailureReason::Crashed,
        Exit { code: Some(_), .. } if !was_ready && lived < AT_ONCE => FailureReason::ExitsAtOnce,
        Exit { code: Some(0), .. } => FailureReason::Exited,
        Exit { code: Some(_), .. } => FailureReason::Crashed,
        Exit { code: None, signal: None } => FailureReason::Exited,
    };
    let how = match exit {
        Exit { signal: Some(signal), .. } => format!("ended by signal {signal}"),
        Exit { code: Some(code), .. } => format!("exited with code {code}"),
        Exit { .. } => "ended while nobody could see how".to_owned(),
    };
    let issues = match reason {
        FailureReason::InvalidConfig | FailureReason::ExitsAtOnce => {
            let said: Vec<_> = last_lines.iter().filter(|line| !line.trim().is_empty()).cloned().collect();
            said[said.len().saturating_sub(5)..].to_vec()
        }
        _ => Vec::new(),
    };
    let detail = format!("{how} after {:.1} s", lived.as_secs_f32());
    Ended { reason, detail, issues }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);
    const SHORT: Duration = Duration::from_millis(300);

    fn reason(
        code: Option<i32>,
        signal: Option<i32>,
        lived: Duration,
        ready: bool,
        said: &str,
    ) -> FailureReason {
        classify(Exit { code, signal }, lived, ready, &[said.to_owned()]).reason
    }

    #[test]
    fn each_end_has_its_reason() {
        let table = [
            (None, Some(9), LONG, true, "", FailureReason::Killed),
            (None, Some(11), LONG, true, "", FailureReason::Crashed),
            (Some(78), None, SHORT, false, "Invalid config: Unrecognized keys", FailureReason::InvalidConfig),
            (
                Some(78),
                None,
                SHORT,
                false,
                "another OpenClaw process owns gateway-lifecycle",
                FailureReason::Exited,
            ),
            (
                Some(78),
                None,
                LONG,
                false,
                "state lease heartbeat closed before startup",
                FailureReason::Exited,
            ),
            (Some(1), None, SHORT, false, "boom", FailureReason::ExitsAtOnce),
            (Some(1), None, LONG, true, "boom", FailureReason::Crashed),
            (Some(1), None, LONG, false, "listen EADDRINUSE 127.0.0.1:7500", FailureReason::PortTaken),
            (Some(1), None, LONG, true, "SQLITE_FULL: database or disk is full", FailureReason::DiskFull),
            (None, None, LONG, true, "", FailureReason::Exited),
        ];
        for (code, signal, lived, ready, said, wanted) in table {
            assert_eq!(reason(code, signal, lived, ready, said), wanted, "{code:?} {signal:?} {said}");
        }
    }

    #[test]
    fn a_refused_configuration_comes_with_its_issues() {
        let said = ["Config invalid".to_owned(), "agent: Unrecognized key".to_owned()];
        let ended = classify(Exit { code: Some(78), signal: None }, SHORT, false, &said);
        assert_eq!(ended.issues, said);
        assert!(ended.detail.contains("78"));
    }
}
