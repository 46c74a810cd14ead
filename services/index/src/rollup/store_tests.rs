use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, Ordering};

use groundswell_model::{Day, Hour, LatencyBuckets, Timestamp};
use proptest::prelude::*;
use redb::StorageBackend;
use redb::backends::InMemoryBackend;

use super::*;
use crate::rollup::{Days, VersionId};

/// Some usage, with names owned so that tests can make it up.
#[derive(Clone, Debug)]
struct Call {
    version: u8,
    operation: u8,
    consumer: u16,
    hour: i32,
    calls: u64,
    failed: u64,
    ms: f64,
    cents: i64,
}

fn calls(most: usize) -> impl Strategy<Value = Vec<Call>> {
    let one = (0u8..3, 0u8..4, 0u16..300, 480_000i32..480_100, 1u64..5, 0u64..5, 1.0f64..900.0, 0i64..500);
    let one = one.prop_map(|(version, operation, consumer, hour, calls, failed, ms, cents)| Call {
        version,
        operation,
        consumer,
        hour,
        calls,
        failed: failed.min(calls),
        ms,
        cents,
    });
    proptest::collection::vec(one, 1..most)
}

fn add(store: &mut RollupStore, call: &Call) -> Result<(), RollupError> {
    let start = Hour(call.hour).start();
    let mut latency = LatencyBuckets::default();
    latency.add(call.ms, call.calls);
    let consumer = if call.consumer == 0 { String::new() } else { format!("consumer-{}", call.consumer) };
    store.add(&UsageDelta {
        api: "payments",
        version: &format!("v{}", call.version),
        operation: &format!("op{}", call.operation),
        consumer: &consumer,
        hour: Hour(call.hour),
        calls: call.calls,
        failed: call.failed,
        server_errors: call.failed / 2,
        rate_limited: call.failed / 3,
        first: start,
        last: start.plus_ms(1000),
        first_success: (call.failed < call.calls).then_some(start.plus_ms(500)),
        latency,
        revenue: vec![("EUR", call.cents * 10_000)],
        value: vec![("order", call.calls, 0.1 * call.calls as f64)],
        received: start.plus_ms(5000),
    })
}

/// Everything a view can tell, in words that do not depend on ids.
fn tell(view: &RollupView) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for (api, version, id, totals) in view.versions().unwrap() {
        all.insert(format!("{api} {version} {totals:?}"));
        tell_traffic(view, &version, id, &mut all);
        view.consumers(id, |c, t| {
            all.extend([format!("{version} {c} {:?}", (t.first, t.last, t.first_success, t.calls, t.failed, t.revenue))])
        })
        .unwrap();
        view.presence(id, Days::default(), |d, c, p| all.extend([format!("{version} {d:?} {c} {p:?}")])).unwrap();
        for kind in [MilestoneKind::FirstCall, MilestoneKind::Upgrade] {
            view.milestones(id, kind, |c, note| all.extend([format!("{version} {kind:?} {c} {note:?}")])).unwrap();
        }
        all.insert(format!("{version} {:?}", view.active(id, Days::default()).unwrap()));
    }
    all
}

fn tell_traffic(view: &RollupView, version: &str, id: VersionId, all: &mut BTreeSet<String>) {
    for (operation, totals) in view.operations(id).unwrap() {
        let name = view.operation_name(operation).unwrap();
        all.insert(format!("{version} {name} {totals:?}"));
        view.reach(id, operation, |c, r| all.extend([format!("{version} {name} {c} {r:?}")])).unwrap();
        view.operation_days(id, operation, Days::default(), |d, c, o| all.extend([format!("{version} {name} {d:?} {c} {o:?}")])).unwrap();
    }
    view.days(id, Days::default(), |d, o, t| all.extend([format!("{version} {d:?} {o} {t:?}")])).unwrap();
    view.hours(id, Hour(i32::MIN), Hour(i32::MAX), |h, o, t| all.extend([format!("{version} {h:?} {o} {t:?}")])).unwrap();
}

