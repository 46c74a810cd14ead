//! Themes as people decided them, in searches: `theme:ID` finds what was merged into it and not what was split off.

use std::collections::BTreeMap;

use groundswell_themes::{Members, Rules, Split, ThemeId};
use hashbrown::{HashMap, HashSet};
use tantivy::query::EnableScoring;

use super::error::SearchError;
use super::lower::Lowering;
use super::schema::Keyword;
use super::snapshot::VersionView;
use super::syntax::{self, Node};
use super::types::FacetCount;

/// The decisions about themes, by API.
pub type RulesByApi = BTreeMap<String, Rules>;

/// The tree with every `theme:ID` in terms of what the grouping gave.
pub(super) fn expand(node: Node, rules: &RulesByApi) -> Node {
    let all = |nodes: Vec<Node>| nodes.into_iter().map(|n| expand(n, rules)).collect();
    match node {
        Node::And(nodes) => Node::And(all(nodes)),
        Node::Or(nodes) => Node::Or(all(nodes)),
        Node::Not(inner) => Node::Not(Box::new(expand(*inner, rules))),
        Node::Keyword { keyword: Keyword::Theme, value, prefix: false } => match value.to_lowercase().parse() {
            Ok(id) => theme(id, rules),
            Err(_) => keyword(Keyword::Theme, &value),
        },
        other => other,
    }
}

fn theme(id: ThemeId, rules: &RulesByApi) -> Node {
    let ruled = rules.iter().map(|(api, rules)| (api, rules.members(rules.merged(id)))).filter(|(_, m)| *m != Members::Grouped(id));
    let mut any = Vec::new();
    let mut elsewhere = vec![keyword(Keyword::Theme, &id.to_string())];
    for (api, members) in ruled {
        let api = keyword(Keyword::Api, api);
        elsewhere.push(Node::Not(Box::new(api.clone())));
        any.push(Node::And(vec![api, of(&members)]));
    }
    any.push(Node::And(elsewhere));
    Node::Or(any)
}

fn of(members: &Members) -> Node {
    match members {
        Members::Grouped(id) => keyword(Keyword::Theme, &id.to_string()),
        Members::Any(all) => Node::Or(all.iter().map(of).collect()),
        Members::Taken(all, split) => Node::And(vec![of(all), taken(split)]),
        Members::Left(all, splits) => {
            let without = splits.iter().map(|s| Node::Not(Box::new(taken(s))));
            Node::And(std::iter::once(of(all)).chain(without).collect())
        }
    }
}

/// What a split takes; nothing if its query can't be read.
fn taken(split: &Split) -> Node {
    let piece = |(source, id): &(String, String)| Node::And(vec![keyword(Keyword::Source, source), keyword(Keyword::Id, id)]);
    if !split.feedback.is_empty() {
        return Node::Or(split.feedback.iter().map(piece).collect());
    }
    match syntax::parse(&split.query) {
        Ok(Some(node)) => node,
        // A tree that nothing matches.
        Ok(None) | Err(_) => Node::And(vec![keyword(Keyword::Kind, "ticket"), keyword(Keyword::Kind, "survey")]),
    }
}

fn keyword(keyword: Keyword, value: &str) -> Node {
    Node::Keyword { keyword, value: value.to_owned(), prefix: false }
}

/// Whether a text can be the query of a split.
///
/// # Errors
/// It says what is wrong with it.
pub fn check_query(query: &str) -> Result<(), SearchError> {
    match syntax::parse(query)? {
        Some(_) => Ok(()),
        None => Err(SearchError::Request("the query of a split is empty".into())),
    }
}

/// The pieces of a version that each split takes, by half of their identity.
///
/// # Errors
/// The index can't be read.
pub fn taken_by(view: &VersionView, rules: &Rules) -> Result<HashMap<ThemeId, HashSet<u64>>, SearchError> {
    let mut all = HashMap::new();
    for split in rules.splits() {
        let lowered = match Lowering::run(Some(&taken(split)), &[], &[&view.searcher]) {
            Ok(lowered) => lowered,
            Err(error) if error.is_askers() => continue,
            Err(error) => return Err(error),
        };
        let weight = lowered.query.weight(EnableScoring::disabled_from_searcher(&view.searcher))?;
        let mut ties = HashSet::new();
        for segment in view.segments() {
            let tie = segment.tie()?;
            weight.for_each_no_score(segment.reader, &mut |docs| ties.extend(docs.iter().filter_map(|doc| tie.first(*doc))))?;
        }
        all.insert(split.id, ties);
    }
    Ok(all)
}

/// Counts by theme with those that were merged together; where several APIs have a theme of this id, the first that merged it decides.
pub(super) fn fold(counts: Vec<FacetCount>, rules: &RulesByApi, limit: usize) -> Vec<FacetCount> {
    let mut folded: BTreeMap<String, u64> = BTreeMap::new();
    for FacetCount { value, count } in counts {
        *folded.entry(resolved(&value, rules)).or_default() += count;
    }
    let mut all: Vec<FacetCount> = folded.into_iter().map(|(value, count)| FacetCount { value, count }).collect();
    all.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
    all.truncate(limit);
    all
}

/// The theme that one was merged into.
pub(super) fn resolved(theme: &str, rules: &RulesByApi) -> String {
    let Ok(id) = theme.parse::<ThemeId>() else { return theme.to_owned() };
    rules.values().map(|r| r.merged(id)).find(|merged| *merged != id).unwrap_or(id).to_string()
}
