//! Counts as people say them: `50`, `1,000`, `fifty`, `twenty-five`, `dozen`, `second`.

/// A number word on its own.
pub fn word(word: &str) -> Option<i64> {
    if let Some((tens, ones)) = word.split_once('-') {
        let (tens, ones) = (single(tens)?, single(ones)?);
        return (tens >= 20 && tens % 10 == 0 && (1..10).contains(&ones)).then_some(tens + ones);
    }
    single(word)
}

fn single(word: &str) -> Option<i64> {
    const SMALL: [&str; 20] = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ];
    const TENS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
    if let Some(at) = SMALL.iter().position(|small| *small == word) {
        return Some(at as i64);
    }
    if let Some(at) = TENS.iter().position(|tens| *tens == word) {
        return Some((at as i64 + 2) * 10);
    }
    match word {
        "dozen" => Some(12),
        "hundred" => Some(100),
        _ => None,
    }
}

/// Digits with an optional sign and thousands' commas.
pub fn digits(text: &str) -> Option<i64> {
    let plain = text.replace(',', "");
    let unsigned = plain.strip_prefix('-').unwrap_or(&plain);
    let all_digits = !unsigned.is_empty() && unsigned.bytes().all(|b| b.is_ascii_digit());
    all_digits.then(|| plain.parse().unwrap_or(i64::MAX))
}

/// `first`, `2nd`, …; −1 is the last.
pub fn ordinal(word: &str) -> Option<i64> {
    const NAMED: [&str; 10] =
        ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"];
    if let Some(at) = NAMED.iter().position(|name| *name == word) {
        return Some(at as i64 + 1);
    }
    if matches!(word, "last" | "latest" | "newest") {
        return Some(-1);
    }
    let digits = ["st", "nd", "rd", "th"].iter().find_map(|ending| word.strip_suffix(ending))?;
    digits.parse().ok().filter(|n| *n > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_as_said() {
        assert_eq!(word("fifty"), Some(50));
        assert_eq!(word("twenty-five"), Some(25));
        assert_eq!(word("two-twenty"), None);
        assert_eq!(digits("1,000"), Some(1000));
        assert_eq!(digits("-3"), Some(-3));
        assert_eq!(digits("99999999999999999999"), Some(i64::MAX));
        assert_eq!(ordinal("2nd"), Some(2));
        assert_eq!(ordinal("last"), Some(-1));
    }
}
