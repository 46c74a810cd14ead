//! What people decided about themes, laid over what the grouping found: for what is stored and for what comes.
//!
//! Decisions are folded in the order of their times, whatever the order in which they arrive, so that every reader of the same decisions
//! has the same rules. A later decision stands before an earlier one.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::ThemeId;

/// Merges and splits followed one after the other at most.
const DEEPEST: usize = 32;

/// What was decided about a theme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// It is called so.
    Rename(String),
    /// It and the other are one, under the other.
    Merge(ThemeId),
    /// What the query finds, or these pieces, is a theme of its own.
    Split {
        /// Words, phrases, fields: as in a search. Empty where pieces are listed.
        query: String,
        /// `source` and `id` of pieces.
        feedback: Vec<(String, String)>,
        /// What the new theme is called.
        name: Option<String>,
    },
    /// It stays, whatever is proposed, and comes first.
    Pin,
    /// It may change again.
    Unpin,
    /// It is left out of lists.
    Hide,
    /// It is listed again.
    Show,
    /// Its place on the road map.
    Decide {
        /// `open`, `planned`, `declined` or `shipped`.
        status: String,
        /// The version that brings it.
        version: Option<String>,
        /// Why.
        note: Option<String>,
    },
}

/// A part that people split off a theme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// The id of the part.
    pub id: ThemeId,
    /// What it is split off.
    pub of: ThemeId,
    /// What finds its pieces; empty where they are listed.
    pub query: String,
    /// `source` and `id` of its pieces.
    pub feedback: Vec<(String, String)>,
}

/// The place of a theme on the road map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// `planned`, `declined` or `shipped`.
    pub status: String,
    /// The version that brings it.
    pub version: Option<String>,
    /// Why.
    pub note: Option<String>,
}

/// The pieces of a theme, in terms of what the grouping gave them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Members {
    /// Those that the grouping put in this theme.
    Grouped(ThemeId),
    /// All of these.
    Any(Vec<Members>),
    /// Those that this split takes.
    Taken(Box<Members>, Split),
    /// Those that none of these splits takes.
    Left(Box<Members>, Vec<Split>),
}

/// The rules of one API.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Time and identity of the event to what it decides.
    decisions: BTreeMap<(i64, u128), (ThemeId, What)>,
    names: BTreeMap<ThemeId, String>,
    into: BTreeMap<ThemeId, ThemeId>,
    splits: BTreeMap<ThemeId, Vec<Split>>,
    pinned: BTreeSet<ThemeId>,
    hidden: BTreeSet<ThemeId>,
    status: BTreeMap<ThemeId, Status>,
}

impl Rules {
    /// Takes a decision of this time, told by an event of this identity; told again it changes nothing.
    pub fn take(&mut self, time: i64, event: u128, theme: ThemeId, what: What) {
        let newest = self.decisions.last_key_value().is_none_or(|(last, _)| *last < (time, event));
        let known = self.decisions.insert((time, event), (theme, what.clone()));
        if newest && known.is_none() {
            self.fold(theme, what);
            return;
        }
        let decisions = std::mem::take(&mut self.decisions);
        *self = Self::default();
        decisions.values().cloned().for_each(|(theme, what)| self.fold(theme, what));
        self.decisions = decisions;
    }

    fn fold(&mut self, theme: ThemeId, what: What) {
        match what {
            What::Rename(name) => drop(self.names.insert(theme, name)),
            What::Merge(other) => self.merge(theme, other),
            What::Split { query, feedback, name } => self.split(theme, query, feedback, name),
            What::Pin => drop(self.pinned.insert(theme)),
            What::Unpin => drop(self.pinned.remove(&theme)),
            What::Hide => drop(self.hidden.insert(theme)),
            What::Show => drop(self.hidden.remove(&theme)),
            What::Decide { status, .. } if status == "open" => drop(self.status.remove(&theme)),
            What::Decide { status, version, note } => drop(self.status.insert(theme, Status { status, version, note })),
        }
    }

    fn merge(&mut self, theme: ThemeId, other: ThemeId) {
        if theme == other {
            return;
        }
        // What was merged the other way round before no longer is: else both would be gone.
        let mut at = other;
        for _ in 0..DEEPEST {
            match self.into.get(&at) {
                Some(next) if *next == theme => {
                    self.into.remove(&at);
                    break;
                }
                Some(next) => at = *next,
                None => break,
            }
        }
        self.into.insert(theme, other);
    }

