//! The heart of a verdict: consumers compared with themselves, calendar effects removed.
//!
//! A consumer's counts are Poisson with mean `exposure · exp(αᵢ + γ_day + θ·[candidate])`. Given its total Oᵢ they are
//! multinomial with shares πᵢₜ ∝ exposureᵢₜ·exp(γ_day + θ·xᵢₜ), and the consumer's own level αᵢ is gone (Hausman, Hall,
//! Griliches, Econometrica 52 (1984) 909–938). Everyone seen on several days tells about the days, those seen on both
//! versions about θ, the logarithm of the rate ratio. Each consumer has a bounded weight, and the variance is
//! by consumer (sandwich), so that only the mean must be right, not the distribution (Wooldridge, *Journal of
//! Econometrics* 90 (1999) 77–97).

use crate::linear::Symmetric;
use crate::panel::{Cell, Panel};
use crate::weights::{self, Weighting};

/// Steps of Newton's method at most: it is concave and takes some ten.
const STEPS: usize = 60;
/// So many consumers tell the curvature well enough to set the pace of the steps.
const PACE: usize = 1_500;
/// A step below this ends them.
const CLOSE: f64 = 1e-6;
/// Steps that do not shrink to this want a new curvature.
const SHRINK: f64 = 0.3;
/// The longest step in logarithms.
const LONGEST: f64 = 2.0;
/// A prior of standard deviation 1 in logarithms for the effect of a day: one without counts stays finite.
const RIDGE: f64 = 1.0;
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
    /// What all of them tell about θ.
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

/// Fits the comparison; none where nobody with counts was seen on both versions, or nothing tells the version from the days.
pub(crate) fn fit(panel: &Panel, warm: Option<&Warm>) -> Option<Fit> {
    // Who has no counts tells nothing, and of feedback most have none.
    let panel = &panel.with_counts();
    let start = Weighting::start(panel);
    let from = warm.map_or_else(|| Warm { days: vec![0.0; panel.days], theta: 0.0 }, Warm::clone);
    let (at, rough) = maximise(panel, &start, from, None)?;
    let weighting = start.learn(panel, &parts(panel, &start, &at, &rough)?);
    let (at, _) = maximise(panel, &weighting, at, Some(rough))?;
    let curvature = curvature(panel, &weighting, &at, 1);
    let parts = parts(panel, &weighting, &at, &curvature)?;
    summarise(parts, &projection(&curvature, panel.days)?, at, weighting.dispersion)
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

    fn levels(&self) -> Vec<f64> {
        self.days.iter().map(|g| g.exp()).collect()
    }
}

/// Newton's method. The curvature is dear and only sets the pace, so it is kept while the steps shrink well.
fn maximise(panel: &Panel, weighting: &Weighting, mut at: Warm, known: Option<Symmetric>) -> Option<(Warm, Symmetric)> {
    let every = (panel.len() / PACE).max(1);
    let mut kept = known.unwrap_or_else(|| curvature(panel, weighting, &at, every));
    let mut factor = kept.clone().cholesky()?;
    let mut before = f64::INFINITY;
    for _ in 0..STEPS {
        let step = factor.solve(&gradient(panel, weighting, &at));
        let longest = step.iter().fold(0.0f64, |m, s| m.max(s.abs()));
        at = at.moved(&step);
        if longest < CLOSE {
            break;
        }
        if longest > SHRINK * before || longest > LONGEST {
            kept = curvature(panel, weighting, &at, every);
            factor = kept.clone().cholesky()?;
        }
        before = longest;
    }
    // Counts all on one side have no greatest likelihood: the exact method answers then.
    at.theta.is_finite().then_some((at, kept))
}

/// Shares of a consumer's counts by day, and how much of each day's share is the candidate's.
#[derive(Default)]
struct Shares {
    days: Vec<(usize, f64, f64)>,
    candidate: f64,
}

impl Shares {
    fn fill(&mut self, cells: &[Cell], levels: &[f64], ratio: f64) {
        self.days.clear();
        self.candidate = 0.0;
        let mut total = 0.0;
        for cell in cells {
            let expected = cell.exposure * levels[usize::from(cell.day)] * if cell.candidate { ratio } else { 1.0 };
            let candidate = if cell.candidate { expected } else { 0.0 };
            total += expected;
            self.candidate += candidate;
            match self.days.last_mut() {
                Some((day, all, part)) if *day == usize::from(cell.day) => {
                    *all += expected;
                    *part += candidate;
                }
                _ => self.days.push((usize::from(cell.day), expected, candidate)),
            }
        }
        let scale = 1.0 / total;
        self.candidate *= scale;
        for (_, all, part) in &mut self.days {
            *all *= scale;
            *part *= scale;
        }
    }
}

