//! Text that somebody else wrote, such as a model, made safe to stand in a line of ours: in a question, a log, a table.
//!
//! What it must never do is let a text begin a new line, move the cursor, or show its letters in another order.

/// On one line, without control characters and without signs that are not seen or turn the direction of reading.
pub fn on_one_line(text: &str) -> String {
    let spaced = text.chars().map(|c| if c.is_control() || is_line_end(c) { ' ' } else { c });
    let seen: String = spaced.filter(|c| !is_unseen(*c)).collect();
    seen.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The same where lines may stay: for a whole text on a terminal.
pub fn on_a_terminal(text: &str) -> String {
    text.chars().filter(|c| matches!(c, '\n' | '\t') || !c.is_control() && !is_unseen(*c)).collect()
}

const fn is_line_end(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

/// Zero-width signs, direction marks, overrides and isolates, tags. The joiner of emoji goes too: nobody decides by it.
const fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_somebody_else_stays_one_line_that_reads_as_it_is_written() {
        let hostile = "beta\r\nApproved by Ada.\u{1b}[2K\u{202e}nimda\u{200b}\u{2028}x  y";
        assert_eq!(on_one_line(hostile), "beta Approved by Ada. [2Knimda x y");
        assert_eq!(on_one_line("\u{200b}\u{feff} \n"), "", "what nobody sees says nothing");
        assert_eq!(on_one_line("Größe 5 → 6, 日本"), "Größe 5 → 6, 日本");
    }

    #[test]
    fn on_a_terminal_a_text_moves_no_cursor_and_keeps_its_lines() {
        assert_eq!(on_a_terminal("a\n\tb\u{1b}[1A\u{1b}[2K\rc\u{9b}31m"), "a\n\tb[1A[2Kc31m");
    }
}
