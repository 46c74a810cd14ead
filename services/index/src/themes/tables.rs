//! The tables of themes in the usage store.

use groundswell_themes::Theme;
use redb::TableDefinition;

use crate::rollup::Fault;

/// API to its number.
pub(super) const APIS: TableDefinition<'static, &str, u32> = TableDefinition::new("theme_apis");
/// Number of the API → numbers given to its themes, pieces taken.
pub(super) const COUNTERS: TableDefinition<'static, u32, (u32, u64)> = TableDefinition::new("theme_counters");
/// (number of the API, number of the theme) → the theme in postcard.
pub(super) const THEMES: TableDefinition<'static, (u32, u32), &[u8]> = TableDefinition::new("themes");
/// Identity of an insight → number of the API, id of the theme it was put in, sketch of its text.
pub(super) const MEMBERS: TableDefinition<'static, u128, (u32, u64, u64)> = TableDefinition::new("theme_members");

/// Reads a theme as a damaged disk might give it: for the fuzz targets.
#[cfg(feature = "fuzzing")]
pub fn fuzz(bytes: &[u8]) {
    drop(decode(bytes));
}

pub(super) fn decode(bytes: &[u8]) -> Result<Theme, Fault> {
    postcard::from_bytes(bytes).map_err(|e| Fault::Damaged { table: "themes".into(), why: e.to_string() })
}

pub(super) fn encode(theme: &Theme, into: &mut Vec<u8>) -> Result<(), Fault> {
    into.clear();
    *into = postcard::to_extend(theme, std::mem::take(into)).map_err(|e| Fault::Damaged { table: "themes".into(), why: e.to_string() })?;
    Ok(())
}
