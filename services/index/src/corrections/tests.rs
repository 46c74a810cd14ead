use groundswell_contract::decisions::FeedbackRef;
use groundswell_contract::{Correction, MachineLabels};
use groundswell_model::Timestamp;
use proptest::prelude::*;

use super::precision::Precision;
use super::*;

fn correction(id: u8, kind: &str) -> Correction {
    let of = FeedbackRef { source: "desk".into(), id: id.to_string() };
    Correction { of, kind: Some(kind.into()), title: Some("long".into()), ..Correction::default() }
}

proptest! {
    /// Whatever order corrections are read in, and however often: the one with the latest time stands.
    #[test]
    fn the_latest_stands_in_any_order(times in proptest::collection::hash_set((0u8..4, 0i64..1000), 0..40), seed in any::<u64>()) {
        let mut said: Vec<(u8, i64)> = times.into_iter().collect();
        let read = |said: &[(u8, i64)]| {
            let mut table = Corrections::default();
            for (id, at) in said {
                table.take(correction(*id, &at.to_string()), Timestamp(*at));
            }
            table.all()
        };
        let once = read(&said);
        said.sort_by_key(|(id, at)| (u64::from(*id) << 20 | u64::try_from(*at).unwrap_or(0)).wrapping_mul(seed | 1));
        prop_assert_eq!(&read(&said), &once);
        let twice: Vec<_> = said.iter().chain(&said).copied().collect();
        prop_assert_eq!(&read(&twice), &once);
        for (_, standing) in once {
            let id: u8 = standing.correction.of.id.parse().unwrap();
            let latest = said.iter().filter(|(other, _)| *other == id).map(|(_, at)| *at).max();
            prop_assert_eq!(Some(standing.at.0), latest);
            prop_assert!(standing.correction.title.is_none(), "texts are not kept");
        }
    }
}

#[test]
fn of_one_time_the_one_read_later_stands() {
    let mut table = Corrections::default();
    assert!(table.take(correction(1, "bug"), Timestamp(5)).is_some());
    assert!(table.take(correction(1, "praise"), Timestamp(5)).is_some());
    assert!(table.take(correction(1, "other"), Timestamp(4)).is_none());
    assert_eq!(table.all()[0].1.correction.kind.as_deref(), Some("praise"));
}

#[test]
fn unsure_is_not_judged_and_several_aspects_are_judged_one_by_one() {
    let mut precision = Precision::default();
    let machine =
        MachineLabels { kind: Some("unsure".into()), aspects: vec!["webhooks".into(), "performance".into()], ..MachineLabels::default() };
    let said = Correction { aspects: Some(vec!["webhooks".into(), "security".into()]), ..correction(1, "bug") };
    precision.count(&said, &machine);
    let got: Vec<_> = precision.labels().into_iter().map(|l| (l.head, l.label, l.judged, l.confirmed, l.missed)).collect();
    let one = |head: &str, label: &str, judged, confirmed, missed| (head.to_owned(), label.to_owned(), judged, confirmed, missed);
    assert_eq!(
        got,
        [
            one("aspect", "performance", 1, 0, 0),
            one("aspect", "security", 0, 0, 1),
            one("aspect", "webhooks", 1, 1, 0),
            one("type", "bug", 0, 0, 1)
        ]
    );
}
