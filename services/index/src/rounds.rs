//! When what is worked in is committed. A round is several polls: while more comes, it is worked in, and the memory of a batch stays
//! small; a commit writes every changed block and a segment of every changed version, so a backlog wants few of them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use groundswell_bus::{Budget, Offset, Part};

/// Bytes of frames in a round at most.
const ROUND_BYTES: usize = 16 * 1024 * 1024;
/// Bytes of frames read at once.
const READ_BYTES: usize = 2 * 1024 * 1024;
/// How long a round of a backlog may last.
const LINGER_BEHIND: Duration = Duration::from_secs(2);
/// How long nothing may come before a round ends early. The service before takes up to a second for a step of a backlog.
const PAUSE: Duration = Duration::from_secs(1);
/// How long one poll gathers at most.
const READ_LINGER: Duration = Duration::from_millis(10);
/// How long to wait for insights before looking at commands and the stop flag.
const WAIT: Duration = Duration::from_millis(100);

/// The rules by which rounds begin and end.
pub(crate) struct Rounds {
    /// What a whole round may take in.
    budget: Budget,
}

/// What is worked in and not committed yet.
pub(crate) struct Open {
    pub(crate) began: Instant,
    until: Instant,
    bytes: usize,
    /// Behind what is worked in of each partition.
    pub(crate) positions: BTreeMap<Part, Offset>,
}

impl Rounds {
    /// Rounds of fresh insights last `linger`.
    pub(crate) fn new(linger: Duration) -> Self {
        let linger_behind = LINGER_BEHIND.max(linger);
        Self { budget: Budget { records: usize::MAX, bytes: ROUND_BYTES, wait: WAIT, linger, linger_behind } }
    }

    /// A round whose first events have waited for `age` since they were published.
    pub(crate) fn open(&self, age: Duration, now: Instant) -> Open {
        Open { began: now, until: now + self.budget.linger_for(age), bytes: 0, positions: BTreeMap::new() }
    }

    /// What the next poll may bring. One that brings nothing ends the round.
    pub(crate) fn poll(&self, round: Option<&Open>, now: Instant) -> Budget {
        let wait = round.map_or(WAIT, |round| round.until.saturating_duration_since(now).min(PAUSE));
        let linger = READ_LINGER.min(wait);
        Budget { bytes: READ_BYTES, wait, linger, linger_behind: linger, ..self.budget }
    }
}

impl Open {
    /// So much was worked in, up to these positions.
    pub(crate) fn took_in(&mut self, bytes: usize, positions: BTreeMap<Part, Offset>) {
        self.bytes += bytes;
        self.positions.extend(positions);
    }

    /// Whether it is time to commit.
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        self.bytes >= ROUND_BYTES || now >= self.until
    }

    /// What is left of the round without a partition that is somebody else's now; none if that was all.
    pub(crate) fn without(mut self, partition: u32) -> Option<Self> {
        self.positions.retain(|part, _| part.partition != partition);
        (!self.positions.is_empty()).then_some(self)
    }
}

#[cfg(test)]
mod tests {
    use groundswell_bus::Topic;

    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn fresh_insights_are_committed_soon_and_a_backlog_in_large_rounds() {
        let (rounds, now) = (Rounds::new(MS(50)), Instant::now());
        let fresh = rounds.open(MS(3), now);
        assert!(!fresh.is_over(now + MS(49)) && fresh.is_over(now + MS(50)));
        let mut behind = rounds.open(MS(60_000), now);
        assert!(!behind.is_over(now + MS(1_999)) && behind.is_over(now + MS(2_000)));
        behind.took_in(ROUND_BYTES, BTreeMap::new());
        assert!(behind.is_over(now));
    }

    #[test]
    fn a_poll_waits_no_longer_than_its_round_may_and_less_where_nothing_comes() {
        let (rounds, now) = (Rounds::new(MS(50)), Instant::now());
        assert_eq!(rounds.poll(None, now).wait, WAIT);
        let fresh = rounds.open(MS(0), now);
        assert_eq!(rounds.poll(Some(&fresh), now + MS(20)).wait, MS(30));
        let behind = rounds.open(MS(60_000), now);
        assert_eq!(rounds.poll(Some(&behind), now).wait, PAUSE);
    }

    #[test]
    fn what_went_to_another_member_is_not_committed() {
        let part = |partition| Part { topic: Topic::Insights, partition };
        let mut round = Rounds::new(MS(50)).open(MS(0), Instant::now());
        round.took_in(1, BTreeMap::from([(part(0), Offset(5)), (part(1), Offset(7))]));
        round.took_in(1, BTreeMap::from([(part(0), Offset(9))]));
        let left = round.without(1).unwrap();
        assert_eq!(left.positions, BTreeMap::from([(part(0), Offset(9))]));
        assert!(left.without(0).is_none());
    }
}
