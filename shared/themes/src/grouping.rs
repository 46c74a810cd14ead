//! The memory of one API: its themes and candidates, and how a new piece finds its place among them.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use crate::features::Features;
use crate::id::ThemeId;
use crate::sought::{Sought, SoughtTerm};

/// How many themes, how large, and how alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Themes and candidates in memory.
    pub themes: usize,
    /// Words kept of a theme.
    pub words: usize,
    /// A piece joins a theme of several from this similarity on.
    pub join: f32,
    /// It makes a theme with another single piece from this similarity on.
    pub pair: f32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { themes: 2000, words: 64, join: 0.24, pair: 0.27 }
    }
}

/// Themes compared exactly, of those that share words with a piece.
const COMPARED: usize = 16;
/// Places looked at to find them, those of the rarest words first: common words tell no theme from others, but still count where both have them.
const LOOKED_AT: usize = 2000;
/// One in so many places of the memory is for candidates, even where themes could fill all.
const CANDIDATES: usize = 4;
/// Share of the memory forgotten at once, so that the oldest need not be looked for every time.
const FORGOTTEN: usize = 16;

/// A word of a theme.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Word {
    /// Hash of its stems.
    pub key: u32,
    /// The sum over the pieces of the theme.
    pub sum: f32,
    /// As it was written first.
    pub text: String,
}

/// A theme, or the candidate for one while it has a single piece.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Theme {
    /// Its id.
    pub id: ThemeId,
    /// Pieces that were put here.
    pub pieces: u64,
    /// When the last one was put here, in pieces of the API.
    pub touched: u64,
    /// Whether pieces can still join it. It is stored for ever, for its name.
    pub active: bool,
    /// How long its words are together, weighed by how rare they were when the last piece was put here.
    pub length: f32,
    /// Its words, by key.
    pub words: Vec<Word>,
}

/// Where a piece belongs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placed {
    /// The theme.
    pub theme: ThemeId,
    /// How alike it is, 0 to 1; 1 for the piece that founded the theme.
    pub similarity: f32,
    /// Whether it founded the theme.
    pub founded: bool,
}

/// What has to be stored of a grouping since it was stored last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Row<'a> {
    /// Put this theme at this number.
    Put(u32, &'a Theme),
    /// The candidate at this number is forgotten.
    Forget(u32),
}

/// The themes of one API.
#[derive(Debug, Default)]
pub struct Grouping {
    limits: Limits,
    themes: BTreeMap<u32, Theme>,
    /// Word to the numbers of the themes that have it.
    having: HashMap<u32, Vec<u32>>,
    next: u32,
    pieces: u64,
    changed: BTreeSet<u32>,
    forgotten: BTreeSet<u32>,
    /// Themes that left the memory since the last store.
    retired: BTreeMap<u32, Theme>,
}

impl Grouping {
    /// An empty memory.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// The memory as it was stored: the active themes at their numbers, how many numbers were given and how many pieces taken.
    #[must_use]
    pub fn restored(limits: Limits, themes: BTreeMap<u32, Theme>, (next, pieces): (u32, u64)) -> Self {
        let mut grouping = Self { limits, next, pieces, ..Self::default() };
        for (number, theme) in &themes {
            theme.words.iter().for_each(|word| grouping.having.entry(word.key).or_default().push(*number));
        }
        grouping.themes = themes;
        grouping
    }

    /// How many numbers were given and how many pieces taken: stored beside the rows.
    #[must_use]
    pub fn counters(&self) -> (u32, u64) {
        (self.next, self.pieces)
    }

    /// The themes and candidates in memory.
    pub fn themes(&self) -> impl Iterator<Item = &Theme> {
        self.themes.values()
    }

    /// How many themes and candidates are in memory.
    #[must_use]
    pub fn len(&self) -> usize {
        self.themes.len()
    }

