//! The same pieces in the same order give the same themes, whatever is stored and read again in between; memory stays bounded.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const WORDS: [&str; 12] =
    ["refund", "conflict", "export", "csv", "webhook", "signature", "token", "login", "timeout", "latency", "invoice", "currency"];

/// What a store holds: it takes rows and gives a grouping back.
#[derive(Default)]
struct Store {
    rows: BTreeMap<u32, Theme>,
    counters: (u32, u64),
}

impl Store {
    fn take(&mut self, grouping: &mut Grouping) {
        for row in grouping.rows() {
            match row {
                Row::Put(number, theme) => drop(self.rows.insert(number, theme.clone())),
                Row::Forget(number) => drop(self.rows.remove(&number)),
            }
        }
        self.counters = grouping.counters();
        grouping.stored();
    }

    fn restored(&self, limits: Limits) -> Grouping {
        let bytes = |theme: &Theme| postcard::to_stdvec(theme).unwrap();
        let read = |theme: &Theme| postcard::from_bytes::<Theme>(&bytes(theme)).unwrap();
        let active = self.rows.iter().filter(|(_, t)| t.active).map(|(n, t)| (*n, read(t))).collect();
        Grouping::restored(limits, active, self.counters)
    }
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(WORDS.as_slice()), 1..6).prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_restart_at_any_moment_changes_nothing(
        texts in prop::collection::vec(text(), 1..60),
        commits in prop::collection::vec(any::<(bool, bool)>(), 60),
        few in 3usize..12,
    ) {
        let limits = Limits { themes: few, words: 4, ..Limits::default() };
        let (mut steady, mut store) = (Grouping::new(limits), Store::default());
        let mut restarted = Grouping::new(limits);
        for ((identity, text), (commit, restart)) in (0u128..).zip(&texts).zip(&commits) {
            let features = Features::of(text, "");
            prop_assert_eq!(steady.place(identity, &features), restarted.place(identity, &features));
            if *commit {
                store.take(&mut restarted);
                if *restart {
                    restarted = store.restored(limits);
                }
            }
        }
        prop_assert_eq!(steady.themes().collect::<Vec<_>>(), restarted.themes().collect::<Vec<_>>());
    }

    #[test]
    fn memory_is_bounded(texts in prop::collection::vec("[a-z]{3,9}( [a-z]{3,9}){0,9}", 1..120)) {
        let limits = Limits { themes: 16, words: 8, ..Limits::default() };
        let mut grouping = Grouping::new(limits);
        for (identity, text) in (0u128..).zip(&texts) {
            grouping.place(identity, &Features::of(text, text));
            prop_assert!(grouping.len() <= limits.themes);
            prop_assert!(grouping.themes().all(|t| t.words.len() <= 2 * limits.words));
        }
        let having: usize = grouping.having.values().map(Vec::len).sum();
        prop_assert_eq!(having, grouping.themes().map(|t| t.words.len()).sum::<usize>());
    }
}

#[test]
fn a_full_memory_has_room_for_something_new_and_what_leaves_it_stays_stored() {
    let limits = Limits { themes: 2, ..Limits::default() };
    let (mut grouping, mut store) = (Grouping::new(limits), Store::default());
    let texts = ["refund conflict", "refund conflict", "csv export", "csv export", "webhook signature", "webhook signature"];
    for (identity, text) in (0u128..).zip(texts) {
        grouping.place(identity, &Features::of(text, ""));
        store.take(&mut grouping);
    }
    let newest = ThemeId::of_founder(4);
    assert!(grouping.themes().any(|t| t.id == newest && t.pieces == 2), "what is new becomes a theme");
    let retired: Vec<&Theme> = store.rows.values().filter(|t| !t.active).collect();
    assert_eq!(retired.iter().map(|t| (t.id, t.pieces)).collect::<Vec<_>>(), [(ThemeId::of_founder(0), 2)]);
    assert!(!retired[0].words.is_empty());
}

#[test]
fn what_resembles_a_text_is_told_without_putting_it_anywhere() {
    let mut grouping = Grouping::new(Limits::default());
    for (identity, text) in ["refund conflict 409", "csv export invoices", "webhook signature"].iter().enumerate() {
        grouping.place(identity as u128, &Features::of(text, ""));
    }
    let found = grouping.resembling(&Features::of("conflict on refund", ""), 2);
    assert_eq!(found.first().map(|(theme, _)| theme.id), Some(ThemeId::of_founder(0)));
    assert_eq!(grouping.counters().1, 3);
}