    fn split(&mut self, of: ThemeId, query: String, feedback: Vec<(String, String)>, name: Option<String>) {
        let words = if feedback.is_empty() {
            query.clone()
        } else {
            feedback.iter().map(|(s, i)| format!("{s} {i}")).collect::<Vec<_>>().join(" ")
        };
        let id = of.of_split(&words);
        let splits = self.splits.entry(of).or_default();
        if !splits.iter().any(|s| s.id == id) {
            splits.push(Split { id, of, query, feedback });
        }
        if let Some(name) = name {
            self.names.insert(id, name);
        }
    }

    /// Whether nothing was decided.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.decisions.is_empty()
    }

    /// What a theme is called by people.
    #[must_use]
    pub fn name(&self, theme: ThemeId) -> Option<&str> {
        self.names.get(&theme).map(String::as_str)
    }

    /// Whether it is pinned.
    #[must_use]
    pub fn is_pinned(&self, theme: ThemeId) -> bool {
        self.pinned.contains(&theme)
    }

    /// Whether it is left out of lists.
    #[must_use]
    pub fn is_hidden(&self, theme: ThemeId) -> bool {
        self.hidden.contains(&theme)
    }

    /// Whether people said anything that keeps it as it is: a name, a pin, a place on the road map.
    #[must_use]
    pub fn is_kept(&self, theme: ThemeId) -> bool {
        self.is_pinned(theme) || self.names.contains_key(&theme) || self.status.contains_key(&theme)
    }

    /// Its place on the road map.
    #[must_use]
    pub fn status(&self, theme: ThemeId) -> Option<&Status> {
        self.status.get(&theme)
    }

    /// Every split.
    pub fn splits(&self) -> impl Iterator<Item = &Split> {
        self.splits.values().flatten()
    }

    /// The theme that a piece counts for, which the grouping put in `grouped`. `takes` tells whether a split takes the piece.
    pub fn resolve(&self, grouped: ThemeId, takes: &mut dyn FnMut(ThemeId) -> bool) -> ThemeId {
        let mut at = grouped;
        for _ in 0..DEEPEST {
            let split = self.splits.get(&at).and_then(|splits| splits.iter().find(|s| takes(s.id)));
            match split.map(|s| s.id).or_else(|| self.into.get(&at).copied()) {
                Some(next) => at = next,
                None => break,
            }
        }
        at
    }

    /// The theme that this one was merged into, or itself. Splits are not looked at.
    #[must_use]
    pub fn merged(&self, theme: ThemeId) -> ThemeId {
        let mut at = theme;
        for _ in 0..DEEPEST {
            match self.into.get(&at) {
                Some(next) => at = *next,
                None => break,
            }
        }
        at
    }

    /// The themes that were merged into this one, at any remove.
    #[must_use]
    pub fn merged_into(&self, theme: ThemeId) -> Vec<ThemeId> {
        self.into.keys().copied().filter(|from| *from != theme && self.merged(*from) == theme).collect()
    }

    /// The pieces that count for a theme.
    #[must_use]
    pub fn members(&self, theme: ThemeId) -> Members {
        self.left(theme, DEEPEST)
    }

    /// What comes to a theme and is not taken by its splits.
    fn left(&self, theme: ThemeId, deep: usize) -> Members {
        let all = self.coming(theme, deep);
        match self.splits.get(&theme) {
            Some(splits) => Members::Left(Box::new(all), splits.clone()),
            None => all,
        }
    }

    fn coming(&self, theme: ThemeId, deep: usize) -> Members {
        let mut any = vec![Members::Grouped(theme)];
        if deep > 0 {
            let merged = self.into.iter().filter(|(_, into)| **into == theme).map(|(from, _)| self.left(*from, deep - 1));
            any.extend(merged);
            for (of, splits) in &self.splits {
                let Some(at) = splits.iter().position(|s| s.id == theme) else { continue };
                let all = Box::new(self.coming(*of, deep - 1));
                // The first split that takes a piece has it.
                let all = if at > 0 { Box::new(Members::Left(all, splits[..at].to_vec())) } else { all };
                any.push(Members::Taken(all, splits[at].clone()));
            }
        }
        if any.len() == 1 { any.remove(0) } else { Members::Any(any) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(n: u128) -> ThemeId {
        ThemeId::of_founder(n)
    }

    fn none(_: ThemeId) -> bool {
        false
    }

    #[test]
    fn a_merge_is_followed_to_its_end_and_the_last_word_stands() {
        let mut rules = Rules::default();
        rules.take(1, 1, id(1), What::Merge(id(2)));
        rules.take(2, 2, id(2), What::Merge(id(3)));
        assert_eq!(rules.resolve(id(1), &mut none), id(3));
        assert_eq!(rules.merged_into(id(3)).len(), 2);
        // Merged the other way round, nothing disappears.
        rules.take(3, 3, id(3), What::Merge(id(1)));
        assert_eq!(rules.merged(id(3)), rules.merged(id(1)));
        assert!([id(1), id(2)].contains(&rules.merged(id(3))));
    }

    #[test]
    fn a_split_takes_what_it_finds_from_all_that_was_merged() {
        let mut rules = Rules::default();
        rules.take(1, 1, id(1), What::Merge(id(2)));
        rules.take(2, 2, id(2), What::Split { query: "partial".into(), feedback: vec![], name: Some("partial refunds".into()) });
        let part = id(2).of_split("partial");
        assert_eq!(rules.resolve(id(1), &mut |s| s == part), part);
        assert_eq!(rules.resolve(id(1), &mut none), id(2));
        assert_eq!(rules.name(part), Some("partial refunds"));
        assert!(matches!(rules.members(part), Members::Any(_)));
    }

    #[test]
    fn marks_are_set_and_taken_back() {
        let mut rules = Rules::default();
        let decide = |status: &str| What::Decide { status: status.into(), version: Some("v3".into()), note: None };
        rules.take(1, 1, id(1), What::Pin);
        rules.take(2, 2, id(1), What::Hide);
        rules.take(3, 3, id(1), decide("planned"));
        assert!(rules.is_pinned(id(1)) && rules.is_hidden(id(1)) && rules.is_kept(id(1)));
        assert_eq!(rules.status(id(1)).map(|s| s.status.as_str()), Some("planned"));
        rules.take(4, 4, id(1), What::Unpin);
        rules.take(5, 5, id(1), What::Show);
        rules.take(6, 6, id(1), decide("open"));
        assert!(!rules.is_kept(id(1)) && !rules.is_hidden(id(1)) && !rules.is_empty());
    }

    fn decision() -> impl Strategy<Value = (ThemeId, What)> {
        let theme = (0u128..5).prop_map(id);
        let what = prop_oneof![
            (0u128..5).prop_map(|n| What::Merge(id(n))),
            "[a-c]".prop_map(|query| What::Split { query, feedback: vec![], name: None }),
            Just(What::Pin),
            Just(What::Unpin),
            "[a-c]".prop_map(What::Rename),
        ];
        (theme, what)
    }

    fn holds(members: &Members, grouped: ThemeId, takes: &dyn Fn(ThemeId) -> bool) -> bool {
        match members {
            Members::Grouped(id) => *id == grouped,
            Members::Any(all) => all.iter().any(|m| holds(m, grouped, takes)),
            Members::Taken(all, split) => holds(all, grouped, takes) && takes(split.id),
            Members::Left(all, splits) => holds(all, grouped, takes) && !splits.iter().any(|s| takes(s.id)),
        }
    }

    proptest! {
        #[test]
        fn the_order_of_arrival_changes_nothing(decisions in prop::collection::vec(decision(), 0..8), seed: u64) {
            let mut forward = Rules::default();
            let mut shuffled = Rules::default();
            let mut order: Vec<usize> = (0..decisions.len()).collect();
            fastrand::Rng::with_seed(seed).shuffle(&mut order);
            let take = |rules: &mut Rules, at: usize| rules.take(at as i64, at as u128, decisions[at].0, decisions[at].1.clone());
            (0..decisions.len()).for_each(|at| take(&mut forward, at));
            order.iter().for_each(|at| take(&mut shuffled, *at));
            prop_assert_eq!((&forward.into, &forward.splits, &forward.names), (&shuffled.into, &shuffled.splits, &shuffled.names));
        }

        #[test]
        fn a_search_for_a_theme_finds_what_counts_for_it(decisions in prop::collection::vec(decision(), 0..6), taken in prop::collection::vec(any::<bool>(), 3)) {
            let mut rules = Rules::default();
            decisions.iter().enumerate().for_each(|(at, (theme, what))| rules.take(at as i64, at as u128, *theme, what.clone()));
            let takes = |split: ThemeId| (0u128..5).any(|n| ["a", "b", "c"].iter().zip(&taken).any(|(q, t)| *t && id(n).of_split(q) == split));
            let splits: Vec<ThemeId> = rules.splits().map(|s| s.id).collect();
            for grouped in (0u128..5).map(id) {
                let counted = rules.resolve(grouped, &mut |s| takes(s));
                for theme in (0u128..5).map(id).chain(splits.iter().copied()).filter(|t| rules.merged(*t) == *t) {
                    prop_assert_eq!(holds(&rules.members(theme), grouped, &takes), theme == counted, "{} {}", grouped, theme);
                }
            }
        }
    }
}
