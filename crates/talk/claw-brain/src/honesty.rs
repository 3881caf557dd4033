//! Whether every number of an answer stands in what the tools said.
//!
//! A number counts as supported when it occurs in a tool result as it is, or when it is a result's decimal
//! rounded to the answer's own digits. An id counts as a whole.

use std::collections::HashSet;

/// Numbers (and ids with digits) of the answer that no tool result contains.
pub fn unsupported_numbers<T: AsRef<str>>(answer: &str, tool_results: &[T]) -> Vec<String> {
    let mut words: HashSet<String> = HashSet::new();
    let mut numbers: Vec<f64> = Vec::new();
    for result in tool_results {
        for word in words_with_digits(result.as_ref()) {
            if !is_name(&word) {
                // `[100,200]` in JSON is two numbers, `1,247` in prose is one: a result may mean either.
                numbers.extend(
                    word.split(',').chain([word.as_str()]).flat_map(numbers_of).map(|(value, _)| value),
                );
            }
            words.insert(word);
        }
    }
    let supported = |word: &String| {
        words.contains(word) || (!is_name(word) && numbers_of(word).iter().all(|said| holds(said, &numbers)))
    };
    let mut missing: Vec<String> =
        words_with_digits(answer).into_iter().filter(|word| !supported(word)).collect();
    missing.dedup();
    missing
}

/// Runs of letters, digits and inner marks that have a digit; lower case.
fn words_with_digits(text: &str) -> Vec<String> {
    let inner = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ',' | ':' | '/');
    let runs = text.split(|c: char| !inner(c));
    let trimmed =
        runs.flat_map(|run| run.split(", ")).map(|run| run.trim_matches(|c: char| !c.is_alphanumeric()));
    trimmed.filter(|run| run.bytes().any(|b| b.is_ascii_digit())).map(str::to_lowercase).collect()
}

/// A word that is an id or a name, not a quantity: letters before or between its digits.
fn is_name(word: &str) -> bool {
    let starts_with_letter = word.starts_with(char::is_alphabetic);
    let digits_then_letters = word.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ','));
    let digits_after = digits_then_letters.bytes().any(|b| b.is_ascii_digit());
    starts_with_letter
        || (digits_then_letters.starts_with(char::is_alphabetic) && digits_after && !is_stamp(word))
}

fn is_stamp(word: &str) -> bool {
    word.bytes().all(|b| b.is_ascii_digit() || matches!(b, b't' | b'z' | b':' | b'-' | b'.'))
}

/// The numbers of a word with the number of decimals that each shows.
fn numbers_of(word: &str) -> Vec<(f64, usize)> {
    let plain = without_grouping(word);
    let runs = plain.split(|c: char| !(c.is_ascii_digit() || c == '.')).map(|run| run.trim_matches('.'));
    runs.filter_map(|run| {
        let decimals = run.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        run.parse().ok().map(|value| (value, decimals))
    })
    .collect()
}

/// `1,247` as `1247`; other commas stay.
fn without_grouping(word: &str) -> String {
    let bytes = word.as_bytes();
    let grouping = |at: usize| {
        bytes[at] == b','
            && at > 0
            && bytes[at - 1].is_ascii_digit()
            && bytes[at + 1..].iter().take_while(|b| b.is_ascii_digit()).count() == 3
    };
    let kept: Vec<u8> = (0..bytes.len()).filter(|at| !grouping(*at)).map(|at| bytes[at]).collect();
    String::from_utf8_lossy(&kept).into_owned()
}

fn holds((value, decimals): &(f64, usize), known: &[f64]) -> bool {
    let scale = 10f64.powi(*decimals as i32);
    known.iter().any(|known| {
        let exact = (known - value).abs() < 1e-9;
        exact || (*decimals > 0 && (known - value).abs() <= 0.5 / scale + 1e-9)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESULTS: [&str; 2] = [
        r#"{"summary":"2 pairs","monthlyCost":"$1,247/month","ids":["acct-0001","i-7f3a"],"seconds":16.3821}"#,
        r#"{"at":"2026-11-21T05:45:00Z","total":847}"#,
    ];

    #[test]
    fn what_the_tools_said_is_supported() {
        let answer =
            "2 pairs for $1,247/month; 847 in all (acct-0001, i-7f3a), 16.4 s, since 2026-11-21T05:45:00Z.";
        assert_eq!(unsupported_numbers(answer, &RESULTS), Vec::<String>::new());
        assert!(unsupported_numbers("No numbers at all.", &RESULTS).is_empty());
    }

    #[test]
    fn what_they_did_not_say_is_found() {
        assert_eq!(unsupported_numbers("3 pairs", &RESULTS), ["3"]);
        assert_eq!(unsupported_numbers("acct-0002 is fine", &RESULTS), ["acct-0002"]);
        assert_eq!(unsupported_numbers("16 s", &RESULTS), ["16"]);
        assert_eq!(unsupported_numbers("$1,248/month", &RESULTS), ["1,248/month"]);
        assert_eq!(unsupported_numbers("i-7f3b", &RESULTS), ["i-7f3b"]);
    }
}
