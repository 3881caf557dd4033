//! Tables for people: columns as wide as what is in them, colours counted as nothing, the last column cut where the
//! terminal ends. A program asks for `--json` and never reads these.

use super::{Paint, on_terminal, paint};

const BETWEEN: &str = "  ";

/// A table, or where it would be empty a sentence that says so.
pub fn list(head: &[&str], rows: Vec<Vec<String>>, empty: &str) -> String {
    if rows.is_empty() { empty.to_owned() } else { table(head, rows) }
}

pub fn table(head: &[&str], rows: Vec<Vec<String>>) -> String {
    let wide = on_terminal().then(|| rustix::termios::tcgetwinsize(std::io::stdout()).ok()).flatten();
    let wide = wide.map_or(usize::MAX, |size| usize::from(size.ws_col).max(40));
    let head = head.iter().map(|title| paint(title, Paint::Dim)).collect();
    lines(head, rows, wide).join("\n")
}

fn lines(head: Vec<String>, rows: Vec<Vec<String>>, wide: usize) -> Vec<String> {
    let rows: Vec<_> = std::iter::once(head).chain(rows).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let widest = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| seen(cell)).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(widest).collect();
    rows.iter()
        .map(|row| {
            let cells = row.iter().zip(&widths).map(|(cell, width)| padded(cell, *width));
            let line = cells.collect::<Vec<_>>().join(BETWEEN);
            clipped(line.trim_end(), wide)
        })
        .collect()
}

fn padded(cell: &str, width: usize) -> String {
    format!("{cell}{}", " ".repeat(width.saturating_sub(seen(cell))))
}

/// How many columns of the terminal a text takes: colours take none.
fn seen(text: &str) -> usize {
    pieces(text).filter(|(_, shown)| *shown).count()
}

/// The start of a text that fits, with an ellipsis where something was cut and no colour left open.
pub fn clipped(text: &str, wide: usize) -> String {
    if seen(text) <= wide {
        return text.to_owned();
    }
    let (mut out, mut left, mut coloured) = (String::new(), wide.saturating_sub(1), false);
    for (c, shown) in pieces(text) {
        if shown && left == 0 {
            break;
        }
        left -= usize::from(shown);
        coloured |= !shown;
        out.push(c);
    }
    out.push('…');
    if coloured {
        out.push_str("\x1b[0m");
    }
    out
}

/// Each character, and whether it takes a column.
fn pieces(text: &str) -> impl Iterator<Item = (char, bool)> {
    let mut escaped = false;
    text.chars().map(move |c| {
        if c == '\x1b' {
            escaped = true;
        }
        let shown = !escaped;
        if escaped && c.is_ascii_alphabetic() {
            escaped = false;
        }
        (c, shown)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|cell| (*cell).to_owned()).collect()
    }

    #[test]
    fn columns_stand_below_each_other_whether_cells_are_coloured_or_not() {
        let plain = lines(row(&["ID", "STATE", "PLACE"]), vec![row(&["i-1", "FAILED", "x"])], 80);
        assert_eq!(plain, ["ID   STATE   PLACE", "i-1  FAILED  x"]);
        let coloured =
            lines(row(&["ID", "STATE", "PLACE"]), vec![row(&["i-1", "\x1b[31mFAILED\x1b[0m", "x"])], 80);
        assert_eq!(coloured[1], "i-1  \x1b[31mFAILED\x1b[0m  x");
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_and_says_so() {
        let cut = lines(row(&["ID", "ERROR"]), vec![row(&["op-1", "there is no room left"])], 12);
        assert_eq!(cut[1], "op-1  there…");
        assert_eq!(clipped("\x1b[31mFAILED\x1b[0m badly", 7), "\x1b[31mFAILED\x1b[0m…\x1b[0m");
        assert_eq!(clipped("fits", 4), "fits");
    }

    #[test]
    fn where_there_is_nothing_it_is_said() {
        assert_eq!(list(&["ID"], vec![], "No operation yet."), "No operation yet.");
    }
}
