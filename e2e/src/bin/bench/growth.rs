//! How a cost grows with the fleet: `docs/growth.csv`, a line a point, and `docs/growth.svg`, its curves.

use crate::{plot, report::Point};
use std::fs;

const HEAD: &str = "series,unit,size,value\n";

/// A series that was not measured this time stays as it was.
pub fn write(points: &[Point]) -> Result<(), String> {
    let path = "docs/growth.csv";
    let before = fs::read_to_string(path).unwrap_or_default();
    let csv = merged(&before, points);
    let picture = plot::svg(&csv);
    for (path, text) in [(path, csv), ("docs/growth.svg", picture)] {
        fs::write(path, text).map_err(|e| format!("cannot write {path}: {e}"))?;
    }
    Ok(())
}

fn merged(before: &str, points: &[Point]) -> String {
    let measured = |line: &str| points.iter().any(|point| line.starts_with(&format!("{:?},", point.series)));
    let kept = before.lines().skip(1).filter(|line| !measured(line));
    let kept = kept.fold(HEAD.to_owned(), |text, line| text + line + "\n");
    points.iter().fold(kept, |text, Point { series, unit, size, value }| {
        text + &format!("{series:?},{unit},{size},{value:.3}\n")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_replaced_as_a_whole_and_others_stay() {
        let point =
            |series: &str, size, value| Point { series: series.into(), unit: "B".into(), size, value };
        let first = merged("", &[point("a, of b", 10, 1.0), point("a, of b", 20, 2.0), point("c", 10, 3.0)]);
        let second = merged(&first, &[point("a, of b", 10, 4.0)]);
        assert_eq!(second, format!("{HEAD}\"c\",B,10,3.000\n\"a, of b\",B,10,4.000\n"));
    }
}
