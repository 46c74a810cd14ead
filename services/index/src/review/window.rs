//! Which days a review looks at, where nobody says so: told by the data, never by a clock.

use groundswell_model::Day;
use groundswell_review::input::Window;

use crate::rollup::Days;

/// Days before the candidate's first that tell what consumers were like.
const BEFORE: i32 = 28;
/// The longest window. What a review keeps in memory grows with it.
pub const LONGEST: i32 = 184;

/// What is known of the times of both versions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    /// The candidate's release, or its first call.
    pub(crate) candidate: Option<Day>,
    /// The first day with anything of either version.
    pub(crate) first: Option<Day>,
    /// The last one.
    pub(crate) last: Option<Day>,
}

/// A window that can't be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("since and until: a review looks at 1 to {LONGEST} days, not {0}")]
pub struct BadWindow(i64);

/// The days asked for; else up to the last with anything in it, from 28 days before the candidate's first, at most 184.
pub(crate) fn window(asked: Days, span: Span) -> Result<Window, BadWindow> {
    let last = span.last.or(span.candidate).map_or(Day(0), |day| Day(day.0.saturating_add(1)));
    let until = asked.until.or(asked.from.map(|from| last.max(Day(from.0.saturating_add(1))))).unwrap_or(last);
    let from = asked.from.unwrap_or_else(|| {
        let start = span.candidate.map_or(until.0, |day| day.0).saturating_sub(BEFORE);
        let earliest = span.first.map_or(start, |day| day.0).max(until.0.saturating_sub(LONGEST));
        Day(start.max(earliest).min(until.0.saturating_sub(1)))
    });
    let days = i64::from(until.0) - i64::from(from.0);
    if (1..=i64::from(LONGEST)).contains(&days) { Ok(Window { from, until }) } else { Err(BadWindow(days)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(from: Option<i32>, until: Option<i32>) -> Result<(i32, i32), BadWindow> {
        let span = Span { candidate: Some(Day(1000)), first: Some(Day(600)), last: Some(Day(1019)) };
        window(Days { from: from.map(Day), until: until.map(Day) }, span).map(|w| (w.from.0, w.until.0))
    }

    #[test]
    fn the_data_tells_what_nobody_asked_for() {
        assert_eq!(of(None, None), Ok((972, 1020)));
        assert_eq!(of(None, Some(1010)), Ok((972, 1010)), "as it was looked at then");
        assert_eq!(of(Some(990), None), Ok((990, 1020)));
        assert_eq!(of(Some(2000), None), Ok((2000, 2001)), "nothing in it, which the review says");
    }

    #[test]
    fn a_long_life_is_cut_to_its_newest_days_and_a_short_one_is_taken_whole() {
        let span = Span { candidate: Some(Day(100)), first: Some(Day(90)), last: Some(Day(999)) };
        assert_eq!(window(Days::default(), span), Ok(Window { from: Day(1000 - LONGEST), until: Day(1000) }));
        let young = Span { last: Some(Day(101)), ..span };
        assert_eq!(window(Days::default(), young), Ok(Window { from: Day(90), until: Day(102) }));
    }

    #[test]
    fn what_is_too_long_or_turned_round_is_refused() {
        assert_eq!(of(Some(800), Some(1000)), Err(BadWindow(200)));
        assert!(of(Some(1000), Some(990)).unwrap_err().to_string().contains("1 to 184"));
    }
}
