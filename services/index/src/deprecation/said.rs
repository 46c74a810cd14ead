//! Open feedback about migrating.

use groundswell_model::Day;
use hashbrown::HashSet;

use super::types::Migrating;
use crate::review::ReadError;
use crate::search::{Snapshot, Wanted, each_told};

/// Words by which people write about moving to another version. Tickets only, and those that are not closed.
const SEARCH: &str = "(migrat* OR upgrad* OR deprecat* OR sunset OR \"breaking change\") AND kind:ticket AND NOT status:closed AND NOT status:solved AND NOT status:resolved AND NOT status:done";
/// Older ones are not open any more, whatever their status says.
const DAYS: i32 = 180;
/// Quotes that are told.
const QUOTES: usize = 5;

pub(super) fn migrating(snapshot: &Snapshot, api: &str, until: Day, still_calls: impl Fn(&str) -> bool) -> Result<Migrating, ReadError> {
    let times = Some((Day(until.0.saturating_sub(DAYS)).start(), until.start()));
    let wanted = Wanted { query: Some(SEARCH), times, rules: None };
    let mut migrating = Migrating { search: SEARCH.to_owned(), ..Migrating::default() };
    // A piece that is about several versions is found in each of them.
    let (mut met, mut consumers, mut found) = (HashSet::new(), HashSet::new(), Vec::new());
    for index in snapshot.versions.iter().filter(|v| v.api == api) {
        each_told(index, wanted, |said, address| {
            if !met.insert((said.time, said.tie)) {
                return;
            }
            migrating.open_of_api += 1;
            if !said.consumer.is_empty() && still_calls(said.consumer) {
                migrating.open += 1;
                consumers.insert(said.consumer.to_owned());
                found.push((said.time, said.tie, index.clone(), address));
            }
        })?;
    }
    migrating.consumers = consumers.len() as u64;
    found.sort_by_key(|(time, tie, _, _)| std::cmp::Reverse((*time, *tie)));
    for (_, _, index, address) in found.into_iter().take(QUOTES) {
        migrating.quotes.push(crate::summary::quote(&crate::search::quote_of(&index, "search", "migrating", address)?));
    }
    Ok(migrating)
}
