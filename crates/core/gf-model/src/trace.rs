//! One id that a request, the operation that it began, its audit rows, its commands to nodes and their logs share.
//!
//! It is the trace id of the W3C's `traceparent`, so that whoever asks can bring their own. It proves nothing: who asked is
//! never taken from it.

/// A trace id is so many hexadecimal digits.
pub const DIGITS: usize = 32;

/// The trace id of a `traceparent` header; nothing where it is malformed, since a bad one is replaced and not refused.
pub fn of_traceparent(header: &str) -> Option<&str> {
    let mut parts = header.trim().split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_known = version.len() == 2 && is_hex(version) && version != "ff";
    // Version 00 has exactly four parts; later ones may have more.
    let is_whole = version != "00" || parts.next().is_none();
    (is_known && is_whole && is_trace(trace) && is_some_hex(span, 16) && flags.len() == 2 && is_hex(flags))
        .then_some(trace)
}

/// As it is handed on.
pub fn traceparent(trace: &str, span: u64) -> String {
    // A span of zeros would be no span.
    format!("00-{trace}-{:016x}-01", span.max(1))
}

pub fn is_trace(text: &str) -> bool {
    is_some_hex(text, DIGITS)
}

fn is_some_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && is_hex(text) && text.bytes().any(|byte| byte != b'0')
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn a_header_that_the_standard_allows_is_taken_and_nothing_else() {
        let of = |text: &str| of_traceparent(text).map(str::to_owned);
        assert_eq!(of(&format!("00-{TRACE}-00f067aa0ba902b7-01")).as_deref(), Some(TRACE));
        assert_eq!(of(&format!("01-{TRACE}-00f067aa0ba902b7-01-later")).as_deref(), Some(TRACE));
        assert_eq!(of(&traceparent(TRACE, 0)).as_deref(), Some(TRACE));
        let zeros = "0".repeat(32);
        for bad in [
            String::new(),
            TRACE.to_owned(),
            format!("00-{TRACE}-00f067aa0ba902b7"),
            format!("00-{TRACE}-00f067aa0ba902b7-01-more"),
            format!("ff-{TRACE}-00f067aa0ba902b7-01"),
            format!("00-{}-00f067aa0ba902b7-01", TRACE.to_uppercase()),
            format!("00-{zeros}-00f067aa0ba902b7-01"),
            format!("00-{TRACE}-0000000000000000-01"),
        ] {
            assert_eq!(of(&bad), None, "{bad}");
        }
    }
}