    /// Whether nothing is in memory.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.themes.is_empty()
    }

    /// Bytes of memory it takes, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let word = size_of::<Word>() + 16 + size_of::<u32>() * 2;
        self.themes.values().map(|t| size_of::<Theme>() + t.words.len() * word).sum::<usize>() + self.having.len() * 56
    }

    /// Puts a piece beside those it resembles most. None where it has no words.
    pub fn place(&mut self, identity: u128, features: &Features) -> Option<Placed> {
        if features.is_empty() {
            return None;
        }
        self.pieces += 1;
        let found = self.closest(features);
        let placed = match found {
            Some((number, similarity)) => self.join(number, features, similarity)?,
            None => self.found(ThemeId::of_founder(identity), features),
        };
        self.forget_oldest();
        Some(placed)
    }

    /// The themes that a text resembles most, best first, whether or not it would join them.
    #[must_use]
    pub fn resembling(&self, features: &Features, most: usize) -> Vec<(&Theme, f32)> {
        let scored = self.scored(features).into_iter().take(most);
        scored.filter_map(|(number, score)| Some((self.themes.get(&number)?, score))).collect()
    }

    /// What changed since [`Self::stored`].
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let put = self.changed.iter().filter_map(|number| Some(Row::Put(*number, self.themes.get(number)?)));
        let retired = self.retired.iter().map(|(number, theme)| Row::Put(*number, theme));
        put.chain(retired).chain(self.forgotten.iter().map(|number| Row::Forget(*number)))
    }

    /// Whether there is something to store.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        !self.changed.is_empty() || !self.forgotten.is_empty() || !self.retired.is_empty()
    }

    /// What changed is stored now.
    pub fn stored(&mut self) {
        self.changed.clear();
        self.forgotten.clear();
        self.retired.clear();
    }

    fn closest(&self, features: &Features) -> Option<(u32, f32)> {
        self.scored(features).into_iter().find(|(number, score)| {
            let single = self.themes.get(number).is_some_and(|t| t.pieces <= 1);
            *score >= if single { self.limits.pair } else { self.limits.join }
        })
    }

    /// Numbers and similarities, best first; equals by number.
    fn scored(&self, features: &Features) -> Vec<(u32, f32)> {
        let terms = features.terms.iter().map(|t| (t.key, t.weight, self.rarity(t.key)));
        let sought = Sought::new(terms);
        let exact = |number| (number, self.themes.get(&number).map_or(0.0, |theme| sought.cosine(theme)));
        let mut scored: Vec<(u32, f32)> = self.most_shared(&sought).map(exact).collect();
        scored.sort_unstable_by(best_first);
        scored
    }

    /// The themes that share most with a text, by its rarest words.
    fn most_shared(&self, sought: &Sought) -> impl Iterator<Item = u32> + use<> {
        let having = |term: &SoughtTerm| Some((self.having.get(&term.key)?.as_slice(), term.weight));
        let mut found: Vec<(&[u32], f32)> = sought.terms.iter().filter_map(having).collect();
        // Stable, so that equals stay in the order of the text.
        found.sort_by_key(|(having, _)| having.len());
        let all: usize = found.iter().map(|(having, _)| having.len()).sum();
        let mut shared: HashMap<u32, f32> = HashMap::with_capacity(all.min(LOOKED_AT).min(self.themes.len()));
        let mut looked_at = 0;
        for (having, weight) in found {
            looked_at += having.len();
            if looked_at > LOOKED_AT {
                break;
            }
            having.iter().for_each(|number| *shared.entry(*number).or_default() += weight * weight);
        }
        let mut first: Vec<(u32, f32)> = shared.into_iter().collect();
        if first.len() > COMPARED {
            first.select_nth_unstable_by(COMPARED, best_first);
            first.truncate(COMPARED);
        }
        first.into_iter().map(|(number, _)| number)
    }

    /// Notes how long the words of a theme are together.
    fn measure(&mut self, number: u32) {
        let Some(theme) = self.themes.get(&number) else { return };
        let length = theme.words.iter().map(|w| (w.sum * self.rarity(w.key)).powi(2)).sum::<f32>().sqrt();
        if let Some(theme) = self.themes.get_mut(&number) {
            theme.length = length;
        }
    }

    /// 1 for a word that no theme has, towards 0 for one that all have.
    fn rarity(&self, key: u32) -> f32 {
        let having = self.having.get(&key).map_or(0, Vec::len) as f32;
        let all = self.themes.len() as f32 + BEFORE;
        (all / (1.0 + having)).ln().max(0.0) / all.ln()
    }

    fn join(&mut self, number: u32, features: &Features, similarity: f32) -> Option<Placed> {
        let theme = self.themes.get_mut(&number)?;
        theme.pieces += 1;
        theme.touched = self.pieces;
        let length = length_of(features);
        for term in &features.terms {
            match theme.words.binary_search_by_key(&term.key, |w| w.key) {
                Ok(at) => theme.words[at].sum += term.weight / length,
                Err(at) => {
                    theme.words.insert(at, Word { key: term.key, sum: term.weight / length, text: term.text.clone() });
                    now_has(&mut self.having, term.key, number);
                }
            }
        }
        let id = theme.id;
        self.shorten(number);
        self.measure(number);
        self.changed.insert(number);
        Some(Placed { theme: id, similarity, founded: false })
    }

    fn found(&mut self, id: ThemeId, features: &Features) -> Placed {
        let number = self.next;
        self.next += 1;
        let length = length_of(features);
        let mut words: Vec<Word> =
            features.terms.iter().map(|t| Word { key: t.key, sum: t.weight / length, text: t.text.clone() }).collect();
        words.sort_unstable_by_key(|w| w.key);
        words.iter().for_each(|word| now_has(&mut self.having, word.key, number));
        self.themes.insert(number, Theme { id, pieces: 1, touched: self.pieces, active: true, length: 0.0, words });
        self.shorten(number);
        self.measure(number);
        self.changed.insert(number);
        Placed { theme: id, similarity: 1.0, founded: true }
    }

    /// Keeps the words that tell a theme from others, once it has twice as many as it may.
    fn shorten(&mut self, number: u32) {
        let most = self.limits.words;
        let Some(theme) = self.themes.get(&number).filter(|t| t.words.len() > 2 * most) else { return };
        let mut order: Vec<(f32, u32)> = theme.words.iter().map(|w| (w.sum * self.rarity(w.key), w.key)).collect();
        order.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let lost: BTreeSet<u32> = order.into_iter().skip(most).map(|(_, key)| key).collect();
        lost.iter().for_each(|key| self.no_longer(*key, number));
        if let Some(theme) = self.themes.get_mut(&number) {
            theme.words.retain(|w| !lost.contains(&w.key));
        }
    }

    fn no_longer(&mut self, key: u32, number: u32) {
        if let Some(having) = self.having.get_mut(&key) {
            if let Ok(at) = having.binary_search(&number) {
                having.remove(at);
            }
            if having.is_empty() {
                self.having.remove(&key);
            }
        }
    }

    /// While candidates have more than their share of the memory they go first, those met longest ago; else the smallest themes do,
    /// so that there is always room for something new.
    fn forget_oldest(&mut self) {
        if self.themes.len() <= self.limits.themes {
            return;
        }
        let candidates = self.themes.values().filter(|t| t.pieces <= 1).count();
        let only_candidates = candidates > (self.limits.themes / CANDIDATES).max(1);
        let leaving = self.themes.iter().filter(|(_, t)| (t.pieces <= 1) == only_candidates);
        let mut order: Vec<(u64, u64, u32)> = leaving.map(|(number, t)| (t.pieces, t.touched, *number)).collect();
        order.sort_unstable();
        for (pieces, _, number) in order.into_iter().take((self.limits.themes / FORGOTTEN).max(1)) {
            let Some(mut theme) = self.themes.remove(&number) else { continue };
            theme.words.iter().for_each(|word| self.no_longer(word.key, number));
            // What has become a theme stays stored, with its words and its name; only no piece joins it any more.
            self.changed.remove(&number);
            if pieces <= 1 {
                self.forgotten.insert(number);
            } else {
                theme.active = false;
                self.retired.insert(number, theme);
            }
        }
    }
}

fn best_first(a: &(u32, f32), b: &(u32, f32)) -> Ordering {
    b.1.total_cmp(&a.1).then(a.0.cmp(&b.0))
}

/// Notes that a theme has a word. The numbers are kept in order, so that one is found again among thousands.
fn now_has(having: &mut HashMap<u32, Vec<u32>>, key: u32, number: u32) {
    let having = having.entry(key).or_default();
    if let Err(at) = having.binary_search(&number) {
        having.insert(at, number);
    }
}

/// Themes thought to be there before the first: rarity then means something from the start.
const BEFORE: f32 = 50.0;

fn length_of(features: &Features) -> f32 {
    features.terms.iter().map(|t| t.weight * t.weight).sum::<f32>().sqrt().max(f32::MIN_POSITIVE)
}

#[cfg(test)]
#[path = "grouping_tests.rs"]
mod tests;
