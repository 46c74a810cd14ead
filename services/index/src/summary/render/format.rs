//! Numbers as people read them.

use crate::summary::types::{Figure, Money, Unit};

/// What stands where there is no data: never a zero.
pub(super) const NO_DATA: &str = "no data";

/// A count with its thousands apart: `12,345`.
pub(super) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number of a unit.
pub(super) fn number(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Share => percent(value),
        Unit::Score | Unit::Rate => decimal(value),
        Unit::Count => decimal(value).trim_end_matches(".00").to_owned(),
        Unit::Milliseconds => format!("{} ms", if value.abs() < 10.0 { format!("{value:.1}") } else { format!("{value:.0}") }),
        Unit::Seconds => duration(value),
    }
}

/// A number of a unit, or that there is none.
pub(super) fn maybe(value: Option<f64>, unit: Unit) -> String {
    value.map_or_else(|| NO_DATA.to_owned(), |v| number(v, unit))
}

/// Both ends of an interval; empty where there is none.
pub(super) fn interval(figure: &Figure, unit: Unit) -> String {
    match (figure.low, figure.high) {
        (Some(low), Some(high)) => format!("{} to {}", number(low, unit), number(high, unit)),
        _ => String::new(),
    }
}

/// A difference of two numbers of a unit: shares differ by percentage points.
fn difference(value: f64, unit: Unit) -> String {
    let told = number(value, unit);
    let signed = if value > 0.0 { format!("+{told}") } else { told };
    if unit == Unit::Share { signed.replace('%', " pp") } else { signed }
}

/// A difference, or that there is none.
pub(super) fn maybe_difference(figure: &Figure, unit: Unit) -> String {
    figure.value.map_or_else(|| NO_DATA.to_owned(), |v| difference(v, unit))
}

/// Both ends of the interval of a difference; empty where there is none.
pub(super) fn difference_interval(figure: &Figure, unit: Unit) -> String {
    match (figure.low, figure.high) {
        (Some(low), Some(high)) => format!("{} to {}", difference(low, unit), difference(high, unit)),
        _ => String::new(),
    }
}

/// What a figure rests on: `n`, and the effective size where weights make it smaller.
pub(super) fn rests_on(figure: &Figure) -> String {
    #[expect(clippy::cast_precision_loss, reason = "compared at one decimal")]
    let whole = figure.n as f64;
    if whole - figure.effective_n > 0.05 { format!("{} (effective {:.1})", count(figure.n), figure.effective_n) } else { count(figure.n) }
}

/// Amounts by currency: `EUR 1,234.50`; empty where there is none.
pub(super) fn revenue(amounts: &[Money]) -> String {
    let one = |m: &Money| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast of a float saturates, and cents are shown apart"
        )]
        let (whole, cents) = (m.amount.abs().trunc() as u64, (m.amount.abs().fract() * 100.0).round() as u64);
        let (whole, cents) = if cents >= 100 { (whole.saturating_add(1), 0) } else { (whole, cents) };
        format!("{} {}{}.{cents:02}", m.currency, if m.amount < 0.0 { "-" } else { "" }, count(whole))
    };
    amounts.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent.abs() {
        p if p > 0.0 && p < 0.01 => format!("{percent:.4}%"),
        p if p < 1.0 => format!("{percent:.2}%"),
        _ => format!("{percent:.1}%"),
    }
}

fn decimal(value: f64) -> String {
    match value.abs() {
        v if v > 0.0 && v < 0.01 => format!("{value:.4}"),
        v if v < 10.0 => format!("{value:.2}"),
        v if v < 10_000.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

const MINUTE: f64 = 60.0;
const HOUR: f64 = 3600.0;
const DAY: f64 = 86_400.0;

fn duration(seconds: f64) -> String {
    match seconds.abs() {
        s if s < MINUTE => format!("{} s", decimal(seconds).trim_end_matches(".00")),
        s if s < 2.0 * HOUR => format!("{:.1} min", seconds / MINUTE),
        s if s < 2.0 * DAY => format!("{:.1} h", seconds / HOUR),
        _ => format!("{:.1} days", seconds / DAY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_read_them() {
        assert_eq!([count(0), count(999), count(1000), count(1_234_567)], ["0", "999", "1,000", "1,234,567"]);
        let told = [
            (0.1234, Unit::Share),
            (0.00321, Unit::Share),
            (0.00001, Unit::Share),
            (0.0, Unit::Share),
            (-12.345, Unit::Score),
            (0.4, Unit::Rate),
        ];
        assert_eq!(told.map(|(v, u)| number(v, u)), ["12.3%", "0.32%", "0.0010%", "0.00%", "-12.3", "0.40"]);
        let told = [
            (8.25, Unit::Milliseconds),
            (412.3, Unit::Milliseconds),
            (0.0, Unit::Seconds),
            (90.0, Unit::Seconds),
            (9000.0, Unit::Seconds),
            (300_000.0, Unit::Seconds),
        ];
        assert_eq!(told.map(|(v, u)| number(v, u)), ["8.2 ms", "412 ms", "0 s", "1.5 min", "2.5 h", "3.5 days"]);
        assert_eq!(maybe(None, Unit::Share), "no data");
        let euros = |amount| revenue(&[Money { currency: "EUR".to_owned(), amount }]);
        assert_eq!([euros(1_234.5), euros(-0.999), euros(0.0)], ["EUR 1,234.50", "EUR -1.00", "EUR 0.00"]);
        assert_eq!(
            [difference(0.22, Unit::Share), difference(-12.5, Unit::Milliseconds), difference(0.0, Unit::Share)],
            ["+22.0 pp", "-12 ms", "0.00 pp"]
        );
    }
}
