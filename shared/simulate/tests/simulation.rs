//! What the simulation promises: repeatable, true, in the asked shares, with the story in it.

use std::collections::{BTreeMap, HashMap, HashSet};

use groundswell_contract::{CloudEvent, Data, EventType, Limits, SurveyKind, decode_structured, validate};
use groundswell_model::Timestamp;
use groundswell_simulate::{Figures, Plan, Simulated, simulate};
use proptest::prelude::*;

/// 2026-06-01T00:00:00Z.
const END: Timestamp = Timestamp(1_780_272_000_000);

fn plan(seed: u64, events: u64) -> Plan {
    Plan { seed, events, ..Plan::new(END) }
}

#[expect(clippy::expect_used, reason = "a test may fail")]
fn all(plan: &Plan) -> Vec<Simulated> {
    simulate(plan).expect("a good plan").collect()
}

fn figures(events: &[Simulated]) -> Figures {
    let mut figures = Figures::default();
    events.iter().for_each(|e| figures.add(e));
    figures
}

#[test]
fn the_same_seed_gives_the_same_events_and_another_seed_others() {
    let (a, b, c) = (all(&plan(5, 6_000)), all(&plan(5, 6_000)), all(&plan(6, 6_000)));
    assert!(a == b);
    assert!(a != c);
}

#[test]
fn shares_are_as_asked() {
    let events = all(&Plan { tickets: 0.06, surveys: 0.04, ..plan(2, 40_000) });
    let mut counts = BTreeMap::<_, u64>::new();
    events.iter().filter(|e| !e.truth.resent).for_each(|e| *counts.entry(e.event.event_type()).or_default() += 1);
    let near = |ty, want: f64, off: f64| {
        let got = counts[&ty] as f64;
        assert!((got - want).abs() < off * want, "{ty:?}: {got} instead of {want}");
    };
    near(EventType::Usage, 36_000.0, 0.03);
    near(EventType::Ticket, 2_400.0, 0.08);
    near(EventType::Survey, 1_600.0, 0.08);
    assert_eq!(counts[&EventType::Release], 9 + 5 + 5, "9 versions, 5 of them deprecated and with a sunset");
}

#[test]
fn every_event_fits_the_contract_and_reads_back() {
    let limits = Limits::default();
    for Simulated { event, .. } in all(&plan(3, 12_000)) {
        let json = event.to_json().expect("serialises");
        let envelope: CloudEvent = serde_json::from_slice(&json).expect("a CloudEvent");
        assert_eq!(envelope, event.to_cloudevent().expect("serialises"));
        let text = String::from_utf8_lossy(&json);
        let read = decode_structured(&json, &limits).unwrap_or_else(|reject| panic!("{reject} in {text}"));
        assert_eq!(validate(&read, END, &limits), Ok(()), "{text}");
        assert_eq!((read.source.as_str(), &read.id, read.time, &read.data), (event.source, &event.id, Some(event.time), &event.data));
        assert_eq!(read.sampled(), u64::from(event.sampled.unwrap_or(1)));
        assert!(!text.contains("{op}") && !text.contains("{v}") && !text.contains("{status}"), "{text}");
    }
}

#[test]
fn events_come_by_arrival_and_some_of_them_late() {
    let plan = plan(4, 20_000);
    let events = all(&plan);
    assert!(events.windows(2).all(|w| w[0].event.arrives <= w[1].event.arrives));
    assert!(events.iter().all(|e| (plan.start()..plan.end).contains(&e.event.time) && e.event.time <= e.event.arrives));
    let late = events.iter().filter(|e| e.event.arrives.0 - e.event.time.0 > 60_000 && !e.truth.resent).count();
    assert!((120..280).contains(&late), "{late} late");
}

#[test]
fn an_identity_comes_twice_only_where_planted_and_then_says_the_same() {
    let mut seen = HashMap::new();
    let mut resent = 0;
    for e in all(&plan(7, 30_000)) {
        let before = seen.insert((e.event.source, e.event.id.clone()), e.event.data.clone());
        assert_eq!(before.is_some(), e.truth.resent, "{}", e.event.id);
        resent += usize::from(e.truth.resent);
        assert!(before.is_none_or(|data| data == e.event.data));
    }
    assert!((60..200).contains(&resent), "{resent}");
}

#[test]
fn planted_personal_data_stands_in_the_text() {
    let mut kinds = HashSet::new();
    for e in all(&Plan { tickets: 0.3, ..plan(8, 20_000) }) {
        let Data::Ticket(ticket) = &e.event.data else { continue };
        let text = format!("{}\n{}", ticket.title.as_deref().unwrap_or_default(), ticket.body.as_deref().unwrap_or_default());
        for planted in &e.truth.planted {
            assert!(text.contains(&planted.text), "{planted:?} in {text}");
            kinds.insert(planted.kind);
        }
    }
    assert!(kinds.len() >= 8, "{kinds:?}");
}

