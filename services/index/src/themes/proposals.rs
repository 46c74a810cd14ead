//! Proposals: what a grouping of the stored feedback at once would do otherwise.

use std::collections::BTreeMap;
use std::sync::Arc;

use groundswell_model::Timestamp;
use groundswell_themes::regroup::{Proposed, propose};
use groundswell_themes::{Features, Rules, ThemeId};
use hashbrown::HashSet;

use super::answer::{ThemesError, called};
use super::names::Names;
use super::types::{Proposal, Proposals};
use crate::handle::Stores;
use crate::search::{Place, VersionView, each_about, quoted, taken_by, telling_sentence};
use crate::summary::types::Checkpoint;

/// Pieces looked at, the newest: more take too long and too much memory for an answer.
const MOST_PIECES: usize = 5000;
/// Examples of a proposal.
const EXAMPLES: usize = 3;

/// A piece of feedback with the theme that it counts for.
struct Piece {
    time: Timestamp,
    tie: u64,
    theme: ThemeId,
    view: usize,
    place: Place,
}

/// What to merge and to split, with examples. Nothing is changed. `stores` are those of the partition that holds the API.
///
/// # Errors
/// A store can't be read.
pub fn proposals(stores: &Stores, rules: &Rules, api: &str, limit: usize) -> Result<Proposals, ThemesError> {
    let names = Names::read(&stores.usage, api)?;
    let snapshot = stores.search.snapshot();
    let views: Vec<Arc<VersionView>> = snapshot.versions.iter().filter(|v| v.api == api).cloned().collect();
    let pieces = newest(&views, rules)?;
    let mut texts = Vec::with_capacity(pieces.len());
    let mut features = Vec::with_capacity(pieces.len());
    for piece in &pieces {
        let (text, found) = quoted(&views[piece.view], piece.place, |insight| {
            let text = if insight.title.is_empty() { telling_sentence(insight.body, &[]) } else { insight.title.to_owned() };
            (text, Features::of(insight.title, insight.body))
        })?;
        texts.push(text);
        features.push((piece.theme, found));
    }
    let themes: BTreeMap<ThemeId, usize> = pieces.iter().fold(BTreeMap::new(), |mut all, piece| {
        *all.entry(piece.theme).or_default() += 1;
        all
    });
    let writing = Writing { api, rules, names: &names, texts: &texts };
    let found = propose(&features, &|theme| rules.is_pinned(theme) || rules.is_hidden(theme));
    let proposals = found.iter().take(limit).map(|proposed| writing.proposal(proposed)).collect();
    let checkpoint = Some(Checkpoint { partition: snapshot.partition, offset: snapshot.checkpoint.0 });
    let several = themes.values().filter(|n| **n > 1).count() as u64;
    Ok(Proposals { api: api.to_owned(), checkpoint, pieces: pieces.len() as u64, themes: several, proposals })
}

/// The newest pieces, each once, in an order that depends on nothing but them.
fn newest(views: &[Arc<VersionView>], rules: &Rules) -> Result<Vec<Piece>, ThemesError> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut met: HashSet<u64> = HashSet::new();
    for (view, index) in views.iter().enumerate() {
        let taken = taken_by(index, rules)?;
        each_about(index, None, |about| {
            let Ok(grouped) = about.theme.parse::<ThemeId>() else { return };
            if about.copies > 1 && !met.insert(about.tie) {
                return;
            }
            let theme = rules.resolve(grouped, &mut |split| taken.get(&split).is_some_and(|ties| ties.contains(&about.tie)));
            pieces.push(Piece { time: about.time, tie: about.tie, theme, view, place: about.place });
        })?;
    }
    pieces.sort_by_key(|piece| (std::cmp::Reverse(piece.time), piece.tie));
    pieces.truncate(MOST_PIECES);
    Ok(pieces)
}

/// Puts proposals into words.
struct Writing<'a> {
    api: &'a str,
    rules: &'a Rules,
    names: &'a Names,
    texts: &'a [String],
}

impl Writing<'_> {
    fn proposal(&self, proposed: &Proposed) -> Proposal {
        match proposed {
            Proposed::Merge { theme, into, alike, pieces } => Proposal {
                action: "merge".into(),
                theme: theme.to_string(),
                name: self.called(*theme),
                into: Some(into.to_string()),
                why: format!("its words keep the company of those of \u{201c}{}\u{201d} ({into}): {alike:.2} of 1", self.called(*into)),
                pieces: pieces.len() as u64,
                examples: self.examples(pieces),
                command: format!("groundswell themes {} merge {theme} {into}", quoted_for_a_shell(self.api)),
                ..Proposal::default()
            },
            Proposed::Split { theme, word, alike, part, found } => Proposal {
                action: "split".into(),
                theme: theme.to_string(),
                name: self.called(*theme),
                query: Some(word.clone()),
                new_name: Some(word.clone()),
                why: format!(
                    "{} of its pieces keep other company than the rest ({alike:.2} of 1); \u{201c}{word}\u{201d} finds {}, {} of them right",
                    part.len(),
                    found.len(),
                    found.iter().filter(|at| part.contains(at)).count()
                ),
                pieces: part.len() as u64,
                examples: self.examples(part),
                command: format!("groundswell themes {} split {theme} {word}", quoted_for_a_shell(self.api)),
                ..Proposal::default()
            },
        }
    }

    fn called(&self, theme: ThemeId) -> String {
        called(theme, self.rules, self.names)
    }

    fn examples(&self, pieces: &[usize]) -> Vec<String> {
        let mut examples: Vec<String> = Vec::new();
        for text in pieces.iter().filter_map(|at| self.texts.get(*at)) {
            if examples.len() < EXAMPLES && !examples.contains(text) {
                examples.push(text.clone());
            }
        }
        examples
    }
}

/// A name as one word of a command.
fn quoted_for_a_shell(name: &str) -> String {
    let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if plain { name.to_owned() } else { format!("'{}'", name.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_not_leave_its_word() {
        assert_eq!(quoted_for_a_shell("payments-2.0"), "payments-2.0");
        assert_eq!(quoted_for_a_shell("a b; rm"), "'a b; rm'");
        assert_eq!(quoted_for_a_shell("it's"), r"'it'\''s'");
    }
}
