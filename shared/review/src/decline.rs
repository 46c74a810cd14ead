//! When will nobody call any more: a straight line through the logarithm of weekly numbers, and where it ends.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::prepare::real;

/// Weeks that a line is put through at least.
pub const LEAST_WEEKS: usize = 4;
/// An end farther away than this is none.
const FARTHEST_WEEKS: f64 = 260.0;
/// Half of the level of 95 %, on one side.
const TAIL: f64 = 0.975;
/// The normal quantile of it.
const NORMAL: f64 = 1.959_964;

/// Where a decline ends, in weeks from the middle of the first.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct End {
    /// The line falls to half a consumer: there is none any more.
    pub weeks: f64,
    /// Earliest end of the 95 % interval.
    pub earliest: f64,
    /// Latest; none where it can't be told within five years.
    pub latest: Option<f64>,
    /// What a week leaves of the week before: 0.9 is a tenth less each week.
    pub left_each_week: f64,
}

/// Why there is no end to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoEnd {
    /// Too few weeks with anybody in them.
    TooFewWeeks,
    /// The numbers don't fall, or not clearly.
    NotFalling,
    /// They fall, so slowly that the end is more than five years away.
    TooFar,
}

/// The end of a decline, from the numbers of whole weeks, oldest first.
///
/// The line is fitted to ln(n + ½) by least squares; the interval of the week at which it is 0 is Fieller's (*JRSS B* 16 (1954)
/// 175–185), with Student's quantile of 95 %. Weeks are taken as independent, so it is an outlook, not a promise.
///
/// # Errors
/// No end can be told.
pub fn end(weekly: &[u64]) -> Result<End, NoEnd> {
    let n = weekly.len();
    if n < LEAST_WEEKS || weekly.iter().filter(|w| **w > 0).count() < LEAST_WEEKS {
        return Err(NoEnd::TooFewWeeks);
    }
    let count = real(n as u64);
    let points: Vec<(f64, f64)> = weekly.iter().enumerate().map(|(at, w)| (real(at as u64), (real(*w) + 0.5).ln())).collect();
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let spread: f64 = points.iter().map(|p| (p.0 - x).powi(2)).sum();
    let slope = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum::<f64>() / spread;
    let rest: f64 = points.iter().map(|p| (p.1 - y - slope * (p.0 - x)).powi(2)).sum();
    // Numbers that lie on a line by chance have at least the variance of counting.
    let counting = points.iter().map(|p| 1.0 / p.1.exp()).sum::<f64>() / count;
    let t = StudentsT::new(0.0, 1.0, count - 2.0).map_or(f64::INFINITY, |s| s.inverse_cdf(TAIL));
    let reach = (t * t * rest / (count - 2.0)).max(NORMAL * NORMAL * counting);
    let (t2_slope, t2_level) = (reach / spread, reach / count);
    if slope >= 0.0 || slope * slope <= t2_slope {
        return Err(NoEnd::NotFalling);
    }
    // (y + slope·d)² = reach·(1/n + d²/spread), d the distance from the mean week.
    let (a, b, c) = (slope * slope - t2_slope, 2.0 * slope * y, y * y - t2_level);
    let root = (b * b - 4.0 * a * c).max(0.0).sqrt();
    let (earliest, latest) = (x + (-b - root) / (2.0 * a), x + (-b + root) / (2.0 * a));
    let weeks = x - y / slope;
    if weeks > FARTHEST_WEEKS {
        return Err(NoEnd::TooFar);
    }
    Ok(End { weeks, earliest, latest: Some(latest).filter(|l| *l <= FARTHEST_WEEKS), left_each_week: slope.exp() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Halving every week from 64: half a consumer would be left seven weeks on. The half that is added to each week bends the line a little:
    /// its slope is −0.65276, its mean 2.50195 in the middle of the weeks (by hand), so 2.5 + 2.50195/0.65276.
    #[test]
    fn a_halving_ends_where_half_a_consumer_is_left() {
        let end = end(&[64, 32, 16, 8, 4, 2]).unwrap();
        assert!((end.weeks - 6.3329).abs() < 0.001, "{end:?}");
        assert!((end.left_each_week - (-0.652_76f64).exp()).abs() < 1e-5, "{end:?}");
        assert!(end.earliest < end.weeks && end.latest.is_none_or(|l| l > end.weeks), "{end:?}");
    }

    /// The slope of five points is (−2y₀ − y₁ + y₃ + 2y₄)/10.
    #[test]
    fn the_line_is_that_of_least_squares() {
        let weekly = [20u32, 16, 11, 9, 6];
        let y: Vec<f64> = weekly.iter().map(|w| (f64::from(*w) + 0.5f64).ln()).collect();
        let slope = (-2.0 * y[0] - y[1] + y[3] + 2.0 * y[4]) / 10.0;
        let end = end(&weekly.map(u64::from)).unwrap();
        assert!((end.left_each_week - slope.exp()).abs() < 1e-12);
        assert!((end.weeks - (2.0 - y.iter().sum::<f64>() / 5.0 / slope)).abs() < 1e-9);
    }

    #[test]
    fn what_does_not_fall_has_no_end() {
        assert_eq!(end(&[10, 11, 9, 10, 12, 10]), Err(NoEnd::NotFalling));
        assert_eq!(end(&[10, 5, 2]), Err(NoEnd::TooFewWeeks));
        assert_eq!(end(&[0, 0, 0, 0, 0]), Err(NoEnd::TooFewWeeks));
        assert_eq!(end(&[30, 9, 28, 10, 25, 8]), Err(NoEnd::NotFalling), "too uneven to tell");
    }
}
