//! Corrections and crashes: whatever was committed when the process died, the documents end up where people put them, once.

use std::path::Path;

use groundswell_bus::Offset;
use groundswell_contract::Correction;
use groundswell_contract::decisions::FeedbackRef;
use groundswell_model::{IdentityHash, Insight, Labels, Rung, Timestamp, VersionWeight};
use groundswell_runtime::settings::IndexSettings;

use super::store::SearchStore;
use crate::corrections::Shared;

fn insight<'a>(id: &'a str, version: &'a str) -> Insight<'a> {
    Insight {
        identity: IdentityHash::of("desk", id),
        source: "desk",
        id,
        time: Timestamp(1),
        received: Timestamp(1),
        api: "orders",
        versions: vec![VersionWeight { version, weight: 1.0 }],
        rung: Rung::Explicit,
        confidence: 0.9,
        evidence: vec![],
        deciding: vec![],
        flags: vec![],
        operation: None,
        consumer: "acme",
        requester: None,
        org: None,
        title: "Timeouts",
        body: "",
        url: None,
        survey: None,
        ticket_id: None,
        status: None,
        priority: None,
        channel: None,
        tags: vec![],
        sdk: None,
        request_id: None,
        labels: Labels::default(),
        redacted: vec![],
        attributes: vec![],
    }
}

fn moved_to(version: &str) -> Shared {
    let table = Shared::default();
    let of = FeedbackRef { source: "desk".into(), id: "1".into() };
    drop(table.take(vec![(Correction { of, api_version: Some(version.into()), ..Correction::default() }, Timestamp(9))]));
    table
}

fn open(folder: &Path, table: &Shared) -> SearchStore {
    let mut store = SearchStore::open(folder, 0, &IndexSettings::default()).unwrap();
    store.correct_by(table.clone());
    store
}

/// Version by version, how many documents there are.
fn documents(store: &SearchStore) -> Vec<(String, u64)> {
    store.readers().snapshot().versions.iter().map(|v| (v.version.clone(), v.insights())).collect()
}

const FIRST: Offset = Offset(0);

#[test]
fn a_crash_between_the_new_place_and_the_old_one_leaves_two_copies_that_the_next_start_makes_one() {
    let folder = tempfile::tempdir().unwrap();
    let one = [IdentityHash::of("desk", "1")];
    let mut store = open(folder.path(), &Shared::default());
    store.put(&insight("1", "v1"), FIRST).unwrap();
    store.commit(FIRST.next()).unwrap();
    let table = moved_to("v2");
    store.correct_by(table.clone());
    drop(store.write_corrected(&one, FIRST.next()).unwrap());
    assert_eq!(documents(&store), [("v1".into(), 1)], "searches do not see it half done");
    drop(store);
    let mut store = open(folder.path(), &table);
    assert_eq!(documents(&store), [("v1".into(), 1), ("v2".into(), 1)], "never none");
    assert_eq!(store.correct(&one, FIRST.next()).unwrap(), 1);
    assert_eq!(documents(&store), [("v1".into(), 0), ("v2".into(), 1)]);
    assert_eq!(store.correct(&one, FIRST.next()).unwrap(), 0, "what is in line is left alone");
    let found = store.readers().snapshot().find(one[0]).unwrap().unwrap();
    assert_eq!(found.machine().unwrap().was, insight("1", "v1"), "the machine's word is kept");
}

/// Version indexes are ahead of the checkpoint of the partition, as after a crash between the two stores: records are read again, and
/// corrections that came meanwhile count.
#[test]
fn records_that_are_read_again_go_where_people_put_them() {
    let folder = tempfile::tempdir().unwrap();
    let one = [IdentityHash::of("desk", "1")];
    let mut store = open(folder.path(), &Shared::default());
    let second = FIRST.next();
    store.put(&insight("1", "v1"), FIRST).unwrap();
    store.commit(second).unwrap();
    for insight in [insight("1", "v3"), insight("2", "v2")] {
        store.put(&insight, second).unwrap();
    }
    store.commit(second.next()).unwrap();
    drop(store);
    let table = moved_to("v2");
    let mut store = open(folder.path(), &table);
    store.correct(&one, second).unwrap();
    for insight in [insight("1", "v3"), insight("2", "v2")] {
        store.put(&insight, second).unwrap();
    }
    store.commit(second.next()).unwrap();
    assert_eq!(documents(&store), [("v1".into(), 0), ("v2".into(), 2), ("v3".into(), 0)]);
    let found = store.readers().snapshot().find(one[0]).unwrap().unwrap();
    assert_eq!(found.original().unwrap().versions[0].version, "v3", "the latest word of the machine is kept");
}
