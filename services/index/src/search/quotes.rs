//! Telling feedback: a few sentences that stand for the most frequent labels, from different consumers.

use groundswell_model::insight::Label as InsightLabel;
use groundswell_model::{Insight, Timestamp};
use groundswell_text::classify::UNSURE;
use hashbrown::HashSet;
use tantivy::DocAddress;

use super::error::SearchError;
use super::snapshot::VersionView;

/// Candidates kept for each label: some drop out because their consumer has been quoted.
const CANDIDATES: usize = 4;
/// Bytes of text that say something without going on for ever.
const TELLING: std::ops::RangeInclusive<u64> = 60..=1200;
/// Shortest and longest quote, in characters.
const SHORTEST: usize = 20;
const LONGEST: usize = 280;

/// One telling piece of feedback.
#[derive(Clone, Debug, PartialEq)]
pub struct Quote {
    /// What it stands for: `type` or `aspect`.
    pub field: String,
    /// The label it stands for.
    pub label: String,
    /// CloudEvents `source`.
    pub source: String,
    /// CloudEvents `id`.
    pub id: String,
    /// When it happened.
    pub time: Timestamp,
    /// Title, redacted; empty for surveys.
    pub title: String,
    /// The sentence that tells most, redacted.
    pub text: String,
    /// Link back to the source.
    pub url: Option<String>,
    /// The consumer; empty if nobody is named.
    pub consumer: String,
    /// Its labels, as far as they are told: type, aspects, severity, sentiment.
    pub labels: Vec<String>,
    /// Survey kind and score.
    pub survey: Option<(String, f64)>,
}

/// How fit a document is to be quoted: telling length first, then newest, then by identity.
pub(super) type Quality = (bool, Timestamp, u64);

pub(super) fn quality(length: u64, time: Timestamp, tie: u64) -> Quality {
    (TELLING.contains(&length), time, tie)
}

/// A document that may be quoted.
pub(super) struct Candidate {
    pub(super) quality: Quality,
    pub(super) consumer: u64,
    pub(super) address: DocAddress,
}

/// A label and what may be quoted for it, best first.
pub(super) struct Label<'a> {
    pub(super) field: &'static str,
    pub(super) name: &'a str,
    pub(super) candidates: &'a [Candidate],
}

/// Keeps the best candidates, at most one of each named consumer.
pub(super) fn offer(candidates: &mut Vec<Candidate>, new: Candidate) {
    if candidates.len() == CANDIDATES && candidates.last().is_some_and(|worst| worst.quality >= new.quality) {
        return;
    }
    if let Some(same) = candidates.iter().position(|c| new.consumer != 0 && c.consumer == new.consumer) {
        if candidates[same].quality >= new.quality {
            return;
        }
        candidates.remove(same);
    }
    let at = candidates.partition_point(|c| c.quality > new.quality);
    candidates.insert(at, new);
    candidates.truncate(CANDIDATES);
}

