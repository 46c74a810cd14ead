//! A comparison on the scale of logarithms or of points, with bounds that hold at this look.

use crate::boundary::Look;
use crate::conditional::{self, Depth, Fit, Part, Warm};
use crate::exact;
use crate::panel::Panel;
use crate::stratified;
use crate::types::Method;
use crate::weights::{self, expected_square};

/// Fewer counts than this on a side, or effective consumers, are not many: the exact method takes over.
const FEW_COUNTS: f64 = 15.0;
const FEW_CONSUMERS: f64 = 12.0;
/// A consumer whose residual is so many times what is expected stands out.
const STANDS_OUT: f64 = 4.0;

/// What a comparison found. Up is worse throughout.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Comparison {
    /// Logarithm of the ratio, or the difference in points.
    pub(crate) estimate: f64,
    /// Below this only with the probability the look may spend.
    pub(crate) low: f64,
    /// Above this, likewise.
    pub(crate) high: f64,
    pub(crate) method: Method,
    /// Consumers that were compared.
    pub(crate) compared: u64,
    /// How many equal ones they are worth.
    pub(crate) effective: f64,
    /// Consumers that stand out, the oddest first, with the logarithm of their own ratio.
    pub(crate) outliers: Vec<(u32, Option<f64>)>,
}

impl Comparison {
    /// The same with up turned down.
    pub(crate) fn turned(self) -> Self {
        Self { estimate: -self.estimate, low: -self.high, high: -self.low, ..self }
    }

    /// The same in another unit.
    pub(crate) fn times(self, factor: f64) -> Self {
        Self { estimate: self.estimate * factor, low: self.low * factor, high: self.high * factor, ..self }
    }
}

/// What was found, before it is told how sure a conclusion must be.
pub(crate) struct Evidence<'a> {
    /// As in [`Comparison`].
    pub(crate) estimate: f64,
    /// Its standard error, from what does not depend on the estimate where that can be told apart.
    pub(crate) standard_error: f64,
    /// What may be mistaken for a difference and is not chance.
    pub(crate) allowance: f64,
    finish: Box<dyn Fn(Look) -> Option<Comparison> + Send + Sync + 'a>,
}

impl<'a> Evidence<'a> {
    pub(crate) fn new(
        (estimate, standard_error, allowance): (f64, f64, f64),
        finish: impl Fn(Look) -> Option<Comparison> + Send + Sync + 'a,
    ) -> Self {
        Self { estimate, standard_error, allowance, finish: Box::new(finish) }
    }

    /// With bounds that hold at a look; none where too little is known for any.
    pub(crate) fn at(&self, look: Look) -> Option<Comparison> {
        (self.finish)(look)
    }
}

/// Compares rates: paired where consumers were seen on both versions, else between strata; none without anything to compare.
pub(crate) fn rates<'a>(panel: &Panel) -> Option<Evidence<'a>> {
    if panel.counted_len() == 0 {
        return None;
    }
    paired(panel, None, Depth::Whole).map(|(evidence, _)| evidence).or_else(|| stratified::compare(panel))
}

/// Compares consumers with themselves; none where that tells nothing.
pub(crate) fn paired<'a>(panel: &Panel, warm: Option<&Warm>, depth: Depth) -> Option<(Evidence<'a>, Warm)> {
    let fit = conditional::fit(panel, warm, depth)?;
    let (on_candidate, total) = fit.parts.iter().fold((0.0, 0.0), |(c, t), p| (c + p.on_candidate, t + p.total));
    let counts = on_candidate.min(total - on_candidate);
    let few = counts < FEW_COUNTS || fit.effective < FEW_CONSUMERS;
    let estimate = if few { exact::estimate(&fit.parts)? } else { fit.theta };
    let (told, at) = ((estimate, fit.if_equal, fit.allowance), fit.at.clone());
    let finish = move |look| {
        let comparison = if few { exactly(&fit, look)? } else { by_consumer(&fit, look)? };
        // What chance and what the calendar may do are not added but joined, like errors that know nothing of each other.
        let reach = |half: f64| half.hypot(fit.allowance);
        let (low, high) = (
            comparison.estimate - reach(comparison.estimate - comparison.low),
            comparison.estimate + reach(comparison.high - comparison.estimate),
        );
        Some(Comparison { low, high, ..comparison })
    };
    Some((Evidence::new(told, finish), at))
}

fn by_consumer(fit: &Fit, look: Look) -> Option<Comparison> {
    let spread = look.with_freedom(fit.effective - 1.0)? * fit.standard_error;
    // What is concluded must hold without the one consumer that stands out most on that side.
    let odd = || fit.parts.iter().filter(|p| oddness(fit, p) > STANDS_OUT).map(|p| fit.influence(p));
    let (up, down) = (odd().fold(0.0, f64::max), odd().fold(0.0, f64::min));
    Some(of(fit, Method::Paired, (fit.theta, fit.theta - up - spread, fit.theta - down + spread)))
}

fn exactly(fit: &Fit, look: Look) -> Option<Comparison> {
    let bounds = exact::bounds(&fit.parts, look.tail())?;
    Some(of(fit, Method::PairedExact, (bounds.estimate, bounds.low, bounds.high)))
}

fn of(fit: &Fit, method: Method, (estimate, low, high): (f64, f64, f64)) -> Comparison {
    Comparison { estimate, low, high, method, compared: fit.parts.len() as u64, effective: fit.effective, outliers: outliers(fit) }
}

/// How many times its expectation a consumer's residual is.
fn oddness(fit: &Fit, part: &Part) -> f64 {
    let expected = expected_square(part, fit.dispersion).sqrt();
    let loud = expected > 0.0 && part.residual.abs() > weights::ONE_COUNT;
    if loud { part.weight * part.residual.abs() / expected } else { 0.0 }
}

fn outliers(fit: &Fit) -> Vec<(u32, Option<f64>)> {
    let mut odd: Vec<(f64, &Part)> = fit.parts.iter().map(|p| (oddness(fit, p), p)).filter(|(o, _)| *o > STANDS_OUT).collect();
    odd.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.id.cmp(&b.1.id)));
    odd.into_iter().take(5).map(|(_, p)| (p.id, own_ratio(p))).collect()
}

/// A consumer's own ratio, with half a count on each side: (counts here / share here) / (counts there / share there).
fn own_ratio(part: &Part) -> Option<f64> {
    let (here, there) = (part.on_candidate + 0.5, part.total - part.on_candidate + 0.5);
    let ratio = (here / part.expected_share) / (there / (1.0 - part.expected_share));
    ratio.is_finite().then(|| ratio.ln())
}
