//! The last lines that an instance printed, without secrets.

use super::Instance;
use crate::redact;
use gf_node_proto::LogLines;
use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::Path,
};

/// Printed before OpenClaw is started, so that what an earlier life said is not taken for this one's.
pub const LIFE_BEGINS: &str = "[gf-clawnode] starting OpenClaw";

const MOST_LINES: usize = 1000;
/// Enough for that many lines of ordinary length.
const TAIL_BYTES: u64 = 256 * 1024;

impl Instance {
    pub fn logs(&self, max_lines: u32) -> LogLines {
        let wanted = match max_lines {
            0 => 100,
            some => usize::try_from(some).unwrap_or(MOST_LINES).min(MOST_LINES),
        };
        let lines = self.last_output(wanted);
        LogLines { truncated: lines.len() == wanted, lines }
    }

    /// The end of its output, redacted.
    pub(super) fn last_output(&self, lines: usize) -> Vec<String> {
        let token = self.spec.lock().gateway_token.clone();
        tail(&self.layout.output(), lines).iter().map(|line| redact::line(line, &[&token])).collect()
    }
}

/// What was printed since OpenClaw was last started.
pub fn of_last_life(mut lines: Vec<String>) -> Vec<String> {
    match lines.iter().rposition(|line| line == LIFE_BEGINS) {
        Some(at) => lines.split_off(at + 1),
        None => lines,
    }
}

/// The last lines of a file; none where it cannot be read.
pub fn tail(path: &Path, wanted: usize) -> Vec<String> {
    let text = File::open(path).and_then(|mut file| {
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    });
    let text = text.unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(wanted)..].iter().map(|line| (*line).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_read_and_a_missing_file_has_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("gateway.log");
        assert!(tail(&path, 5).is_empty());
        std::fs::write(&path, "a\nb\nc\n").unwrap();
        assert_eq!(tail(&path, 2), ["b", "c"]);
    }

    #[test]
    fn what_an_earlier_life_said_is_not_this_ones() {
        let lines = |lines: &[&str]| lines.iter().map(ToString::to_string).collect::<Vec<_>>();
        let said = lines(&["maintenance", LIFE_BEGINS, "old", LIFE_BEGINS, "invalid config"]);
        assert_eq!(of_last_life(said), ["invalid config"]);
        assert!(of_last_life(lines(&["old", LIFE_BEGINS])).is_empty());
        assert_eq!(of_last_life(lines(&["all", "of it"])), ["all", "of it"]);
    }
}
