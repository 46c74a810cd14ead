//! Numbers with what they rest on: point estimates with 95 % intervals. Pure.
//!
//! Every function answers `None` where there is no data: zero is not the same as no data. Formulas and
//! their sources stand beside each function and, in one place, in `docs/statistics.md`.
//!
//! Feedback that is attributed to several versions counts for each of them with a weight below 1.
//! [`Weights`] carries such counts; what is computed from it uses the effective sample size
//! (Kish), which is the plain count where every weight is 1.

mod compare;
mod exact;
mod mean;
mod proportion;
mod quantile;
mod rate;
mod weights;

pub use compare::{difference, ratio};
pub use exact::share_rose;
pub use mean::{Moments, mean};
pub use proportion::{net_promoter_score, wilson, wilson_weighted};
pub use quantile::quantile;
pub use rate::{poisson_rate, poisson_rate_weighted};
pub use weights::Weights;

/// 97.5 % quantile of the standard normal distribution: half of a two-sided 95 % interval in standard errors.
pub const Z: f64 = 1.959_963_984_540_054;

/// A point estimate with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The point estimate.
    pub value: f64,
    /// The interval; none where it can't be told how far off the value may be (a mean of one answer).
    pub interval: Option<Interval>,
}

/// Both ends of an interval, `low` at most `high`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Estimate {
    /// A value with its interval, kept within the `scale` that values can have.
    fn within(value: f64, low: f64, high: f64, scale: (f64, f64)) -> Self {
        let interval = Interval { low: low.max(scale.0).min(value), high: high.min(scale.1).max(value) };
        Self { value, interval: Some(interval) }
    }

    /// The same in another unit.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        let interval = self.interval.map(|i| Interval { low: i.low * factor, high: i.high * factor });
        Self { value: self.value * factor, interval }
    }
}

/// A count as a real number. Counts beyond 2⁵³ lose their last digits, far below any interval.
#[expect(clippy::cast_precision_loss, reason = "a count of what happened; digits beyond 2^53 do not matter to an interval")]
fn real(count: u64) -> f64 {
    count as f64
}
