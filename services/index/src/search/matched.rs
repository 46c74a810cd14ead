//! The feedback of one API version that a query finds, or all of it, segment by segment.

use groundswell_model::Timestamp;
use tantivy::DocId;
use tantivy::query::EnableScoring;

use super::error::SearchError;
use super::lower::Lowering;
use super::ruled::{RulesByApi, expand};
use super::snapshot::{SegmentView, VersionView};
use super::syntax;

/// Which feedback: the words of a search, or all.
#[derive(Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// A search as `GET /v1/search` takes it; none: everything.
    pub query: Option<&'a str>,
    /// From this time to before that one; none: all times.
    pub times: Option<(Timestamp, Timestamp)>,
    /// What people decided about themes, where the query may name one.
    pub rules: Option<&'a RulesByApi>,
}

/// Says whether a search can be understood.
///
/// # Errors
/// [`SearchError::is_askers`]: it can't, and where.
pub fn check_search(query: &str) -> Result<(), SearchError> {
    Lowering::run(syntax::parse(query)?.as_ref(), &[], &[]).map(|_| ())
}

/// Tells `each` the number and the documents of every segment that are wanted.
pub(super) fn matched(
    view: &VersionView,
    wanted: Wanted<'_>,
    mut each: impl FnMut(u32, &SegmentView<'_>, &[DocId]) -> Result<(), SearchError>,
) -> Result<(), SearchError> {
    let tree = wanted.query.map(syntax::parse).transpose()?.flatten();
    let tree = tree.map(|tree| match wanted.rules {
        Some(rules) => expand(tree, rules),
        None => tree,
    });
    let searchers = [&view.searcher];
    let weight = match &tree {
        Some(tree) => {
            Some(Lowering::run(Some(tree), &[], &searchers)?.query.weight(EnableScoring::disabled_from_searcher(&view.searcher))?)
        }
        None => None,
    };
    for (number, segment) in (0u32..).zip(view.segments()) {
        let time = segment.time()?;
        let within = |doc: DocId| wanted.times.is_none_or(|(from, to)| time.first(doc).is_some_and(|t| t >= from.0 && t < to.0));
        let mut docs: Vec<DocId> = Vec::new();
        match &weight {
            None => docs.extend(segment.reader.doc_ids_alive().filter(|doc| within(*doc))),
            Some(weight) => {
                let alive = segment.reader.alive_bitset();
                weight.for_each_no_score(segment.reader, &mut |found| {
                    docs.extend(found.iter().copied().filter(|doc| alive.is_none_or(|a| a.is_alive(*doc)) && within(*doc)));
                })?;
            }
        }
        each(number, &segment, &docs)?;
    }
    Ok(())
}