/// Slope of the logarithm of the likelihood: by day, and last by θ.
fn gradient(panel: &Panel, weighting: &Weighting, at: &Warm) -> Vec<f64> {
    let days = at.days.len();
    let (levels, ratio) = (at.levels(), at.theta.exp());
    let mut gradient: Vec<f64> = at.days.iter().map(|effect| -RIDGE * effect).collect();
    gradient.push(0.0);
    for (place, (_, cells)) in panel.iter().enumerate() {
        let (mut total, mut expected) = (0.0, 0.0);
        for cell in cells {
            total += cell.count;
            expected += cell.exposure * levels[usize::from(cell.day)] * if cell.candidate { ratio } else { 1.0 };
        }
        if total <= 0.0 {
            continue;
        }
        let (weight, scale) = (weighting.of(place), total / expected);
        for cell in cells {
            let mean = scale * cell.exposure * levels[usize::from(cell.day)] * if cell.candidate { ratio } else { 1.0 };
            let residual = weight * (cell.count - mean);
            gradient[usize::from(cell.day)] += residual;
            gradient[days] += if cell.candidate { residual } else { 0.0 };
        }
    }
    gradient
}

/// Its second derivatives with their sign turned, from every so-manieth consumer, scaled to all.
fn curvature(panel: &Panel, weighting: &Weighting, at: &Warm, every: usize) -> Symmetric {
    let days = at.days.len();
    let (levels, ratio) = (at.levels(), at.theta.exp());
    let mut curvature = Symmetric::zeros(days + 1);
    (0..days).for_each(|day| curvature.add(day, day, RIDGE));
    // Without information about θ the matrix would be singular: this makes it stay where it is.
    curvature.add(days, days, 1e-9);
    let mut shares = Shares::default();
    let mut dense = vec![0.0; days];
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let times = every as f64;
    for (place, (_, cells)) in panel.iter().enumerate().step_by(every) {
        let total: f64 = cells.iter().map(|c| c.count).sum();
        if total <= 0.0 {
            continue;
        }
        shares.fill(cells, &levels, ratio);
        let scale = times * weighting.of(place) * total;
        let first = shares.days.first().map_or(0, |(day, _, _)| *day);
        shares.days.iter().for_each(|(day, share, _)| dense[*day] = *share);
        for (day, share, candidate) in &shares.days {
            curvature.add(*day, *day, scale * share);
            curvature.add(days, *day, scale * (candidate - share * shares.candidate));
            curvature.add_row(*day, first, -scale * share, &dense[first..=*day]);
        }
        shares.days.iter().for_each(|(day, _, _)| dense[*day] = 0.0);
        curvature.add(days, days, scale * shares.candidate * (1.0 - shares.candidate));
    }
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
    let explained = projection(curvature, at.days.len())?;
    let levels = at.levels();
    let (mut shares, mut all) = (Shares::default(), Vec::new());
    for (place, (id, cells)) in panel.iter().enumerate() {
        let total: f64 = cells.iter().map(|c| c.count).sum();
        if total <= 0.0 {
            continue;
        }
        shares.fill(cells, &levels, 1.0);
        let expected_share = shares.candidate;
        shares.fill(cells, &levels, at.theta.exp());
        let (mut mean, mut square) = (shares.candidate, shares.candidate);
        for (day, share, candidate) in &shares.days {
            let e = explained[*day];
            mean -= share * e;
            square += share * e * e - 2.0 * candidate * e;
        }
        let place_of = |c: &Cell| f64::from(u8::from(c.candidate)) - explained[usize::from(c.day)];
        let observed: f64 = cells.iter().map(|c| c.count * place_of(c)).sum();
        all.push(Part {
            id,
            total,
            on_candidate: cells.iter().filter(|c| c.candidate).map(|c| c.count).sum(),
            expected_share,
            information: total * (square - mean * mean).max(0.0),
            residual: observed - total * mean,
            weight: weighting.of(place),
        });
    }
    Some(all)
}

fn summarise(parts: Vec<Part>, explained: &[f64], at: Warm, dispersion: f64) -> Option<Fit> {
    let information: f64 = parts.iter().map(|p| p.weight * p.information).sum();
    // θ is off by RIDGE·Σeγ over all information for effects γ of the days; a step has half its height on either side.
    let with_prior = information + RIDGE * explained.iter().map(|e| e * e).sum::<f64>();
    let allowance = RIDGE * explained.iter().map(|e| e.abs()).sum::<f64>() / with_prior * 0.5 * STEP.ln();
    let both = |p: &Part| p.expected_share > 0.0 && p.expected_share < 1.0;
    if information <= 1e-6 || !parts.iter().any(both) {
        return None;
    }
    let squares: f64 =
        parts.iter().map(|p| (p.weight * p.residual / (1.0 - (p.weight * p.information / information).min(LEVERAGE))).powi(2)).sum();
    let expected: Vec<f64> = parts.iter().map(|p| weights::expected_square(p, dispersion)).collect();
    let (sum, sum_of_squares) = expected.iter().fold((0.0, 0.0), |(s, q), v| (s + v, q + v * v));
    let effective = sum * sum / sum_of_squares;
    Some(Fit {
        theta: at.theta,
        at,
        standard_error: squares.sqrt() / information,
        information,
        allowance,
        effective,
        dispersion,
        parts: parts.into_iter().filter(both).collect(),
    })
}
