//! Where nobody was seen on both versions: consumers of like volume compared with each other, and said so.
//!
//! Consumers are put into thirds by their volume a day. In each, both versions have a mean rate over consumers, each
//! weighing as its exposure up to the median; the thirds are weighted as the candidate's consumers are
//! (direct standardisation). Only days on which both versions were in use count. What else differs between the
//! consumers is not known: both bounds are moved outward by a factor of 1.5, an allowance and not an estimate
//! (in the sense of Rosenbaum, *Observational Studies*, 2002, ch. 4).

use crate::boundary::Look;
use crate::compare::{Comparison, Evidence};
use crate::panel::{Cell, Panel, sides};
use crate::types::Method;

/// What consumers may differ by for reasons that are not the version's.
const ALLOWANCE: f64 = 1.5;
/// Consumers on each side below which nothing is said.
const LEAST_CONSUMERS: usize = 10;

struct Member {
    volume: f64,
    candidate: bool,
    exposure: f64,
    rate: f64,
}

/// Compares consumers of like volume; none where there are too few.
pub(crate) fn compare<'a>(panel: &Panel) -> Option<Evidence<'a>> {
    let members = members(panel);
    let on = |candidate: bool| members.iter().filter(|m| m.candidate == candidate).count();
    let least = on(true).min(on(false));
    if least < LEAST_CONSUMERS {
        return None;
    }
    let ends = thirds(members.iter().map(|m| m.volume).collect());
    let cap = middle(members.iter().map(|m| m.exposure).collect());
    let (mut means, mut squares) = ([0.0; 2], [0.0; 2]);
    let of_third =
        |third: usize, candidate: bool| members.iter().filter(move |m| m.candidate == candidate && place(ends, m.volume) == third);
    let weight = |m: &Member| m.exposure.min(cap);
    let all: f64 = members.iter().filter(|m| m.candidate).map(weight).sum();
    for third in 0..3 {
        let share = of_third(third, true).map(weight).sum::<f64>() / all;
        for (side, candidate) in [(0, false), (1, true)] {
            let sum: f64 = of_third(third, candidate).map(weight).sum();
            if share > 0.0 && sum <= 0.0 {
                return None;
            }
            let mean = of_third(third, candidate).map(|m| weight(m) * m.rate).sum::<f64>() / sum.max(f64::MIN_POSITIVE);
            means[side] += share * mean;
            squares[side] += of_third(third, candidate).map(|m| (share * weight(m) * (m.rate - mean) / sum).powi(2)).sum::<f64>();
        }
    }
    if means[0] <= 0.0 || means[1] <= 0.0 {
        return None;
    }
    let estimate = (means[1] / means[0]).ln();
    let error = (squares[0] / means[0].powi(2) + squares[1] / means[1].powi(2)).sqrt();
    #[expect(clippy::cast_precision_loss, reason = "a number of consumers")]
    let effective = least as f64;
    let compared = members.len() as u64;
    let finish = move |look: Look| {
        let spread = look.with_freedom(effective - 1.0)? * error + ALLOWANCE.ln();
        Some(Comparison {
            estimate,
            low: estimate - spread,
            high: estimate + spread,
            method: Method::Stratified,
            compared,
            effective,
            outliers: Vec::new(),
        })
    };
    Some(Evidence::new((estimate, error, ALLOWANCE.ln()), finish))
}

/// Consumers with what they did on days on which both versions were in use.
fn members(panel: &Panel) -> Vec<Member> {
    let mut seen = vec![(false, false); panel.days];
    for cell in panel.iter().flat_map(|consumer| consumer.cells()) {
        let day = &mut seen[usize::from(cell.day)];
        *day = (day.0 || !cell.candidate, day.1 || cell.candidate);
    }
    let shared = |cell: &Cell| seen[usize::from(cell.day)] == (true, true);
    let mut members = Vec::new();
    for consumer in panel.iter() {
        let kept: Vec<Cell> = consumer.cells().filter(shared).collect();
        let (baseline, candidate) = sides(kept.iter().copied());
        for (side, is_candidate) in [(baseline, false), (candidate, true)] {
            if let Some(rate) = side.rate() {
                #[expect(clippy::cast_precision_loss, reason = "a number of days")]
                let days = kept.iter().filter(|c| c.candidate == is_candidate).count() as f64;
                members.push(Member { volume: side.exposure / days, candidate: is_candidate, exposure: side.exposure, rate });
            }
        }
    }
    members
}

fn thirds(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    (values[values.len() / 3], values[values.len() * 2 / 3])
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn place((first, second): (f64, f64), volume: f64) -> usize {
    usize::from(volume >= first) + usize::from(volume >= second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::Builder;

    fn panel(candidate_rate: f64) -> Panel {
        let mut panel = Builder::new(1);
        for i in 0..120u32 {
            let exposure = 100.0 * f64::from(1 + i % 12);
            let (candidate, rate) = if i < 60 { (true, candidate_rate) } else { (false, 0.05) };
            let count = exposure * rate * (1.0 + 0.2 * (f64::from(i % 5) - 2.0).signum());
            panel.push(i, [Cell { day: 0, candidate, exposure, count }]);
        }
        panel.build()
    }

    #[test]
    fn only_a_difference_beyond_the_allowance_is_told() {
        let look = Look::new(28, 28, 0.05);
        let same = compare(&panel(0.05)).unwrap().at(look).unwrap();
        assert!(same.low < -ALLOWANCE.ln() && same.high > ALLOWANCE.ln(), "{same:?}");
        let small = compare(&panel(0.07)).unwrap().at(look).unwrap();
        assert!(small.low < 0.0, "a factor of 1.4 may be who they are: {small:?}");
        assert!(compare(&panel(0.2)).unwrap().at(look).unwrap().low > 0.0);
    }

    #[test]
    fn a_few_consumers_tell_nothing() {
        assert!(compare(&panel(0.2).filter(|id, _| !(9..111).contains(&id))).is_none());
    }
}
