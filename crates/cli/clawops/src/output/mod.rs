//! How things look: tables, colours, times. Colours and paging only on a terminal.

mod table;

use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;
use std::io::{IsTerminal, Write};
use std::process::{Command, Stdio};
pub use table::{list, table};

pub fn on_terminal() -> bool {
    std::io::stdout().is_terminal()
}

fn coloured() -> bool {
    on_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

#[derive(Clone, Copy)]
pub enum Paint {
    Good,
    Warn,
    Bad,
    Dim,
    Bold,
}

pub fn paint(text: &str, paint: Paint) -> String {
    if !coloured() {
        return text.to_owned();
    }
    let code = match paint {
        Paint::Good => "32",
        Paint::Warn => "33",
        Paint::Bad => "31",
        Paint::Dim => "2",
        Paint::Bold => "1",
    };
    format!("\x1b[{code}m{text}\x1b[0m")
}

/// A state in the colour of what it means for whoever operates the fleet.
pub fn state(name: &str) -> String {
    let kind = match name.to_ascii_uppercase().as_str() {
        "ACTIVE" | "DONE" | "PROTECTED" | "GRANTED" | "UP" => Paint::Good,
        "FAILED" | "STUCK" | "DOWN" | "CRITICAL" | "VOID" => Paint::Bad,
        "DELETED" | "STOPPED" | "PARKED" | "EXPIRED" | "CANCELLED" | "UNDONE" => Paint::Dim,
        _ => Paint::Warn,
    };
    paint(name, kind)
}

/// UTC, with the local time beside where that differs.
pub fn time(text: &str) -> String {
    time_in(text, TimeZone::system())
}

fn time_in(text: &str, zone: TimeZone) -> String {
    let Ok(at) = text.parse::<Timestamp>() else { return text.to_owned() };
    let utc = at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    let local = at.to_zoned(zone);
    if local.offset().is_zero() { utc } else { format!("{utc} ({})", local.strftime("%H:%M:%S %Z")) }
}

/// `1 target`, `2 targets`.
pub fn count(n: u64, one: &str) -> String {
    format!("{n} {one}{}", if n == 1 { "" } else { "s" })
}

/// A JSON value in a cell: text as it is, nothing as a dash.
pub fn cell(value: &Value) -> String {
    match value {
        Value::Null => "–".into(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// Prints, through a pager when it does not fit on the terminal.
pub fn page(text: &str) {
    let rows = rustix::termios::tcgetwinsize(std::io::stdout()).map_or(usize::MAX, |size| size.ws_row.into());
    if !on_terminal() || text.lines().count() < rows.saturating_sub(1) {
        return print(text);
    }
    let pager = std::env::var("PAGER").ok().filter(|pager| !pager.is_empty()).unwrap_or("less".into());
    // Leaves what fits standing, keeps colours, and chops what is wider than the window instead of breaking a table.
    let child = Command::new(pager).env("LESS", "FRSX").stdin(Stdio::piped()).spawn();
    let Ok(mut child) = child else { return print(text) };
    if let Some(mut stdin) = child.stdin.take() {
        // Whoever quits the pager has seen enough; that is no error.
        let _ = stdin.write_all(text.as_bytes());
        let _ = stdin.write_all(b"\n");
    }
    let _ = child.wait();
}

/// Like `println!`, except that a reader who went away (`| head`) is no reason to panic.
pub fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush());
}

pub fn json(value: &Value) {
    print(&serde_json::to_string_pretty(value).unwrap_or_default());
}

/// A progress line on stderr: redrawn in place on a terminal, printed when it changed elsewhere.
#[derive(Default)]
pub struct Progress {
    last: String,
    drawn: bool,
}

impl Progress {
    pub fn show(&mut self, line: String) {
        if line == self.last {
            return;
        }
        if std::io::stderr().is_terminal() {
            // A line that the terminal breaks could not be redrawn in place.
            let wide = rustix::termios::tcgetwinsize(std::io::stderr()).map_or(80, |size| size.ws_col.into());
            eprint!("\r\x1b[K{}", table::clipped(&line, usize::max(wide, 20) - 1));
            self.drawn = true;
        } else {
            eprintln!("{line}");
        }
        self.last = line;
    }

    /// Leaves the last line standing.
    pub fn end(&mut self) {
        if std::mem::take(&mut self.drawn) {
            eprintln!();
        }
        self.last.clear();
    }
}

/// The control plane's own question, in a frame that no reply of a model can be mistaken for.
pub fn boxed(title: &str, text: &str) -> String {
    const WIDTH: usize = 76;
    let mut out = format!("┌─ {title} {}\n", "─".repeat(WIDTH.saturating_sub(title.chars().count() + 4)));
    for line in text.lines().flat_map(|line| wrap(line, WIDTH - 2)) {
        out.push_str(&format!("│ {line}\n"));
    }
    out.push('└');
    out.push_str(&"─".repeat(WIDTH - 1));
    out
}

fn wrap(line: &str, width: usize) -> Vec<String> {
    let mut indent: String = line.chars().take_while(|c| *c == ' ').collect();
    let mut lines = vec![indent.clone()];
    // What belongs to a point stands under its text.
    if line.trim_start().starts_with("• ") {
        indent.push_str("  ");
    }
    for word in line.split_whitespace() {
        let Some(current) = lines.last_mut() else { break };
        let fresh = current.trim().is_empty();
        if !fresh && current.chars().count() + 1 + word.chars().count() > width {
            lines.push(format!("{indent}{word}"));
        } else {
            if !fresh {
                current.push(' ');
            }
            current.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_framed_and_wrapped_without_losing_a_word() {
        let text = "Provision 2 accounts at tier standard: acct-0001, acct-0002, for $24 a month more than now.\n  Yes?";
        let framed = boxed("A7K2", text);
        assert!(framed.lines().all(|line| line.chars().count() <= 78), "{framed}");
        for word in text.split_whitespace() {
            assert!(framed.contains(word), "{word} is missing");
        }
    }

    #[test]
    fn times_are_utc_with_the_operators_own_zone_beside() {
        let berlin = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        assert_eq!(time_in("2026-11-21T08:00:00Z", berlin), "2026-11-21 08:00:00 UTC (09:00:00 CET)");
        assert_eq!(time_in("2026-11-21T08:00:00.123Z", TimeZone::UTC), "2026-11-21 08:00:00 UTC");
        assert_eq!(time("soon"), "soon");
    }
}
