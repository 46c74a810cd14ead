//! The heart of a verdict: consumers compared with themselves, calendar effects removed.
//!
//! A consumer's counts are Poisson with mean `exposure · exp(αᵢ + γ_day + θ·[candidate])`. Given its total Oᵢ they are
//! multinomial with shares πᵢₜ ∝ exposureᵢₜ·exp(γ_day + θ·xᵢₜ), and the consumer's own level αᵢ is gone (Hausman, Hall,
//! Griliches, Econometrica 52 (1984) 909–938). Everyone seen on several days tells about the days, those seen on both
//! versions about θ, the logarithm of the rate ratio. Each consumer has a bounded weight, and the variance is
//! by consumer (sandwich), so that only the mean must be right, not the distribution (Wooldridge, *Journal of
//! Econometrics* 90 (1999) 77–97).

use crate::calendar::Calendar;
use crate::linear::{Outer, Symmetric, add_scaled, dot, dot3};
use crate::panel::{Consumer, Panel};
use crate::weights::{self, Weighting};

/// Steps of Newton's method at most: it is concave and takes some ten.
const STEPS: usize = 60;
/// So many consumers tell the curvature well enough to set the pace of the steps.
const PACE: usize = 1_500;
/// A step below this ends them …
const CLOSE: f64 = 1e-6;
/// … or below this, where only θ is asked for, to be rounded …
const ROUGH: f64 = 1e-4;
/// … or below this, where only the spread of the consumers is to be learned.
const NEAR: f64 = 1e-3;
/// Steps that do not shrink to this want a new curvature.
const SHRINK: f64 = 0.2;
/// The longest step in logarithms.
const LONGEST: f64 = 2.0;
/// A step of the calendar, from the days of one version to those of the other, that must not pass for the version's:
/// the allowance that stands where only the prior tells days from versions.
const STEP: f64 = 1.5;
/// A consumer's own part of the information that its residual is corrected for, at most.
const LEVERAGE: f64 = 0.9;

/// One consumer's part in the comparison.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Part {
    /// Its place in the review's input.
    pub(crate) id: u32,
    /// All its counts.
    pub(crate) total: f64,
    /// Its counts on the candidate.
    pub(crate) on_candidate: f64,
    /// The share of its counts that would be on the candidate without any difference.
    pub(crate) expected_share: f64,
    /// What its counts tell about θ, before its weight.
    pub(crate) information: f64,
    /// Its residual in the score of θ, before its weight.
    pub(crate) residual: f64,
    /// Its weight.
    pub(crate) weight: f64,
}

/// A fitted comparison.
#[derive(Clone, Debug)]
pub(crate) struct Fit {
    /// Logarithm of the rate ratio, candidate over baseline.
    pub(crate) theta: f64,
    /// Where it ended.
    pub(crate) at: Warm,
    /// Its standard error, by consumer.
    pub(crate) standard_error: f64,
    /// The same if nothing differed: it tells how much can be found, whatever was found.
    pub(crate) if_equal: f64,
    /// What all of them and the prior of the days tell about θ.
    pub(crate) information: f64,
    /// How far θ may be off because only the prior tells days from versions: next to nothing where both are in use on the same days.
    pub(crate) allowance: f64,
    /// Effective number of consumers it rests on.
    pub(crate) effective: f64,
    /// Extra variance of a consumer's rate between its two sides, as a squared coefficient of variation.
    pub(crate) dispersion: f64,
    /// Consumers with counts that were seen on both versions.
    pub(crate) parts: Vec<Part>,
}

/// Where a fit of nearly the same panel ended: a good place to begin.
#[derive(Clone, Debug)]
pub(crate) struct Warm {
    days: Vec<f64>,
    theta: f64,
}

/// How much of a fit is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// All of it.
    Whole,
    /// θ; its uncertainty as far as a part of the consumers tells it, where there are many.
    Theta,
}

/// Fits the comparison; none where nobody with counts was seen on both versions, or nothing tells the version from the days.
pub(crate) fn fit(panel: &Panel, warm: Option<&Warm>, depth: Depth) -> Option<Fit> {
    let calendar = &Calendar::new(panel.days);
    let start = Weighting::start(panel);
    let from = warm.map_or_else(|| Warm { days: vec![0.0; panel.days], theta: 0.0 }, Warm::clone);
    let (at, rough) = maximise(calendar, panel, &start, from, NEAR)?;
    let weighting = start.learn(panel, &parts(panel, &start, &at, &rough)?);
    let close = if depth == Depth::Whole { CLOSE } else { ROUGH };
    let (at, rough) = maximise(calendar, panel, &weighting, at, close)?;
    let curvature = if depth == Depth::Whole { curvature(calendar, panel, &weighting, &at, 1) } else { rough };
    let parts = parts(panel, &weighting, &at, &curvature)?;
    summarise(calendar, parts, &projection(&curvature, panel.days)?, at, weighting.dispersion)
}

