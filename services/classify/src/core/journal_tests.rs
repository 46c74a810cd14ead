use std::collections::BTreeMap;

use groundswell_catalogue::order::natural;
use groundswell_model::frame;
use proptest::prelude::*;

use super::*;

const DAY: i64 = 86_400_000;

fn call(version: &str, time: i64, failed: bool) -> Call<'_> {
    Call { api: "orders", version, operation: "getOrder", time: Timestamp(time), failed, calls: 1, event: "", traces: [None, None] }
}

fn play(calls: &[Call<'_>]) -> (Journal, Vec<Told>) {
    let (mut journal, mut told) = (Journal::default(), Vec::new());
    calls.iter().for_each(|c| journal.note(c, 31, natural, &mut told));
    (journal, told)
}

/// As the index keeps them: the last one told of a version and kind stands.
fn kept(told: &[Told]) -> BTreeMap<(String, MilestoneKind), (i64, Option<String>, u64)> {
    told.iter().map(|t| ((t.version.to_string(), t.kind), (t.time.0, t.from.as_deref().map(str::to_owned), t.failed_before))).collect()
}

#[test]
fn first_call_first_success_and_upgrade_are_told_once() {
    use MilestoneKind::{FirstCall, FirstSuccess, Upgrade};
    let (_, told) = play(&[
        call("v1", 1, true),
        call("v1", 2, false),
        call("v1", DAY - 3, false),
        call("v2", DAY, false),
        call("v1", DAY + 5, false),
        call("v2", DAY + 9, true),
    ]);
    assert_eq!(told.len(), 5);
    let kept = kept(&told);
    assert_eq!(kept[&("v1".into(), FirstCall)], (1, None, 0));
    assert_eq!(kept[&("v1".into(), FirstSuccess)], (2, None, 1));
    assert_eq!(kept[&("v2".into(), Upgrade)], (DAY, Some("v1".into()), 0));
}

#[test]
fn coming_back_after_a_day_is_a_downgrade_and_parallel_use_is_not() {
    use MilestoneKind::Downgrade;
    let parallel =
        [call("v1", 0, false), call("v2", DAY, false), call("v1", DAY + 1, false), call("v2", DAY + 2, false), call("v1", DAY + 3, false)];
    // One day without v1, in which v2 was called: that is leaving it.
    assert!(kept(&play(&parallel).1).contains_key(&("v1".into(), Downgrade)));
    let slow: Vec<_> = (0..60).map(|h| call(if h % 2 == 0 { "v1" } else { "v2" }, h * 3_600_000, false)).collect();
    assert!(!kept(&play(&slow).1).contains_key(&("v1".into(), Downgrade)));
    let never = [call("v2", 0, false), call("v1", 5, false)];
    assert_eq!(kept(&play(&never).1)[&("v1".into(), Downgrade)], (5, Some("v2".into()), 0));
}

#[test]
fn late_usage_corrects_what_was_told() {
    use MilestoneKind::{FirstCall, FirstSuccess};
    let (_, told) = play(&[call("v1", 100, false), call("v1", 50, true), call("v1", 40, true), call("v1", 70, false)]);
    let kept = kept(&told);
    assert_eq!(kept[&("v1".into(), FirstCall)].0, 40);
    assert_eq!(kept[&("v1".into(), FirstSuccess)], (70, None, 2));
}

#[test]
fn only_what_was_called_in_the_window_counts() {
    let (journal, _) = play(&[call("v1", 0, false), call("v2", 40 * DAY, false), call("v2", 41 * DAY, false)]);
    let versions = |from: i64, to: i64| {
        journal.within(Some("orders"), Timestamp(from), Timestamp(to)).iter().map(|(u, n)| (u.version.to_string(), *n)).collect::<Vec<_>>()
    };
    assert_eq!(versions(15 * DAY, 45 * DAY), [("v2".to_owned(), 2)]);
    assert_eq!(versions(0, 45 * DAY), [("v1".to_owned(), 1), ("v2".to_owned(), 2)]);
    assert_eq!(versions(0, DAY), [("v1".to_owned(), 1)]);
    assert_eq!(versions(5 * DAY, 9 * DAY), []);
}

#[test]
fn it_is_small_and_bounded() {
    let (mut journal, mut told) = (Journal::default(), Vec::new());
    for hour in 0..24 * 60 {
        let (version, event) = (if hour < 24 * 40 { "v1" } else { "v2" }, format!("req_{hour:016}"));
        let call = call(version, hour * 3_600_000, hour % 50 == 0);
        journal.note(&Call { event: &event, traces: [Some(&event), None], ..call }, 31, natural, &mut told);
    }
    let bytes = frame::encode_one(&journal).map(|b| b.len()).unwrap_or(usize::MAX);
    assert!(bytes <= 300, "{bytes} bytes");
    let again: Journal = frame::decode_one(&frame::encode_one(&journal).unwrap_or_default()).unwrap_or_default();
    assert_eq!(again, journal);
    for n in 0..100 {
        journal.note(&call(&format!("v{n}"), n * DAY + 70 * DAY, false), 31, natural, &mut told);
    }
    assert_eq!(journal.uses().len(), MOST_VERSIONS);
    assert!(journal.uses().iter().any(|u| &*u.version == "v99"));
}

proptest! {
    /// First calls, first successes and upgrades do not depend on the order in which calls are read.
    #[test]
    fn the_order_of_calls_does_not_change_first_times(calls in proptest::collection::vec((prop::sample::select(vec!["v1", "v2", "v10"]), 0i64..40, any::<bool>()), 1..40), turn in any::<prop::sample::Index>()) {
        let calls: Vec<_> = calls.iter().map(|(v, day, failed)| call(v, day * DAY, *failed)).collect();
        let mut turned = calls.clone();
        turned.rotate_left(turn.index(calls.len()));
        let times = |told: &[Told]| kept(told).into_iter().filter(|((_, kind), _)| *kind != MilestoneKind::Downgrade && *kind != MilestoneKind::Upgrade).map(|(k, (time, _, _))| (k, time)).collect::<Vec<_>>();
        let ((a, told_a), (b, told_b)) = (play(&calls), play(&turned));
        prop_assert_eq!(times(&told_a), times(&told_b));
        let upgrades = |j: &Journal| { let mut u: Vec<_> = j.uses().iter().filter_map(|u| u.upgrade.clone().map(|up| (u.version.clone(), up))).filter(|(_, (time, _))| time.0 > 0).collect(); u.sort(); u };
        let first = |j: &Journal| { let mut f: Vec<_> = j.uses().iter().map(|u| (u.version.clone(), u.first, u.days.between(Day(0), Day(40)))).collect(); f.sort(); f };
        prop_assert_eq!(first(&a).iter().map(|(v, f, _)| (v.clone(), *f)).collect::<Vec<_>>(), first(&b).iter().map(|(v, f, _)| (v.clone(), *f)).collect::<Vec<_>>());
        // An upgrade once told is not taken back, so a late first call may leave one more, never one less or another.
        let final_upgrades = |j: &Journal| upgrades(j).into_iter().filter(|(v, (time, _))| j.uses().iter().any(|u| u.version == *v && u.first == *time)).collect::<Vec<_>>();
        prop_assert_eq!(final_upgrades(&a), final_upgrades(&b));
    }

    #[test]
    fn days_keep_the_calls_of_the_newest_days(adds in proptest::collection::vec((-5i32..60, 1u64..9), 0..60), keep in 1usize..40) {
        let mut days = Days::default();
        let mut all: BTreeMap<i32, u64> = BTreeMap::new();
        for (day, calls) in &adds {
            days.add(Day(*day), *calls, keep);
            *all.entry(*day).or_default() += calls;
        }
        prop_assert!(days.calls.len() <= keep);
        let newest = all.keys().max().copied().unwrap_or(0);
        let kept = newest + 1 - i32::try_from(keep).unwrap_or(0);
        // What came while a day was kept and is still kept is counted exactly.
        let ordered = adds.windows(2).all(|w| w[0].0 <= w[1].0);
        if ordered {
            prop_assert_eq!(days.between(Day(kept), Day(newest)), all.range(kept..).map(|(_, n)| n).sum::<u64>());
        }
        prop_assert!(days.between(Day(-100), Day(100)) <= all.values().sum::<u64>());
    }
}
