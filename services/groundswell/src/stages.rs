//! Whether what was published before some moment has passed every stage, while more is published all the time.

use groundswell_runtime::status::{Lag, Status};

/// From the source topics to the answers.
const STAGES: usize = 3;

/// The way of what had been published at a moment. Each look that finds a stage passed sets new marks for the next one.
#[derive(Debug)]
pub struct Stages {
    marks: Status,
    passed: usize,
}

impl Stages {
    /// Everything published before this status was asked for.
    pub fn of(now: Status) -> Self {
        Self { marks: now, passed: 0 }
    }

    /// Whether all of it is searchable by now.
    pub fn are_passed(&mut self, now: &Status) -> bool {
        if now.caught_up {
            return true;
        }
        if passed(&self.marks, now) {
            self.passed += 1;
            self.marks = now.clone();
        }
        self.passed >= STAGES
    }
}

/// Whether every group has worked off what there was at an earlier look.
fn passed(marks: &Status, now: &Status) -> bool {
    marks.lag.iter().all(|mark| {
        let same = |lag: &&Lag| (&lag.group, &lag.topic, lag.partition) == (&mark.group, &mark.topic, mark.partition);
        now.lag.iter().find(same).is_none_or(|lag| lag.waiting == 0 || lag.committed >= mark.high)
    })
}

#[cfg(test)]
pub mod tests {
    use groundswell_runtime::FreshnessReport;

    use super::*;

    /// A status with `(committed, high)` of each partition.
    pub fn status(lag: &[(u64, u64)]) -> Status {
        let lag = (0..).zip(lag).map(|(partition, (committed, high))| Lag {
            group: "index".into(),
            topic: "insights".into(),
            partition,
            committed: *committed,
            high: *high,
            waiting: high - committed,
        });
        let lag: Vec<Lag> = lag.collect();
        Status {
            caught_up: lag.iter().all(|lag| lag.waiting == 0),
            lag,
            freshness: FreshnessReport::default(),
            version: "0".into(),
            transport: "kafka".into(),
        }
    }

    #[test]
    fn what_was_there_is_worked_off_while_more_comes() {
        let marks = status(&[(5, 10), (7, 7)]);
        assert!(!passed(&marks, &status(&[(9, 30), (7, 8)])));
        assert!(passed(&marks, &status(&[(10, 30), (7, 8)])));
    }

    #[test]
    fn every_stage_has_its_own_marks_and_nothing_waiting_is_all_of_them() {
        let mut stages = Stages::of(status(&[(5, 10)]));
        let looks = [(10, 30), (29, 40), (30, 50), (50, 60)].map(|at| stages.are_passed(&status(&[at])));
        assert_eq!(looks, [false, false, false, true]);
        assert!(Stages::of(status(&[(5, 10)])).are_passed(&status(&[(60, 60)])));
    }
}
