//! What `tail` asks for, and what it has shown of that.
//!
//! Partitions commit at different times, so what was received earlier can become searchable later. The window therefore begins before
//! everything that may still come: it moves on only when what had been published at some look has passed every stage, and then to the
//! newest that had been received at that look. Inside of it identities tell what was shown.

use std::collections::HashMap;

use groundswell_model::{IdentityHash, Timestamp};
use groundswell_runtime::status::Status;

use crate::stages::Stages;

/// How far clocks of different machines may be apart.
const OVERLAP_MS: i64 = 30_000;
/// Identities remembered: some 40 bytes each.
const REMEMBERED: usize = 500_000;

/// A stretch of time, and what of it was shown.
#[derive(Debug, Default)]
pub struct Window {
    /// Everything received before is searchable and was shown; none until that is known.
    from: Option<Timestamp>,
    newest: Option<Timestamp>,
    shown: HashMap<IdentityHash, Timestamp>,
    /// The newest that had been received at a look, and the way of what had been published by then.
    under_way: Option<(Option<Timestamp>, Stages)>,
}

/// Where the window begins once the look is done; none where it stays.
#[derive(Debug)]
pub struct Next(Option<Timestamp>);

impl Window {
    /// Begins near this hit: what was received long before it is not asked for.
    pub fn begin(&mut self, received: Timestamp) {
        self.from = Some(received.plus_ms(-OVERLAP_MS));
    }

    /// Received since when to ask for.
    pub fn from(&self) -> Option<Timestamp> {
        self.from
    }

    /// A look begins; `status` was asked for before the search will be.
    pub fn asked(&mut self, status: Status) -> Next {
        let newest = self.newest;
        let caught_up = status.caught_up;
        let next = match &mut self.under_way {
            _ if caught_up => newest,
            Some((at, stages)) => {
                if !stages.are_passed(&status) {
                    return Next(None);
                }
                *at
            }
            None => None,
        };
        self.under_way = (!caught_up).then(|| (newest, Stages::of(status)));
        Next(next)
    }

    /// Whether this was not shown before.
    pub fn is_new(&mut self, identity: IdentityHash, received: Timestamp) -> bool {
        self.newest = self.newest.max(Some(received));
        self.shown.insert(identity, received).is_none()
    }

    /// Everything that the look found was shown. Where more came at once than is remembered, the answer is from when on it still is.
    pub fn shown(&mut self, next: Next) -> Option<Timestamp> {
        if let Some(at) = next.0 {
            self.move_on(at.plus_ms(-OVERLAP_MS));
        }
        if self.shown.len() <= REMEMBERED {
            return None;
        }
        let mut received: Vec<Timestamp> = self.shown.values().copied().collect();
        let middle = received.len() / 2;
        let at = *received.select_nth_unstable(middle).1;
        // Of many received in one millisecond all or none are remembered.
        self.move_on(at.plus_ms(1));
        Some(at.plus_ms(1))
    }

    fn move_on(&mut self, at: Timestamp) {
        let from = self.from.map_or(at, |from| from.max(at));
        self.from = Some(from);
        self.shown.retain(|_, received| *received >= from);
        self.shown.shrink_to(2 * self.shown.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stages::tests::status;

    const MINUTE: i64 = 60_000;

    fn id(n: u64) -> IdentityHash {
        IdentityHash::of("desk", &n.to_string())
    }

    fn found(window: &mut Window, n: u64, received: i64) -> bool {
        window.from().is_none_or(|from| Timestamp(received) >= from) && window.is_new(id(n), Timestamp(received))
    }

    #[test]
    fn what_was_received_earlier_and_becomes_searchable_later_is_shown_once() {
        let mut window = Window::default();
        let next = window.asked(status(&[(5, 10), (9, 9)]));
        // One partition is ten minutes behind the other.
        assert!(found(&mut window, 1, 20 * MINUTE));
        window.shown(next);
        for _ in 0..5 {
            // It does not get on, so nothing may be taken for complete.
            let next = window.asked(status(&[(5, 20), (12, 12)]));
            assert!(!found(&mut window, 1, 20 * MINUTE));
            window.shown(next);
        }
        let next = window.asked(status(&[(20, 20), (12, 12)]));
        assert!(found(&mut window, 2, 10 * MINUTE) && !found(&mut window, 1, 20 * MINUTE));
        window.shown(next);
        // Caught up at that look, and what was shown before is complete: the window has moved on.
        assert_eq!(window.from(), Some(Timestamp(20 * MINUTE - OVERLAP_MS)));
        assert!(!found(&mut window, 2, 10 * MINUTE));
    }

    #[test]
    fn under_a_steady_stream_the_window_moves_on_behind_what_has_passed_every_stage() {
        let mut window = Window::default();
        for look in 0..200_u64 {
            // Something always waits, and half a minute passes between two looks.
            let next = window.asked(status(&[(10 * look, 10 * look + 5)]));
            assert!(found(&mut window, look, look.cast_signed() * MINUTE / 2));
            assert_eq!(window.shown(next), None);
            assert!(window.shown.len() < 12, "{} are remembered at look {look}", window.shown.len());
        }
        assert!(window.from().unwrap() > Timestamp(90 * MINUTE));
    }

    #[test]
    fn a_look_that_failed_moves_nothing() {
        let mut window = Window::default();
        let next = window.asked(status(&[(1, 1)]));
        assert!(found(&mut window, 1, MINUTE));
        window.shown(next);
        let _failed = window.asked(status(&[(2, 2)]));
        assert_eq!(window.from(), None);
        assert!(!found(&mut window, 1, MINUTE), "it is remembered through the restart of a server");
    }

    #[test]
    fn memory_is_bounded_and_it_is_told_what_that_costs() {
        let mut window = Window::default();
        let next = window.asked(status(&[(1, 10)]));
        for n in 0..=REMEMBERED as u64 {
            window.is_new(id(n), Timestamp(n.cast_signed()));
        }
        let forgotten = window.shown(next).unwrap();
        assert_eq!(forgotten, Timestamp(REMEMBERED as i64 / 2 + 1));
        assert!(window.shown.len() <= REMEMBERED / 2 && window.from() == Some(forgotten));
        assert!(!found(&mut window, REMEMBERED as u64, REMEMBERED as i64));
    }
}
