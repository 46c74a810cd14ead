//! From the tree of a query to queries of the engine, and to what is marked in the hits.

use std::ops::Bound;

use tantivy::query::{
    AllQuery, BooleanQuery, BoostQuery, ConstScoreQuery, EmptyQuery, InvertedIndexRangeQuery, Occur, PhrasePrefixQuery, PhraseQuery, Query,
    RangeQuery, TermQuery,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::tokenizer::TextAnalyzer;
use tantivy::{Searcher, Term};

use super::error::SearchError;
use super::schema::{FIELDS, Keyword, Number};
use super::syntax::{Node, TextClause, TextField};
use super::words::{self, Word, words_of};

/// Words of one clause at most.
const MOST_WORDS: usize = 64;
/// Words or values of a segment that one `prefix*` may stand for.
const MOST_EXPANSIONS: usize = 2048;
/// A match in the title counts for so many in the body.
const TITLE_BOOST: f32 = 2.0;

/// Neighbouring words to be marked; the last one may be the beginning of a word.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mark {
    pub(super) field: Option<TextField>,
    pub(super) words: Vec<String>,
    pub(super) prefix: bool,
}

/// A query ready to run.
pub(super) struct Lowered {
    pub(super) query: Box<dyn Query>,
    pub(super) marks: Vec<Mark>,
}

/// Turns trees into engine queries; `searchers` are what prefixes are checked against.
pub(super) struct Lowering<'a> {
    analyzer: TextAnalyzer,
    searchers: &'a [&'a Searcher],
    marks: Vec<Mark>,
}