#[test]
fn the_regression_shows_in_calls_tickets_and_scores() {
    let plan = plan(1, 60_000);
    let simulation = simulate(&plan).expect("a good plan");
    let story = simulation.story();
    let regression = story.regression.expect("payments are simulated");
    let events: Vec<_> = simulation.collect();
    let figures = figures(&events);
    let of = |version: &str| figures.operation(regression.api, version, regression.operation);
    let (before, since) = (of(&regression.baseline), of(&regression.version));
    assert!(since.calls > 300, "{since:?}");
    assert!(since.error_rate() > before.error_rate().map(|r| r * 3.0), "{before:?} {since:?}");
    assert!(since.mean_latency_ms() > before.mean_latency_ms().map(|l| l * 2.0));
    let tickets = |version: &str| figures.tickets(regression.api, version, "refund_failing");
    assert!(tickets(&regression.version) > 40 && tickets(&regression.baseline) == 0);
    let nps = |version: &str| figures.scores(regression.api, version, SurveyKind::Nps).nps();
    assert!(
        nps(&regression.version) < nps(&regression.baseline).map(|n| n - 20.0),
        "{:?} {:?}",
        nps(&regression.version),
        nps(&regression.baseline)
    );
    assert!(
        events
            .iter()
            .filter(|e| e.truth.version.as_ref() == Some(&regression.version) && e.truth.api == Some(regression.api))
            .all(|e| e.event.time >= regression.since)
    );
}

#[test]
fn the_other_parts_of_the_story_are_there() {
    let plan = plan(1, 60_000);
    let simulation = simulate(&plan).expect("a good plan");
    let story = simulation.story();
    let events: Vec<_> = simulation.collect();
    let figures = figures(&events);
    let fixed = story.fixed.expect("catalog");
    assert!(figures.tickets(fixed.api, &fixed.broken, fixed.topic) > 30);
    assert_eq!(figures.tickets(fixed.api, &fixed.fixed, fixed.topic), 0);
    let ignored = story.ignored.expect("identity");
    assert!(ignored.versions.iter().all(|v| figures.tickets(ignored.api, v, ignored.topic) >= 3));
    let loud = story.loud.expect("shipping");
    let about: Vec<_> = events.iter().filter(|e| e.truth.topic == Some(loud.topic) && e.event.event_type() == EventType::Ticket).collect();
    assert!(about.len() > 30 && about.iter().all(|e| e.truth.consumer.as_ref() == Some(&loud.consumer)));
}

#[test]
fn people_write_in_many_ways() {
    let tickets: Vec<_> =
        all(&Plan { tickets: 0.3, ..plan(9, 20_000) }).into_iter().filter(|e| e.event.event_type() == EventType::Ticket).collect();
    let bodies: HashSet<_> =
        tickets.iter().filter_map(|e| if let Data::Ticket(t) = &e.event.data { t.body.clone() } else { None }).collect();
    assert!(bodies.len() * 10 > tickets.len() * 8, "{} texts of {}", bodies.len(), tickets.len());
    let mut lengths: Vec<_> = bodies.iter().map(String::len).collect();
    lengths.sort_unstable();
    assert!(
        lengths[lengths.len() / 10] < 120 && lengths[lengths.len() * 9 / 10] > 400,
        "{:?}",
        (lengths[lengths.len() / 10], lengths[lengths.len() * 9 / 10])
    );
    let languages: HashSet<_> = tickets.iter().filter_map(|e| e.truth.language).collect();
    assert_eq!(languages.len(), 6);
    assert!(tickets.iter().any(|e| e.truth.misleading) && tickets.iter().any(|e| e.truth.near.is_some()));
    let told = |f: fn(&groundswell_contract::Ticket) -> bool| {
        tickets.iter().filter(|e| if let Data::Ticket(t) = &e.event.data { f(t) } else { false }).count() * 100 / tickets.len()
    };
    assert!(
        (15..40).contains(&told(|t| t.api_version.is_some()))
            && (40..70).contains(&told(|t| t.api.is_some()))
            && (35..65).contains(&told(|t| t.consumer.is_some()))
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    /// Whatever is asked, the truth of usage adds up with what the events say.
    #[test]
    fn truth_adds_up(seed: u64, days in 7u32..60, consumers in 10usize..80, apis in 1usize..=4, events in 200u64..3_000) {
        let plan = Plan { days, consumers, apis, ..plan(seed, events) };
        let events = all(&plan);
        let figures = figures(&events);
        let (mut calls, mut failed) = (0, 0);
        for e in events.iter().filter(|e| !e.truth.resent) {
            let Data::Usage(usage) = &e.event.data else { continue };
            let stands_for = usage.count.unwrap_or(1) * u64::from(e.event.sampled.unwrap_or(1));
            prop_assert_eq!(e.truth.calls, stands_for);
            prop_assert_eq!(e.truth.failed > 0, usage.status >= Some(400));
            prop_assert!(usage.api_version.is_none() || usage.api_version.as_deref() == e.truth.version.as_deref());
            calls += stands_for;
            failed += e.truth.failed;
        }
        prop_assert_eq!(figures.calls.values().map(|c| c.calls).sum::<u64>(), calls);
        prop_assert_eq!(figures.calls.values().map(|c| c.failed).sum::<u64>(), failed);
        prop_assert_eq!(figures.events + figures.resent, events.len() as u64);
    }
}
