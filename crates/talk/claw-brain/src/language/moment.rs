//! Dates as they are written: `2026-11-18`, `2026-11-18 06:00`, `2026-11-20T06:00:00Z`; and months such as `2026-10`.
//!
//! Only what is written in full is a moment; no year and no zone is ever guessed.

use super::token::Kind;
use jiff::civil::{Date, DateTime, time};

/// How much time a date names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grain {
    Month,
    Day,
    Moment,
}

/// A date at the beginning of this text, and how long it is.
pub fn take(text: &str) -> Option<(usize, Kind)> {
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '-' | ':' | 'T' | 'Z' | '.')))
        .unwrap_or(text.len());
    let run = text[..end].trim_end_matches(['.', ':', '-']);
    if let Some(date) = Some(run).filter(|run| run.len() == 10).and_then(|run| run.parse::<Date>().ok()) {
        // "2026-11-18 06:00"
        let rest = text[run.len()..].strip_prefix(' ').unwrap_or_default();
        let hour = rest.get(..5).filter(|hour| hour.as_bytes()[2] == b':').and_then(clock);
        return Some(match hour {
            Some((hour, minute)) => {
                (run.len() + 6, Kind::Moment(date.to_datetime(time(hour, minute, 0, 0)), Grain::Moment))
            }
            None => (run.len(), Kind::Moment(date.to_datetime(time(0, 0, 0, 0)), Grain::Day)),
        });
    }
    if run.len() == 7 && run.as_bytes()[4] == b'-' {
        let first = format!("{run}-01").parse::<Date>().ok()?;
        return Some((run.len(), Kind::Moment(first.to_datetime(time(0, 0, 0, 0)), Grain::Month)));
    }
    let at: DateTime = run.trim_end_matches('Z').parse().ok().filter(|_| run.contains('T'))?;
    Some((run.len(), Kind::Moment(at, Grain::Moment)))
}

fn clock(text: &str) -> Option<(i8, i8)> {
    let (hour, minute) = text.split_once(':')?;
    let (hour, minute) = (hour.parse().ok()?, minute.parse().ok()?);
    ((0..24).contains(&hour) && (0..60).contains(&minute)).then_some((hour, minute))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(usize, String, Grain)> {
        match take(text)? {
            (taken, Kind::Moment(at, grain)) => Some((taken, at.to_string(), grain)),
            _ => None,
        }
    }

    #[test]
    fn dates_are_read_as_written() {
        let moment = |text, taken, at: &str, grain| {
            assert_eq!(read(text), Some((taken, at.to_owned(), grain)), "{text}")
        };
        moment("2026-11-18 anyway", 10, "2026-11-18T00:00:00", Grain::Day);
        moment("2026-11-18.", 10, "2026-11-18T00:00:00", Grain::Day);
        moment("2026-11-18 06:30?", 16, "2026-11-18T06:30:00", Grain::Moment);
        moment("2026-11-20T06:00:00Z and", 20, "2026-11-20T06:00:00", Grain::Moment);
        moment("2026-10 please", 7, "2026-10-01T00:00:00", Grain::Month);
        for other in ["2026", "06:00", "20", "0042-0043", "1-2", "50 at a time"] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
