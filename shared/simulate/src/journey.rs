//! How a consumer moves from version to version of one API.

use groundswell_model::Timestamp;

use crate::{company::Api, dice::Dice, plan::DAY_MS};

/// The most versions an API has.
pub(crate) const MOST_VERSIONS: usize = 3;

/// A consumer's way through the versions of one API.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Journey {
    /// When the consumer calls it first.
    pub(crate) begins: Timestamp,
    first: usize,
    moves: Vec<Move>,
}

/// All traffic moves to another version, bit by bit: both run in parallel meanwhile.
#[derive(Clone, Debug, PartialEq)]
struct Move {
    from: Timestamp,
    takes_ms: i64,
    to: usize,
}

/// Share of consumers that never move.
const NEVER: f64 = 0.24;
/// Share of moves that are taken back where the new version is worse for the consumer.
const REGRET_WORSE: f64 = 0.22;
/// Share of moves that are taken back otherwise.
const REGRET: f64 = 0.05;

impl Journey {
    /// Draws a journey. `behind` is the chance to start on the version before the newest, `pace` the median number of days from a release to the move.
    pub(crate) fn draw(dice: &mut Dice, api: &Api, begins: Timestamp, end: Timestamp, behind: f64, pace: f64) -> Self {
        let newest = api.newest(begins);
        let first = if newest > 0 && dice.chance(behind) { newest - 1 } else { newest };
        let mut journey = Self { begins, first, moves: Vec::new() };
        let mut at = first;
        for (v, version) in api.versions.iter().enumerate().skip(first + 1) {
            if dice.chance(NEVER) {
                continue;
            }
            let delay = if dice.chance(0.06) { dice.between(0.02, 1.0) } else { dice.lognormal(pace, 0.75) };
            let from = Timestamp(version.released.0.max(begins.0)).plus_ms((delay * DAY_MS as f64) as i64);
            if from >= end {
                break;
            }
            let takes_ms = if dice.chance(0.35) { 0 } else { (dice.exponential(3.5) * DAY_MS as f64) as i64 };
            journey.moves.push(Move { from, takes_ms, to: v });
            let worse = matches!((api.spec.name, v), ("payments" | "shipping", 1));
            if dice.chance(if worse { REGRET_WORSE } else { REGRET }) {
                let back = from.plus_ms(takes_ms + ((1.0 + dice.exponential(4.0)) * DAY_MS as f64) as i64);
                journey.moves.push(Move { from: back, takes_ms: 0, to: at });
                break;
            }
            at = v;
        }
        journey
    }

    /// A journey that moves to `to` at once at this time.
    pub(crate) fn fixed(begins: Timestamp, first: usize, from: Timestamp, to: usize) -> Self {
        Self { begins, first, moves: vec![Move { from, takes_ms: 0, to }] }
    }

    /// The share of the traffic on each version at this time; all zero before it begins.
    pub(crate) fn mix(&self, at: Timestamp) -> [f64; MOST_VERSIONS] {
        let mut mix = [0.0; MOST_VERSIONS];
        if at < self.begins {
            return mix;
        }
        mix[self.first] = 1.0;
        for step in self.moves.iter().filter(|m| m.from <= at) {
            let done = if step.takes_ms == 0 { 1.0 } else { ((at.0 - step.from.0) as f64 / step.takes_ms as f64).clamp(0.05, 1.0) };
            mix.iter_mut().for_each(|share| *share *= 1.0 - done);
            mix[step.to] += done;
        }
        mix
    }

    /// The version come back from, if the last move so far was one back.
    pub(crate) fn went_back_from(&self, at: Timestamp) -> Option<usize> {
        let done: Vec<&Move> = self.moves.iter().filter(|m| m.from <= at).collect();
        let (last, before) = (done.last()?, done.iter().rev().nth(1)?);
        (last.to < before.to).then_some(before.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_and_move_over_time() {
        let t = Timestamp;
        let journey = Journey {
            begins: t(0),
            first: 0,
            moves: vec![Move { from: t(100), takes_ms: 100, to: 1 }, Move { from: t(400), takes_ms: 0, to: 0 }],
        };
        assert_eq!(journey.mix(t(-1)), [0.0; 3]);
        assert_eq!(journey.mix(t(50)), [1.0, 0.0, 0.0]);
        assert_eq!(journey.mix(t(150)), [0.5, 0.5, 0.0]);
        assert_eq!(journey.mix(t(300)), [0.0, 1.0, 0.0]);
        assert_eq!(journey.mix(t(400)), [1.0, 0.0, 0.0]);
        assert_eq!((journey.went_back_from(t(300)), journey.went_back_from(t(400))), (None, Some(1)));
    }
}
