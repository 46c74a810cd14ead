//! What a grouping of all pieces at once would do otherwise: proposals for people, never a change.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::{HashMap, HashSet};

use crate::batch::{Groups, group};
use crate::features::Features;
use crate::id::ThemeId;
use crate::latent::scale;

/// Themes with fewer pieces are not looked at.
const FEWEST: usize = 3;
/// How alike the middles of two themes are that may be one.
const ALIKE: f32 = 0.8;
/// The share of a theme that lies in one group, for a merge.
const MOST_OF_IT: f64 = 0.6;
/// The share of a theme that a part must have, and its fewest pieces.
const PART: f64 = 0.25;
/// How alike two parts of a theme may be and still be two subjects.
const APART: f32 = 0.5;
/// Pieces of the part that the word of a split must find, and the share of the part among what it finds.
const FINDS: f64 = 0.6;
const RIGHT: f64 = 0.8;
/// Groups made at most.
const MOST_GROUPS: usize = 200;

/// A change that people may make.
#[derive(Clone, Debug, PartialEq)]
pub enum Proposed {
    /// Two themes seem to be one.
    Merge {
        /// The smaller.
        theme: ThemeId,
        /// The larger.
        into: ThemeId,
        /// How alike their middles are, 0 to 1.
        alike: f32,
        /// Pieces of the smaller.
        pieces: Vec<usize>,
    },
    /// A theme seems to be two.
    Split {
        /// The theme.
        theme: ThemeId,
        /// A word that finds the part.
        word: String,
        /// How alike the part and the rest are, −1 to 1.
        alike: f32,
        /// Pieces of the part.
        part: Vec<usize>,
        /// Pieces that the word finds.
        found: Vec<usize>,
    },
}

/// Proposals for pieces with their themes, those about most pieces first. Themes that are `fixed` are left as they are.
#[must_use]
pub fn propose(pieces: &[(ThemeId, Features)], fixed: &dyn Fn(ThemeId) -> bool) -> Vec<Proposed> {
    let mut themes: BTreeMap<ThemeId, Vec<usize>> = BTreeMap::new();
    for (at, (theme, _)) in pieces.iter().enumerate() {
        themes.entry(*theme).or_default().push(at);
    }
    themes.retain(|theme, members| members.len() >= FEWEST && !fixed(*theme));
    if themes.is_empty() {
        return Vec::new();
    }
    let texts: Vec<Features> = pieces.iter().map(|(_, features)| features.clone()).collect();
    // What lies together in fewer groups than there are themes may be one; what lies apart in more of them may be two.
    let fewer = group(&texts, (themes.len() * 3 / 4).clamp(2, MOST_GROUPS), 1);
    let mut proposed = merges(&themes, &fewer);
    let more = group(&texts, (themes.len() * 3 / 2 + 1).clamp(2, MOST_GROUPS), 2);
    proposed.extend(themes.iter().filter_map(|(theme, members)| split(*theme, members, &texts, &more)));
    proposed.sort_by_key(|p| std::cmp::Reverse(size(p)));
    proposed
}

fn size(proposed: &Proposed) -> usize {
    match proposed {
        Proposed::Merge { pieces, .. } => pieces.len(),
        Proposed::Split { part, .. } => part.len(),
    }
}

fn merges(themes: &BTreeMap<ThemeId, Vec<usize>>, groups: &Groups) -> Vec<Proposed> {
    let middles: BTreeMap<ThemeId, Vec<f32>> = themes.iter().map(|(theme, members)| (*theme, middle(members, groups))).collect();
    let mut by_group: BTreeMap<usize, Vec<ThemeId>> = BTreeMap::new();
    for (theme, members) in themes {
        if let Some((group, share)) = parts(members, groups).first().map(|(g, part)| (*g, part.len() as f64 / members.len() as f64))
            && share >= MOST_OF_IT
        {
            by_group.entry(group).or_default().push(*theme);
        }
    }
    let mut proposed = Vec::new();
    for mut like in by_group.into_values() {
        like.sort_by_key(|theme| std::cmp::Reverse(themes.get(theme).map_or(0, Vec::len)));
        let Some((into, others)) = like.split_first() else { continue };
        for theme in others {
            let (Some(a), Some(b)) = (middles.get(theme), middles.get(into)) else { continue };
            let alike = dot(a, b);
            if alike >= ALIKE {
                proposed.push(Proposed::Merge {
                    theme: *theme,
                    into: *into,
                    alike,
                    pieces: themes.get(theme).cloned().unwrap_or_default(),
                });
            }
        }
    }
    proposed
}

/// The groups that the members are in, with their members, the largest first.
fn parts(members: &[usize], groups: &Groups) -> Vec<(usize, Vec<usize>)> {
    let mut by_group: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    members.iter().for_each(|at| by_group.entry(groups.assigned[*at]).or_default().push(*at));
    let mut parts: Vec<_> = by_group.into_iter().collect();
    parts.sort_by_key(|(group, part)| (std::cmp::Reverse(part.len()), *group));
    parts
}

