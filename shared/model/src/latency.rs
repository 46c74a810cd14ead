//! A mergeable latency distribution: counts in logarithmic buckets.

use serde::{Deserialize, Serialize};

/// Ratio of neighbouring bucket bounds: a quantile is at most 1 % off.
const GAMMA: f64 = 1.02;
/// Latencies below this many milliseconds share the lowest bucket.
const LOWEST_MS: f64 = 0.01;
/// Latencies above this many milliseconds (a day) share the highest bucket.
const HIGHEST_MS: f64 = 86_400_000.0;

/// Counts of latencies in milliseconds, in buckets `(γ^(i−1), γ^i]` with γ = 1.02, sparse and sorted by `i`.
///
/// The mapping is DDSketch's (Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch",
/// VLDB 2019) with a relative accuracy of 1 %. Merging is addition, so the order of merging does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LatencyBuckets(Vec<(i16, u64)>);

impl LatencyBuckets {
    /// Counts `count` calls of `ms` milliseconds. What is not a number is not counted.
    pub fn add(&mut self, ms: f64, count: u64) {
        if ms.is_nan() || count == 0 {
            return;
        }
        self.add_bucket(bucket_of(ms), count);
    }

    fn add_bucket(&mut self, bucket: i16, count: u64) {
        match self.0.binary_search_by_key(&bucket, |(b, _)| *b) {
            Ok(at) => self.0[at].1 = self.0[at].1.saturating_add(count),
            Err(at) => self.0.insert(at, (bucket, count)),
        }
    }

    /// Adds all counts of `other`.
    pub fn merge(&mut self, other: &Self) {
        if let [(bucket, count)] = other.0.as_slice() {
            return self.add_bucket(*bucket, *count);
        }
        if self.0.is_empty() {
            return self.0.clone_from(&other.0);
        }
        // From the back into the room behind our own buckets: no list is copied, and nothing is moved twice.
        let (mut ours, mut theirs) = (self.0.len(), other.0.len());
        let mut at = ours + self.missing(other);
        self.0.resize(at, (0, 0));
        while let Some((bucket, count)) = theirs.checked_sub(1).and_then(|i| other.0.get(i)).copied() {
            at -= 1;
            match ours.checked_sub(1).map(|i| self.0[i]) {
                Some(own) if own.0 > bucket => (self.0[at], ours) = (own, ours - 1),
                Some(own) if own.0 == bucket => {
                    self.0[at] = (bucket, own.1.saturating_add(count));
                    (ours, theirs) = (ours - 1, theirs - 1);
                }
                _ => (self.0[at], theirs) = ((bucket, count), theirs - 1),
            }
        }
    }

    /// How many buckets of `other` are not ours.
    fn missing(&self, other: &Self) -> usize {
        let mut ours = self.0.iter().map(|(bucket, _)| *bucket).peekable();
        let is_missing = |bucket: i16| {
            while ours.next_if(|own| *own < bucket).is_some() {}
            ours.peek() != Some(&bucket)
        };
        other.0.iter().map(|(bucket, _)| *bucket).map(is_missing).filter(|missing| *missing).count()
    }

    /// How many calls are counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.iter().map(|(_, c)| c).sum()
    }

    /// The latency in milliseconds below which the share `q` (0 to 1) of the calls lies; none without calls.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let total = self.count();
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank within the count")]
        let rank = ((q.clamp(0.0, 1.0) * (total.saturating_sub(1)) as f64).floor() as u64).min(total.checked_sub(1)?);
        let mut seen = 0;
        self.0.iter().find_map(|(bucket, count)| {
            seen += count;
            (seen > rank).then(|| middle_of(*bucket))
        })
    }

    /// The buckets, sorted.
    #[must_use]
    pub fn buckets(&self) -> &[(i16, u64)] {
        &self.0
    }
}

fn bucket_of(ms: f64) -> i16 {
    #[expect(clippy::cast_possible_truncation, reason = "clamped: ln(8.64e7)/ln(1.02) is below 1000")]
    let bucket = (ms.clamp(LOWEST_MS, HIGHEST_MS).ln() / GAMMA.ln()).ceil() as i16;
    bucket
}

fn middle_of(bucket: i16) -> f64 {
    2.0 * GAMMA.powi(i32::from(bucket)) / (GAMMA + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_quantile_is_within_one_percent(mut values in proptest::collection::vec(0.1f64..60_000.0, 1..200), q in 0.0f64..1.0) {
            let mut buckets = LatencyBuckets::default();
            values.iter().for_each(|v| buckets.add(*v, 1));
            values.sort_by(f64::total_cmp);
            let exact = values[(q * (values.len() - 1) as f64).floor() as usize];
            let got = buckets.quantile(q).unwrap_or(f64::NAN);
            prop_assert!((got - exact).abs() <= exact * 0.0101, "{got} for {exact}");
        }

        #[test]
        fn merging_is_counting_all(a in proptest::collection::vec(0.1f64..1e6, 0..50), b in proptest::collection::vec(0.1f64..1e6, 0..50)) {
            let of = |values: &[f64]| { let mut l = LatencyBuckets::default(); values.iter().for_each(|v| l.add(*v, 1)); l };
            let mut merged = of(&a);
            merged.merge(&of(&b));
            let all: Vec<f64> = a.iter().chain(&b).copied().collect();
            prop_assert_eq!(merged, of(&all));
        }
    }

    #[test]
    fn no_calls_have_no_quantile() {
        let mut buckets = LatencyBuckets::default();
        buckets.add(f64::NAN, 1);
        assert_eq!(buckets.quantile(0.5), None);
    }
}
