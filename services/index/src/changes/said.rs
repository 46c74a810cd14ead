//! What people say, as things that can change.

use std::collections::BTreeMap;

use groundswell_review::changes::{Changed, Thing};

use super::Both;
use crate::search::{Group, Groups, Member};

/// The type of feedback that is good news.
const PRAISE: &str = "praise";

/// Everything that feedback on both versions can be grouped by.
pub(super) fn things(both: &Both<'_>) -> Vec<Thing> {
    let mut things: BTreeMap<(&str, &str), Thing> = BTreeMap::new();
    for (side, groups) in both.groups.iter().enumerate() {
        for ((field, name), group) in &groups.groups {
            let thing = things.entry((field, name)).or_insert_with(|| Thing {
                field: (*field).to_owned(),
                value: name.clone(),
                good: *field == PRAISE || (*field == "type" && name == PRAISE),
                ..Thing::default()
            });
            for member in in_order(group) {
                let consumer = member.consumer.and_then(|c| groups.consumers.get(c as usize)).filter(|name| !name.is_empty());
                let place = consumer.and_then(|name| both.places.get(name.as_str()));
                let sums = place.map_or(&mut thing.unnamed, |place| thing.said.entry(*place).or_default());
                if side == 0 { sums.0 += member.weight } else { sums.1 += member.weight }
            }
        }
    }
    things.into_values().collect()
}

/// Members by time: sums of weights then don't depend on how the index is cut into segments.
fn in_order(group: &Group) -> Vec<&Member> {
    let mut members: Vec<&Member> = group.members.iter().collect();
    members.sort_unstable_by_key(|m| (m.time, m.tie));
    members
}

/// How severe it is, where it is said by more consumers.
pub(super) fn severity(both: &Both<'_>, change: &Changed) -> BTreeMap<String, f64> {
    let groups: &Groups = &both.groups[usize::from(change.candidate.consumers >= change.baseline.consumers)];
    let key = groups.groups.iter().find(|((field, name), _)| *field == change.field && *name == change.value);
    let mut sums: BTreeMap<String, f64> = BTreeMap::new();
    for member in key.map(|(_, group)| in_order(group)).unwrap_or_default() {
        let word = groups.words.get(member.severity as usize).filter(|w| !w.is_empty()).cloned();
        *sums.entry(word.unwrap_or_else(|| "unsure".to_owned())).or_default() += member.weight;
    }
    sums.into_iter().map(|(word, weight)| (word, crate::summary::tidy(weight))).collect()
}
