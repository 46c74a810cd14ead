//! More like this: the feedback that resembles one piece most.
//!
//! The engine finds what shares the piece's telling words (BM25); the best of that are put in the order of the cosine of their words, where
//! rare words weigh more. `docs/themes.md` has what each of both is worth.

use std::sync::Arc;

use groundswell_model::{IdentityHash, Insight};
use groundswell_themes::{Features, Sketch, Term as Feature};
use hashbrown::HashMap;
use tantivy::Term;
use tantivy::query::{Bm25StatisticsProvider, BooleanQuery, BoostQuery, ConstScoreQuery, Occur, Query, TermQuery};
use tantivy::schema::IndexRecordOption;
use tantivy::tokenizer::TextAnalyzer;

use super::error::SearchError;
use super::schema::FIELDS;
use super::snapshot::Snapshot;
use super::words::{self, words_of};

/// Pieces whose words are compared one by one.
pub(super) const COMPARED: usize = 100;
/// Words of the piece that the engine looks for.
const SOUGHT: usize = 40;
/// A word in the title finds as much as so many in the body.
const TITLE: f32 = 2.0;
/// Places at which `SOURCE/ID` is tried to be cut: both may hold slashes.
const MOST_CUTS: usize = 32;

/// The piece that others are compared with.
pub(super) struct Liked {
    pub(super) api: String,
    identity: u128,
    words: Vec<Feature>,
    sketch: Sketch,
}

/// How much a piece resembles another.
pub(super) struct Likeness {
    /// 0 to 1.
    pub(super) score: f32,
    /// Whether both say almost the same.
    pub(super) near: bool,
}

/// Finds the piece with this `SOURCE/ID`.
pub(super) fn find(snapshots: &[Arc<Snapshot>], like: &str) -> Result<Liked, SearchError> {
    for (at, _) in like.rmatch_indices('/').take(MOST_CUTS) {
        let identity = IdentityHash::of(&like[..at], &like[at + 1..]).0;
        for view in snapshots.iter().flat_map(|s| &s.versions) {
            if let Some(address) = view.address_of(identity)? {
                return view.with_insight(address, |insight| Liked::of(insight));
            }
        }
    }
    let what =
        format!("like: there is no feedback {:?}; write SOURCE/ID as a search shows them", like.chars().take(200).collect::<String>());
    Err(SearchError::Request(what))
}

impl Liked {
    fn of(insight: &Insight<'_>) -> Self {
        let features = Features::of(insight.title, insight.body);
        let sketch = features.sketch;
        Self { api: insight.api.to_owned(), identity: insight.identity.0, words: single(features), sketch }
    }
}

/// The words without the pairs: pairs of rare words would drown what two tellings of one thing have in common.
fn single(features: Features) -> Vec<Feature> {
    features.terms.into_iter().filter(|t| !t.text.contains(' ')).collect()
}

/// Compares pieces by the words that are rare in what is searched.
pub(super) struct Likening<'a> {
    liked: Liked,
    statistics: &'a dyn Bm25StatisticsProvider,
    analyzer: TextAnalyzer,
    /// Stem to how rare it is.
    rarity: HashMap<u32, f32>,
    pieces: f32,
}

impl<'a> Likening<'a> {
    pub(super) fn new(liked: Liked, statistics: &'a dyn Bm25StatisticsProvider) -> Result<Self, SearchError> {
        let pieces = statistics.total_num_docs()? as f32;
        Ok(Self { liked, statistics, analyzer: words::analyzer(), rarity: HashMap::new(), pieces })
    }

    /// What shares telling words with the piece, among what `within` finds, without the piece itself.
    pub(super) fn query(&mut self, within: Box<dyn Query>) -> Result<Box<dyn Query>, SearchError> {
        let words = self.liked.words.clone();
        let mut telling = Vec::with_capacity(words.len());
        for word in &words {
            telling.push((word.weight * self.rarity(word)?, word));
        }
        telling.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.text.cmp(&b.1.text)));
        let mut any: Vec<(Occur, Box<dyn Query>)> = Vec::new();
        for (_, word) in telling.into_iter().take(SOUGHT) {
            for text in self.index_words(&word.text) {
                for (field, boost) in [(FIELDS.title, TITLE), (FIELDS.body, 1.0)] {
                    let query = TermQuery::new(Term::from_field_text(field, &text), IndexRecordOption::WithFreqs);
                    any.push((Occur::Should, Box::new(BoostQuery::new(Box::new(query), boost * word.weight))));
                }
            }
        }
        let itself = TermQuery::new(Term::from_field_bytes(FIELDS.identity, &self.liked.identity.to_be_bytes()), IndexRecordOption::Basic);
        Ok(Box::new(BooleanQuery::new(vec![
            (Occur::Must, Box::new(ConstScoreQuery::new(within, 0.0))),
            (Occur::Must, Box::new(BooleanQuery::new(any))),
            (Occur::MustNot, Box::new(itself)),
        ])))
    }

    /// How much a piece resembles the one that is liked.
    pub(super) fn compare(&mut self, title: &str, body: &str) -> Result<Likeness, SearchError> {
        let features = Features::of(title, body);
        let near = self.liked.sketch.is_near(features.sketch);
        let (mine, its) = (self.weighed(&self.liked.words.clone())?, self.weighed(&single(features))?);
        let length = |words: &HashMap<u32, f32>| words.values().map(|w| w * w).sum::<f32>().sqrt();
        let dot: f32 = mine.iter().filter_map(|(key, w)| Some(w * its.get(key)?)).sum();
        let lengths = length(&mine) * length(&its);
        Ok(Likeness { score: if lengths > 0.0 { dot / lengths } else { 0.0 }, near })
    }

    fn weighed(&mut self, words: &[Feature]) -> Result<HashMap<u32, f32>, SearchError> {
        words.iter().map(|word| Ok((word.key, word.weight * self.rarity(word)?))).collect()
    }

    /// How rare a word is, asked once for all words of its stem.
    fn rarity(&mut self, word: &Feature) -> Result<f32, SearchError> {
        if let Some(known) = self.rarity.get(&word.key) {
            return Ok(*known);
        }
        let mut having = 0u64;
        for text in self.index_words(&word.text) {
            let title = self.statistics.doc_freq(&Term::from_field_text(FIELDS.title, &text))?;
            having = having.max(title).max(self.statistics.doc_freq(&Term::from_field_text(FIELDS.body, &text))?);
        }
        let rarity = ((self.pieces + 1.0) / (having as f32 + 1.0)).ln().max(0.0);
        self.rarity.insert(word.key, rarity);
        Ok(rarity)
    }

    /// The word as the index has it.
    fn index_words(&mut self, word: &str) -> Vec<String> {
        words_of(&mut self.analyzer, word).into_iter().map(|w| w.text).take(1).collect()
    }
}