impl Fit {
    /// By how much θ would fall without a consumer, to first order.
    pub(crate) fn influence(&self, part: &Part) -> f64 {
        part.weight * part.residual / (self.information - part.weight * part.information).max(f64::MIN_POSITIVE)
    }
}

impl Warm {
    fn moved(&self, step: &[f64]) -> Self {
        let longest = step.iter().fold(0.0f64, |m, s| m.max(s.abs()));
        let factor = if longest > LONGEST { LONGEST / longest } else { 1.0 };
        let days = self.days.iter().zip(step).map(|(g, s)| g + factor * s).collect();
        Self { days, theta: self.theta + factor * step[self.days.len()] }
    }

    /// The effect of each day as a factor.
    pub(crate) fn levels(&self) -> Vec<f64> {
        self.days.iter().map(|g| g.exp()).collect()
    }
}

/// Newton's method. The curvature is dear and only sets the pace, so it is kept while the steps shrink well.
fn maximise(calendar: &Calendar, panel: &Panel, weighting: &Weighting, mut at: Warm, close: f64) -> Option<(Warm, Symmetric)> {
    let every = (panel.counted_len() / PACE).max(1);
    let observed = Observed::of(panel, weighting);
    let mut kept = curvature(calendar, panel, weighting, &at, every);
    let mut factor = kept.clone().cholesky()?;
    let mut before: Option<f64> = None;
    for _ in 0..STEPS {
        let step = factor.solve(&gradient(calendar, panel, weighting, &observed, &at));
        let longest = step.iter().fold(0.0f64, |m, s| m.max(s.abs()));
        at = at.moved(&step);
        // Steps shrink evenly, so the last two tell the next.
        let shrunk = before.map(|before| longest / before);
        if longest < close || shrunk.is_some_and(|by| by * longest < close) {
            break;
        }
        if longest > LONGEST || shrunk.is_some_and(|by| by > SHRINK) {
            kept = curvature(calendar, panel, weighting, &at, every);
            factor = kept.clone().cholesky()?;
        }
        before = Some(longest);
    }
    // Counts all on one side have no greatest likelihood: the exact method answers then.
    at.theta.is_finite().then_some((at, kept))
}

/// Weighted counts, which are the same wherever a search stands: by day, and on the candidate.
struct Observed {
    days: Vec<f64>,
    candidate: f64,
}

impl Observed {
    fn of(panel: &Panel, weighting: &Weighting) -> Self {
        let mut observed = Self { days: vec![0.0; panel.days], candidate: 0.0 };
        for (place, consumer) in panel.counted() {
            let weight = weighting.of(place);
            consumer.runs().for_each(|run| add_scaled(&mut observed.days[run.day..], weight, run.count));
            observed.candidate += weight * consumer.on_candidate;
        }
        observed
    }
}

/// Sums of a consumer's exposures times something told by day: baseline and candidate.
pub(crate) fn weighed(consumer: &Consumer<'_>, by_day: &[f64]) -> (f64, f64) {
    let (mut baseline, mut candidate) = (0.0, 0.0);
    for run in consumer.runs() {
        let sum = dot(run.exposure, &by_day[run.day..]);
        if run.candidate { candidate += sum } else { baseline += sum }
    }
    (baseline, candidate)
}

/// The same of three things at once: those of the baseline and of the candidate.
fn weighed3(consumer: &Consumer<'_>, [a, b, c]: [&[f64]; 3]) -> [[f64; 3]; 2] {
    let mut sides = [[0.0; 3]; 2];
    for run in consumer.runs() {
        let sums = dot3(run.exposure, [&a[run.day..], &b[run.day..], &c[run.day..]]);
        let side = &mut sides[usize::from(run.candidate)];
        *side = [side[0] + sums[0], side[1] + sums[1], side[2] + sums[2]];
    }
    sides
}