/// A store of these calls, committed after each part.
fn store_of(folder: &Path, name: &str, parts: &[&[Call]]) -> RollupStore {
    let mut store = RollupStore::open(&folder.join(name), 4).unwrap();
    // Ids by the order of names, so that stores filled in another order can be compared by id.
    for version in 0..3 {
        store.version("payments", &format!("v{version}")).unwrap();
    }
    for i in 0..4 {
        store.id(Kind::Operation, &format!("op{i}")).unwrap();
    }
    for i in 1..300 {
        store.id(Kind::Consumer, &format!("consumer-{i}")).unwrap();
    }
    for l in ["EUR", "order"] {
        store.id(Kind::Label, l).unwrap();
    }
    for (i, part) in parts.iter().enumerate() {
        part.iter().for_each(|call| add(&mut store, call).unwrap());
        store.commit(Offset(i as u64 + 1)).unwrap();
    }
    store
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn order_and_grouping_never_matter(calls in calls(120), cut in 0.0f64..1.0) {
        let folder = tempfile::tempdir().unwrap();
        let at = (cut * calls.len() as f64) as usize;
        let one = store_of(folder.path(), "one", &[&calls]);
        let backwards: Vec<Call> = calls.iter().rev().cloned().collect();
        let two = store_of(folder.path(), "two", &[&backwards[..at], &backwards[at..]]);
        prop_assert_eq!(tell(&one.reader().view().unwrap()), tell(&two.reader().view().unwrap()));
    }

    #[test]
    fn sums_are_those_of_the_calls(calls in calls(150)) {
        let folder = tempfile::tempdir().unwrap();
        let third = calls.len() / 3;
        let store = store_of(folder.path(), "s", &[&calls[..third], &calls[third..]]);
        let view = store.reader().view().unwrap();
        for version in 0..3u8 {
            let mine: Vec<&Call> = calls.iter().filter(|c| c.version == version).collect();
            let Some(id) = view.version("payments", &format!("v{version}")).unwrap() else { continue };
            let totals = view.totals(id).unwrap();
            prop_assert_eq!(totals.calls, mine.iter().map(|c| c.calls).sum::<u64>());
            prop_assert_eq!(totals.failed, mine.iter().map(|c| c.failed).sum::<u64>());
            let named = |c: &&&Call| c.consumer != 0;
            let people: BTreeSet<u16> = mine.iter().filter(named).map(|c| c.consumer).collect();
            prop_assert_eq!(totals.consumers, people.len() as u64);
            let mut daily: BTreeMap<i32, BTreeSet<u16>> = BTreeMap::new();
            for call in mine.iter().filter(named) {
                daily.entry(Hour(call.hour).day().0).or_default().insert(call.consumer);
            }
            let told: BTreeMap<i32, u64> = view.active(id, Days::default()).unwrap().into_iter().map(|(d, n)| (d.0, n)).collect();
            prop_assert_eq!(told, daily.iter().map(|(d, s)| (*d, s.len() as u64)).collect::<BTreeMap<_, _>>());
            for (operation, totals) in view.operations(id).unwrap() {
                let name = view.operation_name(operation).unwrap();
                let of: Vec<&&Call> = mine.iter().filter(|c| name == format!("op{}", c.operation)).collect();
                prop_assert_eq!(totals.traffic.calls, of.iter().map(|c| c.calls).sum::<u64>());
                prop_assert_eq!(totals.traffic.latency.count(), totals.traffic.calls);
                let affected: BTreeSet<u16> = of.iter().filter(|c| c.consumer != 0 && c.failed > 0).map(|c| c.consumer).collect();
                prop_assert_eq!(totals.affected, affected.len() as u64);
                let cents: i64 = of.iter().map(|c| c.cents).sum();
                prop_assert_eq!(totals.traffic.revenue.iter().map(|(_, m)| *m).sum::<i128>(), i128::from(cents) * 10_000);
                prop_assert_eq!(totals.traffic.value[0].1, (totals.traffic.calls, i128::from(totals.traffic.calls) * 100_000));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn calls_of_an_operation_by_day_are_those_of_the_calls(calls in calls(150), from in 0i32..5, length in 0i32..6) {
        let folder = tempfile::tempdir().unwrap();
        let store = store_of(folder.path(), "s", &[&calls[..calls.len() / 2], &calls[calls.len() / 2..]]);
        let view = store.reader().view().unwrap();
        let first = Hour(480_000).day().0 + from;
        let days = Days { from: Some(Day(first)), until: Some(Day(first + length)) };
        let within = |c: &&Call| days.contains(Hour(c.hour).day());
        for version in 0..3u8 {
            let Some(id) = view.version("payments", &format!("v{version}")).unwrap() else { continue };
            let mut failed: BTreeMap<String, u64> = BTreeMap::new();
            for (operation, n) in view.failed_by_operation(id, days).unwrap() {
                failed.insert(view.operation_name(operation).unwrap(), n);
            }
            for operation in 0..4u8 {
                let name = format!("op{operation}");
                let mine = || calls.iter().filter(|c| (c.version, c.operation) == (version, operation)).filter(within);
                prop_assert_eq!(failed.get(&name).copied().unwrap_or_default(), mine().map(|c| c.failed).sum::<u64>());
                let mut wanted: BTreeMap<(i32, String), (u64, u64)> = BTreeMap::new();
                for call in mine().filter(|c| c.consumer != 0) {
                    let sums = wanted.entry((Hour(call.hour).day().0, format!("consumer-{}", call.consumer))).or_default();
                    *sums = (sums.0 + call.calls, sums.1 + call.failed);
                }
                let mut got = BTreeMap::new();
                let number = view.operation(&name).unwrap().unwrap();
                view.operation_days(id, number, days, |d, c, on_it| {
                    got.insert((d.0, view.consumer_name(c).unwrap()), (on_it.calls, on_it.failed));
                }).unwrap();
                prop_assert_eq!(got, wanted);
            }
        }
    }
}

/// Memory that fails on the n-th change from now, and then until it is mended.
#[derive(Clone, Debug)]
struct Failing {
    memory: Arc<InMemoryBackend>,
    changes_left: Arc<AtomicI64>,
}

impl Failing {
    fn change(&self) -> Result<(), std::io::Error> {
        if self.changes_left.fetch_sub(1, Ordering::Relaxed) <= 0 {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

impl StorageBackend for Failing {
    fn len(&self) -> Result<u64, std::io::Error> {
        self.memory.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), std::io::Error> {
        self.memory.read(offset, out)
    }
    fn set_len(&self, len: u64) -> Result<(), std::io::Error> {
        self.change()?;
        self.memory.set_len(len)
    }
    fn sync_data(&self) -> Result<(), std::io::Error> {
        self.change()?;
        self.memory.sync_data()
    }
    fn write(&self, offset: u64, data: &[u8]) -> Result<(), std::io::Error> {
        self.change()?;
        self.memory.write(offset, data)
    }
}
fn small_part(n: u16) -> Vec<Call> {
    (1..40).map(|i| Call { version: 1, operation: 0, consumer: i * n, hour: 480_000, calls: 2, failed: 1, ms: 5.0, cents: 1 }).collect()
}

#[test]
fn wherever_a_commit_fails_nothing_is_lost_or_counted_twice() {
    for fail_at in 0.. {
        let failing = Failing { memory: Arc::default(), changes_left: Arc::new(AtomicI64::new(i64::MAX)) };
        let backend = failing.clone();
        let open: Opener = Box::new(move || Ok(Database::builder().create_with_backend(backend.clone())?));
        let mut store = RollupStore::open_with(Path::new("memory"), open).unwrap();
        small_part(1).iter().for_each(|c| add(&mut store, c).unwrap());
        store.commit(Offset(10)).unwrap();
        small_part(2).iter().for_each(|c| add(&mut store, c).unwrap());

        failing.changes_left.store(fail_at, Ordering::Relaxed);
        let failed = store.commit(Offset(20)).is_err();
        assert!(!failed || store.checkpoint() == Some(Offset(10)));
        failing.changes_left.store(i64::MAX, Ordering::Relaxed);
        if failed {
            small_part(3).iter().for_each(|c| add(&mut store, c).unwrap());
            store.commit(Offset(30)).unwrap();
            let view = store.reader().view().unwrap();
            assert_eq!(view.versions().unwrap()[0].3.calls, 3 * 39 * 2, "failed at change {fail_at}");
            assert_eq!(view.checkpoint(), Some(Offset(30)));
        } else {
            assert!(fail_at > 2, "a commit makes changes");
            break;
        }
    }
}

#[test]
fn what_is_not_committed_is_gone_after_a_restart_and_what_is_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p0").join("usage.redb");
    let mut store = RollupStore::open(&path, 4).unwrap();
    assert_eq!(store.checkpoint(), None);
    small_part(1).iter().for_each(|c| add(&mut store, c).unwrap());
    assert!(store.pending() > 0);
    store.commit(Offset(5)).unwrap();
    assert_eq!(store.pending(), 0);
    small_part(1).iter().for_each(|c| add(&mut store, c).unwrap());
    drop(store);

    let mut store = RollupStore::open(&path, 4).unwrap();
    assert_eq!(store.checkpoint(), Some(Offset(5)));
    let before = tell(&store.reader().view().unwrap());
    store.commit(Offset(5)).unwrap();
    assert_eq!(tell(&store.reader().view().unwrap()), before);
    small_part(1).iter().for_each(|c| add(&mut store, c).unwrap());
    store.commit(Offset(9)).unwrap();
    let view = store.reader().view().unwrap();
    let (_, _, _, totals) = &view.versions().unwrap()[0];
    assert_eq!((totals.calls, totals.consumers), (2 * 39 * 2, 39));
}

#[test]
fn a_milestone_told_again_takes_the_place_of_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = RollupStore::open(&folder.path().join("m"), 4).unwrap();
    let told = |time, version| Milestone {
        api: "payments",
        version,
        consumer: "acme",
        kind: MilestoneKind::Upgrade,
        time: Timestamp(time),
        from: Some("v1"),
        operation: "pay",
        failed_before: 0,
    };
    store.milestone(&told(5, "v2")).unwrap();
    store.commit(Offset(1)).unwrap();
    store.milestone(&told(3, "v2")).unwrap();
    store.commit(Offset(2)).unwrap();
    let view = store.reader().view().unwrap();
    let id = view.version("payments", "v2").unwrap().unwrap();
    let mut notes = Vec::new();
    view.milestones(id, MilestoneKind::Upgrade, |consumer, note| notes.push((consumer, note))).unwrap();
    let [(consumer, note)] = notes[..] else { panic!("one milestone, not {notes:?}") };
    assert_eq!((view.consumer_name(consumer).unwrap(), note.time), ("acme".to_owned(), Timestamp(3)));
    assert_eq!(view.version_name(RollupView::came_from(&note).unwrap()).unwrap(), "v1");
    assert_eq!(view.versions().unwrap().len(), 0, "nothing was called");
}

#[test]
fn a_dropped_version_leaves_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let other: Vec<Call> = small_part(1).into_iter().map(|c| Call { version: 2, ..c }).collect();
    let mut store = store_of(folder.path(), "d", &[&small_part(1), &other]);
    let only_other = store_of(folder.path(), "o", &[&other]);
    small_part(2).iter().for_each(|c| add(&mut store, c).unwrap());
    store.drop_version("payments", "v1").unwrap();
    assert_eq!(store.checkpoint(), Some(Offset(2)));
    assert_eq!(tell(&store.reader().view().unwrap()), tell(&only_other.reader().view().unwrap()));
    store.commit(Offset(3)).unwrap();
    assert_eq!(tell(&store.reader().view().unwrap()), tell(&only_other.reader().view().unwrap()));
}

#[test]
fn value_events_beyond_the_bound_are_counted_together() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = RollupStore::open(&folder.path().join("v"), 4).unwrap();
    for i in 0..1500 {
        let name = format!("value-{i}");
        let delta = UsageDelta {
            api: "a",
            version: "v",
            operation: "",
            consumer: "",
            hour: Hour(0),
            calls: 1,
            failed: 0,
            server_errors: 0,
            rate_limited: 0,
            first: Timestamp(0),
            last: Timestamp(0),
            first_success: Some(Timestamp(0)),
            latency: LatencyBuckets::default(),
            revenue: vec![],
            value: vec![(&name, 1, 1.5)],
            received: Timestamp(0),
        };
        store.add(&delta).unwrap();
    }
    store.commit(Offset(1)).unwrap();
    let view = store.reader().view().unwrap();
    let id = view.version("a", "v").unwrap().unwrap();
    let value = view.operations(id).unwrap().into_values().next().unwrap().traffic.value;
    assert_eq!(value.len(), 1001);
    assert_eq!(value.iter().map(|(_, (n, m))| (*n, *m)).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1)), (1500, 1500 * 1_500_000));
    let other = value.iter().find(|(id, _)| view.label_name(*id).unwrap() == "other").unwrap();
    assert_eq!(other.1.0, 500);
}

#[test]
fn another_format_is_refused_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    let db = Database::create(&path).unwrap();
    let tx = db.begin_write().unwrap();
    tx.open_table(META).unwrap().insert(META_FORMAT, FORMAT + 1).unwrap();
    tx.commit().unwrap();
    drop(db);
    let told = RollupStore::open(&path, 4).map(|_| ()).unwrap_err().to_string();
    assert!(told.contains("delete the file"), "{told}");
}
