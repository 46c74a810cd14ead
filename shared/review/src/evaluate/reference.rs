//! Tests to stand beside: what a release engineer would try first, and what a careful one would.

use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::conditional::{self, Depth};
use crate::panel::{Panel, Side};

/// The one-sided error of every reference test, which looks once.
pub(crate) const ERROR: f64 = 0.05;
/// The normal quantile of it.
const ONE_SIDED: f64 = 1.644_853_626_951_472;

/// All calls together: two shares, their pooled variance.
pub(crate) fn pooled(panel: &Panel) -> bool {
    let (baseline, candidate) = panel.iter().fold((Side::default(), Side::default()), |(b, c), consumer| {
        let (own_b, own_c) = consumer.sides();
        (plus(b, own_b), plus(c, own_c))
    });
    let (Some(there), Some(here)) = (baseline.rate(), candidate.rate()) else { return false };
    let share = (baseline.count + candidate.count) / (baseline.exposure + candidate.exposure);
    let error = (share * (1.0 - share).max(0.0) * (1.0 / baseline.exposure + 1.0 / candidate.exposure)).sqrt();
    error > 0.0 && (here - there) / error > ONE_SIDED
}

fn plus(a: Side, b: Side) -> Side {
    Side { exposure: a.exposure + b.exposure, count: a.count + b.count }
}

/// Consumers seen on both versions, each with itself: what it has on the candidate beyond its share, days corrected by
/// those who stayed, over the root of the sum of squares. A consumer's weight is 1/(1 + φ·m), φ = 1/5. This is the
/// best consumer-level test that a careful engineer would write down in an hour. One-sided; 1 where it can tell nothing.
pub(crate) fn by_consumer(panel: &Panel) -> f64 {
    let stayed = stayers(panel);
    let (mut sum, mut squares, mut n) = (0.0, 0.0, 0.0);
    for consumer in panel.iter() {
        let expected = |on_candidate: bool| {
            let side = consumer.cells().filter(|c| c.candidate == on_candidate);
            side.map(|c| c.exposure * stayed[usize::from(c.day)]).sum::<f64>()
        };
        let (there, here) = (expected(false), expected(true));
        let (baseline, candidate) = consumer.sides();
        let total = baseline.count + candidate.count;
        if there <= 0.0 || here <= 0.0 || total <= 0.0 {
            continue;
        }
        let share = here / (there + here);
        let residual = (candidate.count - total * share) / (1.0 + 0.2 * total * share * (1.0 - share));
        sum += residual;
        squares += residual * residual;
        n += 1.0;
    }
    let Ok(student) = StudentsT::new(0.0, 1.0, f64::max(n - 1.0, 1.0)) else { return 1.0 };
    if n > 2.0 && squares > 0.0 { student.sf(sum / squares.sqrt()) } else { 1.0 }
}

/// The rate of each day among those who never moved, over all days; 1 where there is none.
fn stayers(panel: &Panel) -> Vec<f64> {
    let mut days = vec![Side::default(); panel.days];
    for consumer in panel.iter().filter(|consumer| consumer.cells().all(|c| !c.candidate)) {
        for cell in consumer.cells() {
            let day = &mut days[usize::from(cell.day)];
            // The square root of the exposure, so that one consumer is not the day.
            *day = plus(*day, Side { exposure: cell.exposure.sqrt(), count: cell.count / cell.exposure.sqrt() });
        }
    }
    let all = days.iter().fold(Side::default(), |a, b| plus(a, *b));
    days.iter()
        .map(|d| ((d.count + 1.0) / (d.exposure + 1.0 / all.rate().unwrap_or(1.0).max(1e-9))) / all.rate().unwrap_or(1.0).max(1e-9))
        .collect()
}

/// The comparison of this crate, looked at once, with the whole error to itself. One-sided; 1 where it can tell nothing.
pub(crate) fn looked_at_once(panel: &Panel) -> f64 {
    let p = |fit: conditional::Fit| {
        let student = StudentsT::new(0.0, 1.0, (fit.effective - 1.0).max(1.0)).ok()?;
        Some(student.sf(fit.theta / fit.standard_error))
    };
    conditional::fit(panel, None, Depth::Whole).and_then(p).unwrap_or(1.0)
}
