//! What the benchmark's workload promises.

use std::collections::{BTreeMap, HashMap};

use groundswell_contract::{CloudEvent, EventType, Limits, Survey, Ticket, Usage, decode_structured, validate};
use groundswell_model::Timestamp;
use groundswell_simulate::bench::{BenchPlan, Count, Workload};

#[expect(clippy::expect_used, reason = "a test may fail")]
fn workload(events: u64) -> Workload {
    Workload::new(BenchPlan { resent: 0.01, ..BenchPlan::new(Timestamp(1_780_272_000_000), events) }).expect("a good plan")
}

#[test]
fn the_same_plan_gives_the_same_bytes() {
    let (mut a, mut b) = (workload(2_000), workload(2_000));
    let (mut x, mut y) = (Vec::new(), Vec::new());
    while a.next_into(&mut x).is_some() {
        assert!(b.next_into(&mut y).is_some() && x == y);
    }
    assert!(b.next_into(&mut y).is_none());
}

#[test]
fn every_event_fits_the_contract_in_the_shares_of_the_benchmark() {
    let mut workload = workload(20_000);
    let (mut bytes, limits) = (Vec::new(), Limits::default());
    let mut seen = HashMap::new();
    let mut types = BTreeMap::<_, u64>::new();
    let (mut lengths, mut repeated, mut counted) = (Vec::new(), 0, Count::default());
    while let Some(item) = workload.next_into(&mut bytes) {
        let read = decode_structured(&bytes, &limits).expect("an event of the contract");
        assert_eq!(validate(&read, Timestamp(1_780_300_000_000), &limits), Ok(()));
        let event: CloudEvent = serde_json::from_slice(&bytes).expect("a CloudEvent");
        assert_eq!(EventType::from_name(&event.ty), Some(item.ty));
        *types.entry(item.ty).or_default() += 1;
        let data = event.data.clone().expect("data");
        assert_eq!(data["consumer"], *item.key);
        if let Some(before) = seen.insert((event.source.clone(), event.id.clone()), bytes.clone()) {
            repeated += 1;
            assert_eq!(before, bytes);
            continue;
        }
        match item.ty {
            EventType::Usage => {
                let usage: Usage = serde_json::from_value(data).expect("usage");
                counted.calls += 1;
                counted.failed += u64::from(usage.status >= Some(400));
            }
            EventType::Ticket => {
                let ticket: Ticket = serde_json::from_value(data).expect("a ticket");
                lengths.push(ticket.body.map_or(0, |b| b.chars().count()));
                counted.tickets += 1;
            }
            _ => {
                let survey: Survey = serde_json::from_value(data).expect("a survey");
                assert!(survey.kind.scale().is_some_and(|(low, high)| (low..=high).contains(&survey.score)));
                counted.surveys += 1;
            }
        }
    }
    assert_eq!(repeated, workload.repeated());
    assert_eq!(types.values().sum::<u64>(), 20_000);
    assert!((900..1_100).contains(&types[&EventType::Ticket]) && (900..1_100).contains(&types[&EventType::Survey]));
    let mean = lengths.iter().sum::<usize>() / lengths.len();
    assert!((560..625).contains(&mean), "tickets have {mean} characters");
    let counts = workload.counts();
    assert!(counts.len() >= 8, "several versions: {counts:?}");
    let sum = counts.values().fold(Count::default(), |a, b| Count {
        calls: a.calls + b.calls,
        failed: a.failed + b.failed,
        tickets: a.tickets + b.tickets,
        surveys: a.surveys + b.surveys,
    });
    assert_eq!(sum, counted);
}
