//! What themes are called, read from the last commit.

use std::collections::BTreeMap;

use groundswell_themes::{Theme, ThemeId, name};

use super::book::optional;
use super::tables::{APIS, THEMES, decode};
use crate::rollup::{RollupError, RollupReader};

/// A theme as the grouping knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// What it is called, made of its most telling words.
    pub name: String,
    /// The theme, with its words.
    pub theme: Theme,
}

/// The themes of one API, by the id that the field `theme` of the search index has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Names(pub BTreeMap<ThemeId, Stored>);

impl Names {
    /// Reads the themes of an API from the stores of the partition that holds it; none where it has none.
    ///
    /// # Errors
    /// The store can't be read.
    pub fn read(store: &RollupReader, api: &str) -> Result<Self, RollupError> {
        let themes = store.read(|tx| {
            let (Some(apis), Some(themes)) = (optional(tx.open_table(APIS))?, optional(tx.open_table(THEMES))?) else {
                return Ok(Vec::new());
            };
            let Some(number) = apis.get(api)?.map(|n| n.value()) else { return Ok(Vec::new()) };
            let mut all = Vec::new();
            for row in themes.range((number, 0)..=(number, u32::MAX))? {
                all.push(decode(row?.1.value())?);
            }
            Ok(all)
        })?;
        let names = name::all(&themes);
        Ok(Self(themes.into_iter().zip(names).map(|(theme, name)| (theme.id, Stored { name, theme })).collect()))
    }

    /// What a theme is called; its id where it has no name.
    #[must_use]
    pub fn name(&self, id: ThemeId) -> String {
        self.0.get(&id).map_or_else(|| id.to_string(), |stored| stored.name.clone())
    }
}
