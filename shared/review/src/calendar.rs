//! What is known of the calendar before anything is counted: days lie around a trend.
//!
//! The effects of the days have a normal prior. Around their trend each has a standard deviation of 1 in logarithms, so that
//! a day without counts stays finite. A trend is let be: were it drawn towards none like the days, a rise that everybody has
//! would in part pass for the version's, which comes late in the window.

/// Precision of a day's effect around the trend.
const OF_A_DAY: f64 = 1.0;
/// A trend by this factor from end to end of the window is one standard deviation.
const TREND: f64 = 3.0;
/// In fewer days there is no trend to tell.
const LEAST_DAYS: usize = 7;

/// The prior of the days' effects.
#[derive(Clone, Debug)]
pub(crate) struct Calendar {
    /// A straight line over the days, of mean 0 and length 1.
    trend: Vec<f64>,
    /// By how much the precision along it is below that of a day.
    let_be: f64,
}

impl Calendar {
    pub(crate) fn new(days: usize) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a number of days")]
        let number = |count: usize| count as f64;
        if days < LEAST_DAYS {
            return Self { trend: vec![0.0; days], let_be: 0.0 };
        }
        let middle = 0.5 * number(days - 1);
        let line: Vec<f64> = (0..days).map(|day| number(day) - middle).collect();
        let length = line.iter().map(|v| v * v).sum::<f64>().sqrt();
        // One standard deviation along the line reaches from −½·ln 3 to ½·ln 3.
        let deviation = 0.5 * TREND.ln() * length / middle;
        Self { trend: line.into_iter().map(|v| v / length).collect(), let_be: (OF_A_DAY - deviation.powi(-2)).max(0.0) }
    }

    /// Precision times effects: how fast the logarithm of the prior falls.
    pub(crate) fn pull(&self, effects: &[f64]) -> Vec<f64> {
        let along: f64 = self.trend.iter().zip(effects).map(|(t, e)| t * e).sum();
        effects.iter().zip(&self.trend).map(|(e, t)| OF_A_DAY * e - self.let_be * along * t).collect()
    }

    /// The precision of a pair of days.
    pub(crate) fn precision(&self, one: usize, other: usize) -> f64 {
        let own = if one == other { OF_A_DAY } else { 0.0 };
        own - self.let_be * self.trend[one] * self.trend[other]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trend_by_three_is_one_deviation_and_a_day_is_drawn_to_it() {
        let calendar = Calendar::new(57);
        let trend: Vec<f64> = (0..57).map(|day| 3f64.ln() * (f64::from(day) / 56.0 - 0.5)).collect();
        let energy = |effects: &[f64]| effects.iter().zip(calendar.pull(effects)).map(|(e, p)| e * p).sum::<f64>();
        assert!((energy(&trend) - 1.0).abs() < 1e-9, "{}", energy(&trend));
        assert!((energy(&[1.0; 57]) - 57.0).abs() < 1e-9, "what is no trend has the precision of its days");
    }

    #[test]
    fn pull_and_precision_are_the_same_matrix() {
        let calendar = Calendar::new(20);
        let effects: Vec<f64> = (0..20).map(|day| f64::from(day * day % 7)).collect();
        for (row, pulled) in calendar.pull(&effects).into_iter().enumerate() {
            let sum: f64 = effects.iter().enumerate().map(|(column, e)| calendar.precision(row, column) * e).sum();
            assert!((sum - pulled).abs() < 1e-9);
        }
        assert!((Calendar::new(3).precision(1, 1) - OF_A_DAY).abs() < 1e-12, "three days have no trend");
    }
}
