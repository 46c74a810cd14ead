//! False discovery control over many themes or operations.

/// For each p-value whether it is a discovery when the expected share of false ones among them is held below `rate`.
///
/// Benjamini and Hochberg, *JRSS B* 57 (1995) 289–300, which holds for independent or positively dependent tests; with
/// `any_dependence` Benjamini and Yekutieli, *Annals of Statistics* 29 (2001) 1165–1188, which holds always and finds less.
/// What is not a number is no discovery.
#[must_use]
pub fn discoveries(p_values: &[f64], rate: f64, any_dependence: bool) -> Vec<bool> {
    adjusted(p_values, any_dependence).into_iter().map(|p| p <= rate).collect()
}

/// The p-values adjusted for all of them: each is the least rate at which it is a discovery.
#[must_use]
pub fn adjusted(p_values: &[f64], any_dependence: bool) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).filter(|i| !p_values[*i].is_nan()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]).then(a.cmp(b)));
    let real = |n: usize| crate::prepare::real(n as u64);
    let tests = real(order.len());
    let penalty = if any_dependence { (1..=order.len()).map(|k| 1.0 / real(k)).sum() } else { 1.0 };
    let (mut least, mut adjusted) = (1.0f64, vec![f64::NAN; p_values.len()]);
    for (rank, place) in order.iter().enumerate().rev() {
        least = least.min(penalty * tests * p_values[*place] / real(rank + 1));
        adjusted[*place] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The fifteen p-values of Benjamini and Hochberg's own example: four discoveries at 5 %.
    #[test]
    fn the_published_example() {
        let p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0];
        assert_eq!(discoveries(&p, 0.05, false).iter().filter(|d| **d).count(), 4);
        assert_eq!(discoveries(&p, 0.05, true).iter().filter(|d| **d).count(), 3);
    }

    proptest! {
        /// The definition: the greatest k with p₍ₖ₎ ≤ k·rate/m, and all below it.
        #[test]
        fn discoveries_are_those_up_to_the_last_below_the_line(p in proptest::collection::vec(0.0f64..1.0, 0..40), rate in 0.01f64..0.3) {
            let mut sorted = p.clone();
            sorted.sort_by(f64::total_cmp);
            let line = |k: usize| rate * (k + 1) as f64 / sorted.len() as f64;
            let last = (0..sorted.len()).rev().find(|k| sorted[*k] <= line(*k));
            let found = discoveries(&p, rate, false);
            prop_assert_eq!(found.iter().filter(|d| **d).count(), last.map_or(0, |k| k + 1));
        }
    }
}