/// The second largest part of a theme, or all but its largest, if they are apart from the rest and a word finds them.
fn split(theme: ThemeId, members: &[usize], texts: &[Features], groups: &Groups) -> Option<Proposed> {
    let parts = parts(members, groups);
    let second = parts.get(1)?.1.clone();
    let others: Vec<usize> = parts.iter().skip(1).flat_map(|(_, part)| part).copied().collect();
    [second, others].into_iter().find_map(|part| {
        if part.len() < FEWEST || (part.len() as f64) < PART * members.len() as f64 {
            return None;
        }
        let inside: BTreeSet<usize> = part.iter().copied().collect();
        let rest: Vec<usize> = members.iter().copied().filter(|at| !inside.contains(at)).collect();
        let alike = dot(&middle(&part, groups), &middle(&rest, groups));
        let (word, found) = (alike < APART).then(|| telling_word(&inside, members, texts)).flatten()?;
        Some(Proposed::Split { theme, word, alike, part, found })
    })
}

/// The word that finds most of a part and little else of the theme, with what it finds.
fn telling_word(inside: &BTreeSet<usize>, members: &[usize], texts: &[Features]) -> Option<(String, Vec<usize>)> {
    let mut having: HashMap<u32, (String, Vec<usize>)> = HashMap::new();
    for at in members {
        let mut met = HashSet::new();
        for term in texts[*at].terms.iter().filter(|t| !t.text.contains(' ') && t.text.chars().all(char::is_alphanumeric)) {
            if met.insert(term.key) {
                having.entry(term.key).or_insert_with(|| (term.text.clone(), Vec::new())).1.push(*at);
            }
        }
    }
    let mut best: Option<(f64, String, Vec<usize>)> = None;
    for (word, found) in having.into_values() {
        let right = found.iter().filter(|at| inside.contains(at)).count() as f64;
        let (recall, precision) = (right / inside.len() as f64, right / found.len() as f64);
        let score = 2.0 * recall * precision / (recall + precision).max(f64::MIN_POSITIVE);
        let better = best.as_ref().is_none_or(|(most, before, _)| score > *most || (score >= *most && word < *before));
        if recall >= FINDS && precision >= RIGHT && better {
            best = Some((score, word, found));
        }
    }
    best.map(|(_, word, found)| (word, found))
}

fn middle(members: &[usize], groups: &Groups) -> Vec<f32> {
    let mut middle = vec![0.0; groups.places.first().map_or(0, Vec::len)];
    for at in members {
        middle.iter_mut().zip(&groups.places[*at]).for_each(|(m, p)| *m += p);
    }
    scale(&mut middle);
    middle
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFUND: [&str; 4] = ["refund answers 409 conflict", "refund conflict again", "conflict when a refund is sent", "409 on refund"];
    const EXPORT: [&str; 4] = ["csv export of invoices", "export spreadsheet of invoices", "spreadsheet csv wanted", "export as csv"];
    const LOGIN: [&str; 4] = ["login token expired", "token expired at login", "login asks for token", "expired token"];

    fn pieces(themes: &[(u128, &[&str])]) -> Vec<(ThemeId, Features)> {
        let of = |(theme, texts): &(u128, &[&str])| {
            let theme = ThemeId::of_founder(*theme);
            texts.iter().map(move |text| (theme, Features::of(text, ""))).collect::<Vec<_>>()
        };
        themes.iter().flat_map(of).collect()
    }

    fn none(_: ThemeId) -> bool {
        false
    }

    #[test]
    fn two_themes_of_one_subject_are_proposed_as_one() {
        let refund: Vec<&str> = REFUND.iter().chain(&REFUND).copied().collect();
        let all = pieces(&[(1, &refund), (2, &REFUND), (3, &EXPORT), (4, &LOGIN)]);
        let proposed = propose(&all, &none);
        let (small, large) = (ThemeId::of_founder(2), ThemeId::of_founder(1));
        let merged = |p: &Proposed| matches!(p, Proposed::Merge { theme, into, .. } if *theme == small && *into == large);
        assert!(proposed.iter().any(merged), "{proposed:?}");
        assert!(propose(&all, &|theme| theme == small).iter().all(|p| !merged(p)), "a fixed theme is left as it is");
    }

    #[test]
    fn a_theme_of_two_subjects_is_proposed_as_two() {
        let mixed: Vec<&str> = REFUND.iter().chain(&EXPORT).copied().collect();
        let all = pieces(&[(1, &mixed), (2, &LOGIN)]);
        let proposed = propose(&all, &none);
        let split = proposed.iter().find_map(|p| match p {
            Proposed::Split { theme, word, part, .. } => Some((*theme, word.clone(), part.len())),
            Proposed::Merge { .. } => None,
        });
        let (theme, word, part) = split.unwrap_or_else(|| panic!("{proposed:?}"));
        assert_eq!((theme, part), (ThemeId::of_founder(1), 4));
        assert!(["refund", "export", "csv", "conflict"].contains(&word.as_str()), "{word}");
    }

    #[test]
    fn few_pieces_make_no_proposals() {
        assert!(propose(&[], &none).is_empty());
        assert!(propose(&pieces(&[(1, &["refund"]), (2, &["export"])]), &none).is_empty());
    }
}