/// Slope of the logarithm of the likelihood: by day, and last by θ.
fn gradient(calendar: &Calendar, panel: &Panel, weighting: &Weighting, observed: &Observed, at: &Warm) -> Vec<f64> {
    let (levels, ratio) = (at.levels(), at.theta.exp());
    let mut means = vec![0.0; panel.days];
    let mut on_candidate = observed.candidate;
    for (place, consumer) in panel.counted() {
        let (baseline, candidate) = weighed(&consumer, &levels);
        let scale = weighting.of(place) * consumer.total / (baseline + ratio * candidate);
        for run in consumer.runs() {
            add_scaled(&mut means[run.day..], if run.candidate { ratio * scale } else { scale }, run.exposure);
        }
        on_candidate -= scale * ratio * candidate;
    }
    let pull = calendar.pull(&at.days);
    let of_day = |day: usize| observed.days[day] - levels[day] * means[day] - pull[day];
    (0..panel.days).map(of_day).chain([on_candidate]).collect()
}

/// Its second derivatives with their sign turned, from every so-manieth consumer, scaled to all.
fn curvature(calendar: &Calendar, panel: &Panel, weighting: &Weighting, at: &Warm, every: usize) -> Symmetric {
    let days = panel.days;
    let (levels, ratio) = (at.levels(), at.theta.exp());
    let (mut of_shares, mut of_candidate, mut of_theta) = (vec![0.0; days], vec![0.0; days], 0.0);
    let mut products = Outer::new(days);
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let times = every as f64;
    for (place, consumer) in panel.counted().step_by(every) {
        let (baseline, candidate) = weighed(&consumer, &levels);
        let expected = baseline + ratio * candidate;
        let (share, weight) = (ratio * candidate / expected, times * weighting.of(place) * consumer.total);
        let scale = weight / expected;
        products.next(weight / (expected * expected));
        for run in consumer.runs() {
            let (relative, cross) = if run.candidate { (ratio, 1.0 - share) } else { (1.0, -share) };
            products.put(run.day, relative, run.exposure);
            add_scaled(&mut of_shares[run.day..], scale * relative, run.exposure);
            add_scaled(&mut of_candidate[run.day..], scale * relative * cross, run.exposure);
        }
        of_theta += weight * share * (1.0 - share);
    }
    let mut curvature = products.sum().scaled(&levels);
    for day in 0..days {
        (0..day).for_each(|other| curvature.add(day, other, calendar.precision(day, other)));
        curvature.add(day, day, calendar.precision(day, day) + levels[day] * of_shares[day]);
        curvature.add(days, day, levels[day] * of_candidate[day]);
    }
    // Without information about θ the matrix would be singular: this makes it stay where it is.
    curvature.add(days, days, 1e-9 + of_theta);
    curvature
}

/// What each day's effect explains of the version: the version less this is what the comparison looks at.
fn projection(curvature: &Symmetric, days: usize) -> Option<Vec<f64>> {
    let mut of_days = Symmetric::zeros(days);
    for row in 0..days {
        (0..=row).for_each(|column| of_days.add(row, column, curvature.get(row, column)));
    }
    let factor = of_days.cholesky()?;
    let cross: Vec<f64> = (0..days).map(|day| curvature.get(days, day)).collect();
    Some(factor.solve(&cross))
}

fn parts(panel: &Panel, weighting: &Weighting, at: &Warm, curvature: &Symmetric) -> Option<Vec<Part>> {
    let explained = projection(curvature, panel.days)?;
    let (levels, ratio) = (at.levels(), at.theta.exp());
    let times = |by_day: &[f64]| -> Vec<f64> { by_day.iter().zip(&explained).map(|(value, e)| value * e).collect() };
    let first = times(&levels);
    let second = times(&first);
    let mut all = Vec::with_capacity(panel.counted_len());
    for (place, consumer) in panel.counted() {
        let [[baseline, baseline_first, baseline_second], [candidate, candidate_first, candidate_second]] =
            weighed3(&consumer, [&levels, &first, &second]);
        let expected = baseline + ratio * candidate;
        let share = ratio * candidate / expected;
        let mean = share - (baseline_first + ratio * candidate_first) / expected;
        let square = share + (baseline_second + ratio * candidate_second - 2.0 * ratio * candidate_first) / expected;
        let on_days: f64 = consumer.runs().map(|run| dot(run.count, &explained[run.day..])).sum();
        all.push(Part {
            id: consumer.id,
            total: consumer.total,
            on_candidate: consumer.on_candidate,
            expected_share: candidate / (baseline + candidate),
            information: consumer.total * (square - mean * mean).max(0.0),
            residual: consumer.on_candidate - on_days - consumer.total * mean,
            weight: weighting.of(place),
        });
    }
    Some(all)
}

