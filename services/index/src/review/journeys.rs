//! Who came when, and who went back: what first calls and milestones say about a review's consumers.

use groundswell_model::{Day, MilestoneKind, Timestamp};
use groundswell_review::input::{Start, Upgrade, Window};
use hashbrown::HashMap;

use crate::rollup::{ConsumerTotals, RollupError, RollupView, VersionId};

/// Whoever was there in the first days of what is recorded may have been there long before: nobody can tell a newcomer then.
const BEGINNING_DAYS: i32 = 7;
/// A newcomer has settled after so many days, whatever it does (see `groundswell_review`).
const SETTLED_DAYS: i32 = 14;

/// The first day of each consumer on any version of the API, where it matters to a window. `each` is told what it did on each version, ever.
pub(super) fn newcomers(
    view: &RollupView,
    versions: &[VersionId],
    window: Window,
    mut each: impl FnMut(VersionId, u32, &ConsumerTotals),
) -> Result<Vec<(u32, Day)>, RollupError> {
    let mut first: Vec<Option<Day>> = Vec::new();
    let mut recorded = None;
    for version in versions {
        view.consumers(*version, |consumer, totals| {
            each(*version, consumer, &totals);
            let place = consumer as usize;
            if place >= first.len() {
                first.resize(place + 1, None);
            }
            let day = totals.first.day();
            first[place] = Some(first[place].map_or(day, |known| known.min(day)));
        })?;
        recorded = [recorded, view.totals(*version)?.first.map(Timestamp::day)].into_iter().flatten().min();
    }
    let recorded = recorded.map_or(i32::MIN, |day| day.0);
    let new = |day: &Day| day.0 >= recorded.saturating_add(BEGINNING_DAYS) && day.0.saturating_add(SETTLED_DAYS) > window.from.0;
    Ok((0u32..).zip(first).filter_map(|(consumer, day)| Some((consumer, day.filter(new)?))).collect())
}

/// A consumer's way to its first success, if it began in the window. A success after the window is not known in it.
pub(super) fn start(totals: &ConsumerTotals, window: Window) -> Option<Start> {
    let first_call = totals.first.day();
    let seconds = |success: Timestamp| u64::try_from(success.0.saturating_sub(totals.first.0) / 1000).unwrap_or(0);
    let success = totals.first_success.filter(|success| *success < window.until.start());
    (window.from <= first_call && first_call < window.until).then(|| Start { first_call, seconds_to_success: success.map(seconds) })
}

/// Who moved from the baseline to the candidate in the window. A move is regretted if the consumer called an older version
/// again later and the candidate no more: `last` tells its last day on the candidate in the window.
pub(super) fn upgrades(
    view: &RollupView,
    (candidate, baseline): (VersionId, VersionId),
    versions: &[VersionId],
    window: Window,
    last: impl Fn(u32) -> Option<Day>,
) -> Result<HashMap<u32, Upgrade>, RollupError> {
    let within = |time: Timestamp| window.from.start() <= time && time < window.until.start();
    let mut moved: HashMap<u32, (Timestamp, bool)> = HashMap::new();
    view.milestones(candidate, MilestoneKind::Upgrade, |consumer, note| {
        if within(note.time) && RollupView::came_from(&note) == Some(baseline) {
            moved.insert(consumer, (note.time, false));
        }
    })?;
    for version in versions.iter().filter(|version| **version != candidate) {
        view.milestones(*version, MilestoneKind::Downgrade, |consumer, note| {
            if within(note.time)
                && RollupView::came_from(&note) == Some(candidate)
                && let Some((time, regretted)) = moved.get_mut(&consumer)
            {
                *regretted |= note.time >= *time && last(consumer).is_none_or(|day| day <= note.time.day());
            }
        })?;
    }
    Ok(moved.into_iter().map(|(consumer, (time, regretted))| (consumer, Upgrade { day: time.day(), regretted })).collect())
}
