//! Numbers as people read them: with their interval and sample size, and "no data" where there is none.

use groundswell_index::summary::types::{Figure, Unit};

use crate::output::thousands;

/// What stands where nothing is known.
pub const NO_DATA: &str = "no data";

/// A figure with its interval and n.
pub fn figure(figure: &Figure, unit: Unit) -> String {
    let Some(value) = figure.value else { return NO_DATA.into() };
    let interval = match (figure.low, figure.high) {
        (Some(low), Some(high)) => format!("{} to {}, ", number(low, unit), number(high, unit)),
        _ => String::new(),
    };
    format!("{} ({interval}n {})", number(value, unit), thousands(figure.n))
}

/// A number that may be missing.
pub fn maybe(value: Option<f64>, unit: Unit) -> String {
    value.map_or_else(|| NO_DATA.into(), |v| number(v, unit))
}

/// A number in its unit.
pub fn number(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Share => format!("{} %", significant(value * 100.0)),
        Unit::Score => format!("{value:.2}"),
        Unit::Rate => significant(value),
        Unit::Count => count(value),
        Unit::Milliseconds => format!("{} ms", significant(value)),
        Unit::Seconds => duration(value),
    }
}

/// Three digits that matter, or as many as the whole part has.
fn significant(value: f64) -> String {
    let size = value.abs();
    let decimals = match size {
        _ if size >= 100.0 || size == 0.0 => 0,
        _ if size >= 10.0 => 1,
        _ if size >= 1.0 => 2,
        _ if size >= 0.01 => 3,
        _ => 5,
    };
    format!("{value:.decimals$}")
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count that is shown, rounded and not negative")]
fn count(value: f64) -> String {
    let sign = if value < -0.5 { "-" } else { "" };
    format!("{sign}{}", thousands(value.abs().round() as u64))
}

/// Seconds as people say them.
fn duration(seconds: f64) -> String {
    match seconds.abs() {
        s if s < 120.0 => format!("{} s", significant(seconds)),
        s if s < 7_200.0 => format!("{} min", significant(seconds / 60.0)),
        s if s < 172_800.0 => format!("{} h", significant(seconds / 3_600.0)),
        _ => format!("{} days", significant(seconds / 86_400.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: Option<f64>, low: Option<f64>, high: Option<f64>) -> Figure {
        Figure { value, low, high, n: 1_200, effective_n: 1_200.0 }
    }

    #[test]
    fn zero_is_not_no_data() {
        assert_eq!(figure(&of(Some(0.0), Some(0.0), Some(0.003)), Unit::Share), "0 % (0 % to 0.300 %, n 1,200)");
        assert_eq!(figure(&of(None, None, None), Unit::Share), "no data");
        assert_eq!(figure(&of(Some(41.5), None, None), Unit::Score), "41.50 (n 1,200)");
    }

    #[test]
    fn numbers_have_the_digits_that_matter() {
        let shown = [123.456, 12.345, 1.2345, 0.12345, 0.000_42].map(|v| number(v, Unit::Rate));
        assert_eq!(shown, ["123", "12.3", "1.23", "0.123", "0.00042"]);
        assert_eq!(number(-1_234.0, Unit::Count), "-1,234");
    }

    #[test]
    fn times_are_in_the_unit_that_fits() {
        assert_eq!([5.0, 600.0, 36_000.0, 864_000.0].map(|s| number(s, Unit::Seconds)), ["5.00 s", "10.0 min", "10.0 h", "10.0 days"]);
    }
}