fn summarise(calendar: &Calendar, parts: Vec<Part>, explained: &[f64], at: Warm, dispersion: f64) -> Option<Fit> {
    let both = |p: &Part| p.expected_share > 0.0 && p.expected_share < 1.0;
    let information: f64 = parts.iter().map(|p| p.weight * p.information).sum();
    if information <= 1e-6 || !parts.iter().any(both) {
        return None;
    }
    // θ moves by the score over this: what the prior of the days says adds to what the counts say.
    let pull = calendar.pull(explained);
    let of_prior: f64 = pull.iter().zip(explained).map(|(p, e)| p * e).sum();
    let with_prior = information + of_prior;
    // θ is off by Σ(pull of e)·γ over that for effects γ of the days; a step has half its height on either side.
    let allowance = pull.iter().map(|p| p.abs()).sum::<f64>() / with_prior * 0.5 * STEP.ln();
    let squares: f64 =
        parts.iter().map(|p| (p.weight * p.residual / (1.0 - (p.weight * p.information / information).min(LEVERAGE))).powi(2)).sum();
    let expected: Vec<f64> = parts.iter().map(|p| weights::expected_square(p, dispersion)).collect();
    let (sum, sum_of_squares) = expected.iter().fold((0.0, 0.0), |(s, q), v| (s + v, q + v * v));
    let effective = sum * sum / sum_of_squares;
    Some(Fit {
        theta: at.theta,
        standard_error: squares.sqrt() / with_prior,
        if_equal: if_equal(&parts, at.theta, of_prior, dispersion),
        information: with_prior,
        at,
        allowance,
        effective,
        dispersion,
        parts: parts.into_iter().filter(both).collect(),
    })
}

/// The standard error that θ would have if nothing differed, so that an estimate has no say in it: of a consumer whose share is p, with the
/// ratio r, fewer counts (by 1 − p + r·p) would tell more each (by (1 − p + r·p)²/r).
fn if_equal(parts: &[Part], theta: f64, of_prior: f64, dispersion: f64) -> f64 {
    let ratio = theta.exp();
    let (mut information, mut squares) = (of_prior, 0.0);
    for part in parts {
        let own = part.information * (1.0 - part.expected_share + ratio * part.expected_share) / ratio;
        information += part.weight * own;
        squares += weights::expected_square(&Part { information: own, ..*part }, dispersion);
    }
    squares.sqrt() / information
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::{Builder, Cell};

    /// Eighty consumers that move one by one from the tenth of thirty days on, and count rarely; the rate on the candidate is `ratio` times as high.
    fn drawn(dice: &mut fastrand::Rng, ratio: f64) -> Panel {
        let mut panel = Builder::new(30);
        for id in 0..80u32 {
            let moves = 10 + dice.u16(0..30);
            let cells = (0..30u16).map(|day| {
                let candidate = day >= moves;
                let mean = 0.1 * if candidate { ratio } else { 1.0 };
                let (end, mut product, mut count) = ((-mean).exp(), dice.f64(), 0.0);
                while product > end {
                    product *= dice.f64();
                    count += 1.0;
                }
                Cell { day, candidate, exposure: 1.0, count }
            });
            panel.push(id, cells.collect::<Vec<_>>());
        }
        panel.build()
    }

    fn mean(values: impl Iterator<Item = f64>) -> f64 {
        values.sum::<f64>() / 300.0
    }

    #[test]
    fn the_standard_error_is_the_spread_of_the_estimate() {
        let mut dice = fastrand::Rng::with_seed(4);
        let fits: Vec<Fit> = (0..300).map(|_| fit(&drawn(&mut dice, 1.0), None, Depth::Whole).unwrap()).collect();
        let middle = mean(fits.iter().map(|f| f.theta));
        let spread = mean(fits.iter().map(|f| (f.theta - middle).powi(2))).sqrt();
        let told = mean(fits.iter().map(|f| f.standard_error));
        assert!(middle.abs() < 0.06 && (told / spread - 1.0).abs() < 0.1, "{middle}: {spread}, {told}");
    }

    #[test]
    fn what_could_be_found_does_not_hang_on_what_was() {
        let mut dice = fastrand::Rng::with_seed(5);
        let told = |dice: &mut fastrand::Rng, ratio: f64| {
            let fits: Vec<Fit> = (0..300).map(|_| fit(&drawn(dice, ratio), None, Depth::Whole).unwrap()).collect();
            (mean(fits.iter().map(|f| f.if_equal)), mean(fits.iter().map(|f| f.standard_error)))
        };
        let ((same, _), (worse, error)) = (told(&mut dice, 1.0), told(&mut dice, 2.0));
        assert!((worse / same - 1.0).abs() < 0.08, "{same}, {worse}");
        assert!(error < 0.85 * worse, "more counts tell more: {error}");
    }
}
