//! Money is integer cents of a US dollar; a fraction of a cent never exists.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, iter::Sum, ops};

#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Cents(pub i64);

impl Cents {
    pub const fn dollars(dollars: i64) -> Self {
        Self(dollars * 100)
    }
    /// `self * numerator / denominator`, rounded half up; zero when the denominator is.
    pub fn pro_rata(self, numerator: i64, denominator: i64) -> Self {
        if denominator == 0 {
            return Self(0);
        }
        let product = i128::from(self.0) * i128::from(numerator);
        let denominator = i128::from(denominator);
        Self(((2 * product + denominator).div_euclid(2 * denominator)) as i64)
    }
}

impl fmt::Display for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, part) = (self.0.unsigned_abs() / 100, self.0.unsigned_abs() % 100);
        let digits = whole.to_string();
        let mut grouped = String::new();
        for (i, c) in digits.chars().enumerate() {
            if i > 0 && (digits.len() - i).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(c);
        }
        match part {
            0 => write!(f, "{sign}${grouped}"),
            _ => write!(f, "{sign}${grouped}.{part:02}"),
        }
    }
}
impl ops::Add for Cents {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}
impl ops::Sub for Cents {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}
impl ops::Mul<i64> for Cents {
    type Output = Self;
    fn mul(self, times: i64) -> Self {
        Self(self.0.saturating_mul(times))
    }
}
impl Sum for Cents {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self(0), |a, b| a + b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_read_as_people_write_them() {
        assert_eq!(Cents::dollars(1247).to_string(), "$1,247");
        assert_eq!(Cents(-1205).to_string(), "-$12.05");
        assert_eq!(Cents(0).to_string(), "$0");
    }

    #[test]
    fn a_share_is_rounded_half_up() {
        assert_eq!(Cents(100).pro_rata(1, 3), Cents(33));
        assert_eq!(Cents(5).pro_rata(1, 2), Cents(3));
        assert_eq!(Cents(5).pro_rata(1, 0), Cents(0));
    }
}
