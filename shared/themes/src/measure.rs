//! How well groups agree with the truth.

use std::collections::BTreeMap;
use std::hash::Hash;

use hashbrown::HashMap;

/// Agreement of groups with classes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Agreement {
    /// 1 where every group has members of one class only.
    pub homogeneity: f64,
    /// 1 where every class is in one group.
    pub completeness: f64,
    /// The harmonic mean of both (v-measure).
    pub v: f64,
    /// The share of members that are of the most frequent class of their group.
    pub purity: f64,
}

impl Agreement {
    /// The agreement of pairs of class and group.
    #[must_use]
    pub fn of<C: Eq + Hash + Copy, G: Eq + Hash + Copy>(pairs: &[(C, G)]) -> Self {
        let (mut classes, mut groups, mut both) = (HashMap::new(), HashMap::new(), HashMap::new());
        for (class, group) in pairs {
            *classes.entry(*class).or_insert(0u64) += 1;
            *groups.entry(*group).or_insert(0u64) += 1;
            *both.entry((*class, *group)).or_insert(0u64) += 1;
        }
        let all = pairs.len().max(1) as f64;
        let entropy = |counts: &mut dyn Iterator<Item = u64>| {
            // In the order of their sizes, so that the sum has the same last digits every time.
            let mut sizes: BTreeMap<u64, f64> = BTreeMap::new();
            counts.for_each(|n| *sizes.entry(n).or_default() += 1.0);
            -sizes.iter().map(|(n, times)| times * (*n as f64 / all) * (*n as f64 / all).ln()).sum::<f64>()
        };
        let of_classes = entropy(&mut classes.values().copied());
        let of_groups = entropy(&mut groups.values().copied());
        let of_both = entropy(&mut both.values().copied());
        // What one says when the other is known, as a share of what it says by itself.
        let known = |own: f64, given: f64| if own > 0.0 { 1.0 - (of_both - given).max(0.0) / own } else { 1.0 };
        let (homogeneity, completeness) = (known(of_classes, of_groups), known(of_groups, of_classes));
        let sum = homogeneity + completeness;
        let mut best: HashMap<G, u64> = HashMap::new();
        both.iter().for_each(|((_, group), n)| {
            let most = best.entry(*group).or_insert(0);
            *most = (*most).max(*n);
        });
        Self {
            homogeneity,
            completeness,
            v: if sum > 0.0 { 2.0 * homogeneity * completeness / sum } else { 0.0 },
            purity: best.values().sum::<u64>() as f64 / all,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_of_other_implementations() {
        // scikit-learn: v_measure_score([0, 0, 1, 1], [0, 0, 1, 2]) is 0.8, homogeneity 1, completeness 2/3.
        let pairs = [(0, 0), (0, 0), (1, 1), (1, 2)];
        let a = Agreement::of(&pairs);
        assert!((a.v - 0.8).abs() < 1e-12 && (a.homogeneity - 1.0).abs() < 1e-12 && (a.completeness - 2.0 / 3.0).abs() < 1e-12);
        assert!((a.purity - 1.0).abs() < 1e-12);
        // All in one group.
        let one = Agreement::of(&[(0, 0), (0, 0), (1, 0), (1, 0)]);
        assert_eq!((one.v, one.purity), (0.0, 0.5));
        assert_eq!(Agreement::of::<u8, u8>(&[]).purity, 0.0);
    }
}