impl<'a> Lowering<'a> {
    /// Lowers a query and its filters, which must all hold.
    pub(super) fn run(query: Option<&Node>, filters: &[Node], searchers: &'a [&'a Searcher]) -> Result<Lowered, SearchError> {
        let mut lowering = Self { analyzer: words::analyzer(), searchers, marks: Vec::new() };
        let mut clauses: Vec<(Occur, Box<dyn Query>)> = Vec::new();
        if let Some(node) = query {
            match lowering.node(node, true)? {
                Some(query) => clauses.push((Occur::Must, query)),
                None => {
                    let hint = "write at least one word of letters or digits".into();
                    return Err(SearchError::Query { what: "the query has no word to search for".into(), column: 1, hint });
                }
            }
        }
        for filter in filters {
            if let Some(filter) = lowering.node(filter, false)? {
                clauses.push((Occur::Must, Box::new(ConstScoreQuery::new(filter, 0.0))));
            }
        }
        let query: Box<dyn Query> = match clauses.len() {
            0 => Box::new(AllQuery),
            1 => clauses.remove(0).1,
            _ => Box::new(BooleanQuery::new(clauses)),
        };
        Ok(Lowered { query, marks: lowering.marks })
    }

    /// None where a text holds nothing that is searched for, like `---`.
    fn node(&mut self, node: &Node, marked: bool) -> Result<Option<Box<dyn Query>>, SearchError> {
        Ok(match node {
            Node::And(nodes) => {
                let mut clauses = Vec::new();
                for node in nodes {
                    let (occur, inner) = match node {
                        Node::Not(inner) => (Occur::MustNot, &**inner),
                        other => (Occur::Must, other),
                    };
                    if let Some(query) = self.node(inner, marked && occur == Occur::Must)? {
                        clauses.push((occur, query));
                    }
                }
                boolean(clauses)
            }
            Node::Or(nodes) => {
                let mut clauses = Vec::new();
                for node in nodes {
                    clauses.extend(self.node(node, marked)?.map(|q| (Occur::Should, q)));
                }
                boolean(clauses)
            }
            Node::Not(inner) => self.node(inner, false)?.and_then(|q| boolean(vec![(Occur::MustNot, q)])),
            Node::Text(clause) => self.text(clause, marked)?,
            Node::Keyword { keyword, value, prefix } => Some(self.keyword(*keyword, value, *prefix)?),
            Node::Range { number, low, high } => Some(range(*number, *low, *high)),
        })
    }

    fn keyword(&self, keyword: Keyword, value: &str, prefix: bool) -> Result<Box<dyn Query>, SearchError> {
        let (field, value) = (FIELDS.keyword(keyword), keyword.folded(value));
        let query: Box<dyn Query> = if prefix {
            self.prefix_query(field, &value, &format!("{}:{value}*", keyword.name()), 1)?
        } else {
            Box::new(TermQuery::new(Term::from_field_text(field, &value), IndexRecordOption::Basic))
        };
        Ok(Box::new(ConstScoreQuery::new(query, 0.0)))
    }

    fn text(&mut self, clause: &TextClause, marked: bool) -> Result<Option<Box<dyn Query>>, SearchError> {
        let words = words_of(&mut self.analyzer, &clause.text);
        let Some(whole) = whole_words(&words) else { return Ok(None) };
        if whole.len() > MOST_WORDS {
            let what = format!("a text of {} words", whole.len());
            return Err(SearchError::Query { what, column: clause.column, hint: format!("use at most {MOST_WORDS} words in one phrase") });
        }
        let mut spellings = vec![whole.clone()];
        if !clause.phrase && !clause.prefix {
            spellings.extend(self.other_spellings(&clause.text, &words, &whole));
        }
        let fields: &[TextField] = match clause.field {
            Some(TextField::Title) => &[TextField::Title],
            Some(TextField::Body) => &[TextField::Body],
            None => &[TextField::Title, TextField::Body],
        };
        let mut any = Vec::new();
        for field in fields {
            for spelling in &spellings {
                let query = self.words(*field, spelling, clause)?;
                let boosted: Box<dyn Query> =
                    if *field == TextField::Title { Box::new(BoostQuery::new(query, TITLE_BOOST)) } else { query };
                any.push((Occur::Should, boosted));
            }
        }
        if marked {
            let marks = spellings.into_iter().map(|words| Mark { field: clause.field, words, prefix: clause.prefix });
            self.marks.extend(marks);
        }
        Ok(boolean(any))
    }

    /// `rateLimit` is also found as `rate limit`, and `rate_limit` or `rate-limit` also as `rateLimit`.
    fn other_spellings(&mut self, text: &str, words: &[Word], whole: &[String]) -> Vec<Vec<String>> {
        let mut spellings = Vec::new();
        if whole.len() == 1 && words.len() > 1 {
            spellings.push(words.iter().skip(1).map(|w| w.text.clone()).collect());
        }
        let joined_by_lines = text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
        if whole.len() > 1 && joined_by_lines && text.contains(['_', '-']) {
            let joined: String = text.chars().filter(|c| c.is_alphanumeric()).collect();
            let joined = words_of(&mut self.analyzer, &joined.to_lowercase());
            if let [one] = joined.as_slice() {
                spellings.push(vec![one.text.clone()]);
            }
        }
        spellings
    }

    fn words(&self, field: TextField, words: &[String], clause: &TextClause) -> Result<Box<dyn Query>, SearchError> {
        let field = match field {
            TextField::Title => FIELDS.title,
            TextField::Body => FIELDS.body,
        };
        let terms: Vec<Term> = words.iter().map(|w| Term::from_field_text(field, w)).collect();
        let last = words.last().map(String::as_str).unwrap_or_default();
        Ok(match (terms.as_slice(), clause.prefix) {
            ([], _) => Box::new(EmptyQuery),
            ([term], false) => Box::new(TermQuery::new(term.clone(), IndexRecordOption::WithFreqs)),
            (_, false) => Box::new(PhraseQuery::new(terms)),
            ([_], true) => {
                Box::new(ConstScoreQuery::new(self.prefix_query(field, &typed_prefix(clause, last), &clause.text, clause.column)?, 1.0))
            }
            (_, true) => {
                let mut phrase = PhrasePrefixQuery::new(terms);
                phrase.set_max_expansions(u32::try_from(MOST_EXPANSIONS).unwrap_or(u32::MAX));
                Box::new(phrase)
            }
        })
    }

    /// Everything that begins with `prefix`, if that is not too much.
    fn prefix_query(&self, field: Field, prefix: &str, written: &str, column: usize) -> Result<Box<dyn Query>, SearchError> {
        let too_much = |what: String| SearchError::Query { what, column, hint: "write more letters before the `*`".into() };
        let Some(end) = behind(prefix) else { return Err(too_much(format!("{written:?} stands for everything"))) };
        for segment in self.searchers.iter().flat_map(|s| s.segment_readers()) {
            let inverted = segment.inverted_index(field)?;
            let mut stream = inverted.terms().range().ge(prefix.as_bytes()).lt(end.as_bytes()).into_stream()?;
            let mut found = 0;
            while stream.advance() {
                found += 1;
                if found > MOST_EXPANSIONS {
                    return Err(too_much(format!("{written:?} stands for more than {MOST_EXPANSIONS} words")));
                }
            }
        }
        let (low, high) = (Term::from_field_text(field, prefix), Term::from_field_text(field, &end));
        Ok(Box::new(InvertedIndexRangeQuery::new(Bound::Included(low), Bound::Excluded(high))))
    }
}