/// One quote for each label, from different consumers while there are enough.
pub(super) fn choose(view: &VersionView, labels: &[Label<'_>]) -> Result<Vec<Quote>, SearchError> {
    let (mut quoted, mut heard) = (HashSet::new(), HashSet::new());
    let mut quotes = Vec::new();
    for label in labels {
        let unquoted = || label.candidates.iter().filter(|c| !quoted.contains(&c.address));
        let Some(best) = unquoted().find(|c| !heard.contains(&c.consumer)).or_else(|| unquoted().next()) else { continue };
        quotes.push(view.with_insight(best.address, |insight| quote(label, insight))?);
        if best.consumer != 0 {
            heard.insert(best.consumer);
        }
        quoted.insert(best.address);
    }
    Ok(quotes)
}

/// What one consumer said, standing for nothing but itself.
pub(super) fn of(i: &Insight<'_>) -> Quote {
    quote(&Label { field: "consumer", name: "", candidates: &[] }, i)
}

/// One piece as a quote that stands for something.
pub(crate) fn quote_of(view: &VersionView, field: &'static str, name: &str, address: DocAddress) -> Result<Quote, SearchError> {
    view.with_insight(address, |insight| quote(&Label { field, name, candidates: &[] }, insight))
}

fn quote(label: &Label<'_>, i: &Insight<'_>) -> Quote {
    let l = &i.labels;
    let because: Vec<&str> = std::iter::once(&l.kind).chain(&l.aspects).filter(|l| l.name == label.name).flat_map(because).collect();
    let text = if i.body.is_empty() { i.title } else { i.body };
    let labels = std::iter::once(&l.kind).chain(&l.aspects).chain([&l.severity, &l.sentiment]);
    Quote {
        field: label.field.to_owned(),
        label: label.name.to_owned(),
        source: i.source.to_owned(),
        id: i.id.to_owned(),
        time: i.time,
        title: i.title.to_owned(),
        text: telling_sentence(text, &because),
        url: i.url.map(str::to_owned),
        consumer: i.consumer.to_owned(),
        labels: labels.filter(|l| !l.name.is_empty() && l.name != UNSURE).map(|l| l.name.clone()).collect(),
        survey: i.survey.as_ref().map(|s| (s.kind.to_owned(), s.score)),
    }
}

fn because(label: &InsightLabel) -> impl Iterator<Item = &str> {
    label.because.iter().map(String::as_str)
}

/// The first of the sentences with the most of these words; cut where it is long, the next ones added while it is short.
#[must_use]
pub fn telling_sentence(text: &str, because: &[&str]) -> String {
    let sentences: Vec<&str> = text.split_inclusive(['.', '!', '?', '\n']).collect();
    let sentences = joined_short(&sentences);
    let hits = |sentence: &str| {
        let sentence = sentence.to_lowercase();
        because.iter().filter(|word| sentence.contains(&word.to_lowercase())).count()
    };
    let mut best: Option<(usize, &String)> = None;
    for sentence in &sentences {
        let found = hits(sentence);
        if best.is_none_or(|(most, _)| found > most) {
            best = Some((found, sentence));
        }
    }
    let chosen = best.map(|(_, s)| s.split_whitespace().collect::<Vec<_>>().join(" ")).unwrap_or_default();
    match chosen.char_indices().nth(LONGEST) {
        None => chosen,
        Some((end, _)) => {
            let end = chosen[..end].rfind(' ').unwrap_or(end);
            format!("{}…", &chosen[..end])
        }
    }
}

/// `2.14` and `e.g.` are no sentences: pieces are joined until they say something.
fn joined_short(pieces: &[&str]) -> Vec<String> {
    let mut sentences: Vec<String> = Vec::new();
    let mut draft = String::new();
    for piece in pieces {
        draft.push_str(piece);
        if draft.trim().chars().count() >= SHORTEST && draft.ends_with(['.', '!', '?', '\n']) {
            sentences.push(std::mem::take(&mut draft));
        }
    }
    match sentences.last_mut() {
        Some(last) if draft.trim().chars().count() < SHORTEST => last.push_str(&draft),
        _ if !draft.trim().is_empty() => sentences.push(draft),
        _ => {}
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_with_the_telling_words_is_quoted() {
        let text = "Hello team, hope you are well. Since v2.14 the export times out for big accounts. Thanks!";
        assert_eq!(telling_sentence(text, &["times out", "export"]), "Since v2.14 the export times out for big accounts. Thanks!");
        assert_eq!(telling_sentence(text, &[]), "Hello team, hope you are well.");
        assert_eq!(telling_sentence("", &["x"]), "");
    }

    #[test]
    fn long_sentences_are_cut_at_a_word() {
        let text = "word ".repeat(200);
        let quote = telling_sentence(&text, &[]);
        assert!(quote.chars().count() <= LONGEST + 1 && quote.ends_with("word…"), "{quote}");
    }
}