/// The prefix as typed: folding a plural away would widen it (`access*` is not `acces*`).
fn typed_prefix(clause: &TextClause, folded: &str) -> String {
    let typed = clause.text.to_lowercase();
    if typed.chars().all(|c| c.is_ascii_alphanumeric()) && typed.starts_with(folded.trim_end_matches('y')) {
        typed
    } else {
        folded.to_owned()
    }
}

/// The smallest text behind all that begin with `prefix`.
fn behind(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

/// The word at each place, parts left out; none if there is no word.
fn whole_words(words: &[Word]) -> Option<Vec<String>> {
    let mut whole: Vec<String> = Vec::new();
    for word in words {
        if word.position == whole.len() {
            whole.push(word.text.clone());
        }
    }
    (!whole.is_empty()).then_some(whole)
}

fn boolean(mut clauses: Vec<(Occur, Box<dyn Query>)>) -> Option<Box<dyn Query>> {
    if clauses.is_empty() {
        return None;
    }
    if clauses.len() == 1 && clauses[0].0 != Occur::MustNot {
        return Some(clauses.remove(0).1);
    }
    if clauses.iter().all(|(occur, _)| *occur == Occur::MustNot) {
        clauses.push((Occur::Must, Box::new(ConstScoreQuery::new(Box::new(AllQuery), 0.0))));
    }
    Some(Box::new(BooleanQuery::new(clauses)))
}

fn range(number: Number, low: Bound<f64>, high: Bound<f64>) -> Box<dyn Query> {
    let field = FIELDS.number(number);
    #[expect(clippy::cast_possible_truncation, reason = "a cast from f64 stops at the ends of the range")]
    let term = |value: f64| if number.is_time() { Term::from_field_i64(field, value as i64) } else { Term::from_field_f64(field, value) };
    let bound = |b: Bound<f64>| match b {
        Bound::Included(v) => Bound::Included(term(v)),
        Bound::Excluded(v) => Bound::Excluded(term(v)),
        Bound::Unbounded => Bound::Unbounded,
    };
    let (low, high) = match (low, high) {
        // The engine needs a bound to know the field; this one lets every value in.
        (Bound::Unbounded, Bound::Unbounded) => (Bound::Included(-1e300), Bound::Unbounded),
        both => both,
    };
    let outside = match (low, high) {
        (Bound::Included(l), Bound::Included(h)) => l > h,
        (Bound::Included(l) | Bound::Excluded(l), Bound::Included(h) | Bound::Excluded(h)) => l >= h,
        _ => false,
    };
    if outside {
        return Box::new(EmptyQuery);
    }
    Box::new(ConstScoreQuery::new(Box::new(RangeQuery::new(bound(low), bound(high))), 0.0))
}
