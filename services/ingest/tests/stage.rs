//! What becomes of the records of the source topics.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

mod support;

use std::collections::BTreeMap;

use groundswell_bus::{NewRecord, Topic};
use groundswell_model::{Event, FeedbackKind, IdentityHash};
use groundswell_text::redact::pseudonym;
use serde_json::{Value, json};

use support::{SECRET, World, event, structured, usage};

#[test]
fn every_record_has_exactly_one_fate() {
    let world = World::new();
    let mut records = Vec::new();
    for n in 0..300 {
        records.push(structured(Topic::Usage, &usage(&format!("u{n}"), &format!("c{}", n % 20))));
    }
    records.push(structured(Topic::Tickets, &event("ticket", "t1", json!({"title": "It fails"}))));
    records.push(structured(Topic::Surveys, &event("survey", "s1", json!({"kind": "nps", "score": 9}))));
    records.push(structured(Topic::Usage, &event("ticket", "t2", json!({"title": "On the wrong topic"}))));
    records.push(NewRecord::keyed(Topic::Usage, "k", b"{broken".to_vec()).header("ce-like", "x"));
    records.push(NewRecord { topic: Some(Topic::Tickets), key: b"gone".to_vec(), ..NewRecord::default() });
    records.push(structured(Topic::Catalogue, &event("identity", "i1", json!({"consumer": "acme"}))));
    records.push(structured(Topic::Catalogue, &event("release", "r1", json!({"api": "orders"}))));
    world.publish(records);
    world.settle();

    let mut seen = BTreeMap::new();
    let accepted = world.events(|_, event| *seen.entry(event.head().identity).or_insert(0) += 1);
    assert_eq!(accepted, 302);
    assert!(seen.values().all(|n| *n == 1));
    let letters = world.letters();
    let mut reasons: Vec<_> = letters.iter().map(|l| (l.header("gs-reason"), l.header("gs-topic"))).collect();
    reasons.sort_unstable();
    assert_eq!(reasons, [("missing_field", "feedback.catalogue"), ("not_json", "feedback.usage"), ("wrong_topic", "feedback.usage")]);
    let broken = letters.iter().find(|l| l.header("gs-reason") == "not_json").unwrap();
    assert_eq!((broken.value.as_slice(), broken.key.as_slice(), broken.header("orig-ce-like")), (&b"{broken"[..], &b"k"[..], "x"));
    assert_eq!(broken.header("gs-service"), "ingest");
    assert!(broken.header("gs-detail").contains("at byte"));
    let wrong = letters.iter().find(|l| l.header("gs-reason") == "wrong_topic").unwrap();
    assert!(wrong.header("gs-detail").contains("feedback.tickets"), "{}", wrong.header("gs-detail"));
}

#[test]
fn the_partition_of_a_stranger_learns_who_they_are() {
    let world = World::new();
    let identity = json!({"consumer": "acme", "emails": ["Ada@acme.example"], "email_domains": ["acme.example"], "org": "Acme"});
    world.publish(vec![structured(Topic::Catalogue, &event("identity", "i1", identity))]);
    world.settle();
    let (mut of_person, mut of_domain) = (Vec::new(), 0);
    world.events(|_, event| {
        let Event::Known(known) = event else { return };
        assert_eq!(known.consumer, "acme");
        match known.org {
            None => of_person.push(known.head.consumer.to_owned()),
            Some(org) => {
                assert_eq!((org, known.keys[0]), ("acme", pseudonym(&SECRET, "acme.example").as_str()));
                of_domain += 1;
            }
        }
    });
    assert_eq!(of_person, [pseudonym(&SECRET, "ada@acme.example")]);
    assert!(of_domain >= 1, "every partition is told of a domain");
}

#[test]
fn nothing_is_read_twice_after_a_restart() {
    let world = World::new();
    world.publish(vec![structured(Topic::Usage, &usage("u1", "acme"))]);
    world.settle();
    let world = world.restarted();
    world.publish(vec![structured(Topic::Usage, &usage("u2", "acme"))]);
    world.settle();
    assert_eq!(world.events(|_, _| {}), 2);
}

#[test]
fn a_consumer_keeps_its_partition_and_nobody_is_spread() {
    let world = World::new();
    let anonymous = |n: usize| event("usage", &format!("a{n}"), json!({"api": "orders", "status": 200}));
    let mut records: Vec<_> = (0..100).map(|n| structured(Topic::Usage, &usage(&format!("u{n}"), &format!("c{}", n % 7)))).collect();
    records.extend((0..100).map(|n| structured(Topic::Usage, &anonymous(n))));
    world.publish(records);
    world.settle();
    let mut places: BTreeMap<String, std::collections::BTreeSet<u32>> = BTreeMap::new();
    world.events(|partition, event| {
        places.entry(event.head().consumer.to_owned()).or_default().insert(partition);
    });
    let nobody = places.remove("").unwrap();
    assert_eq!(nobody.len(), 4);
    assert!(places.len() == 7 && places.values().all(|p| p.len() == 1), "{places:?}");
}

#[test]
fn usage_is_carried_whole_and_without_what_may_be_personal() {
    let world = World::new();
    let mut published = event(
        "usage",
        "u1",
        json!({
            "path": "https://bob:pw@API.example.com:8443/v2/orders?token=abc#top", "method": "get", "status": 503, "latency_ms": 12.5, "count": 3,
            "consumer": "Jane@Acme.example", "revenue": {"amount": 0.25, "currency": "EUR"}, "value": {"name": "order_placed"},
            "user_agent": "acme-sync/1.2", "region": "eu", "nested": {"b": [1, 2]}, "nothing": null
        }),
    );
    published["sampledrate"] = json!(10);
    published["exta"] = json!("x");
    world.publish(vec![structured(Topic::Usage, &published)]);
    world.settle();
    let count = world.events(|_, event| {
        let Event::Usage(usage) = event else { panic!("{event:?}") };
        assert_eq!((usage.path, usage.host, usage.method), ("/v2/orders", "api.example.com", "GET"));
        assert_eq!((usage.status, usage.failed, usage.calls), (503, true, 30));
        assert_eq!((usage.revenue, usage.value), (Some((250_000, "EUR")), Some(("order_placed", 1.0))));
        assert_eq!(usage.head.consumer, pseudonym(&SECRET, "jane@acme.example"));
        assert_eq!(usage.sdk, Some("acme-sync/1.2"));
        assert_eq!(usage.attributes, [("nested", r#"{"b":[1,2]}"#), ("region", r#""eu""#), ("exta", r#""x""#)]);
        assert_eq!(usage.head.identity, IdentityHash::of("/shop", "u1"));
    });
    assert_eq!(count, 1);
    for raw in ["bob", "token", "abc", "Acme.example"] {
        assert!(!contains(&world.event_bytes(), raw), "{raw} went through the door");
    }
}

#[test]
fn feedback_is_redacted_at_the_door() {
    let world = World::new();
    let ticket = event(
        "ticket",
        "t1",
        json!({
            "title": "Login of jane.doe@example.com fails", "body": "Please write to jane.doe@example.com. Regards, Zebulon",
            "requester": {"id": "r-77", "email": "jane.doe@example.com", "name": "Zebulon Quux", "org": "Acme"},
            "tags": ["vip jane.doe@example.com"], "url": "https://bob:hunter2@desk.example.com/t/1", "cc": "jane.doe@example.com", "prio": 2
        }),
    );
    world.publish(vec![structured(Topic::Tickets, &ticket)]);
    world.settle();
    let count = world.events(|_, event| {
        let Event::Feedback(feedback) = event else { panic!("{event:?}") };
        let FeedbackKind::Ticket { tags, .. } = &feedback.kind else { panic!("{feedback:?}") };
        assert_eq!((feedback.title, tags.as_slice()), ("Login of [email] fails", &["vip [email]"][..]));
        assert_eq!(feedback.body, "Please write to [email]. Regards, [name]");
        assert_eq!(feedback.requester, Some(pseudonym(&SECRET, "r-77").as_str()));
        assert_eq!(feedback.head.consumer, pseudonym(&SECRET, "r-77"));
        assert_eq!(feedback.org, Some("Acme"));
        assert_eq!(feedback.attributes, [("cc", r#""[email]""#), ("prio", "2")]);
        assert_eq!(feedback.redacted, [("email", 2), ("name", 1)]);
    });
    assert_eq!(count, 1);
    for raw in ["jane.doe", "example.com.", "hunter2", "Zebulon", "Quux", "r-77"] {
        assert!(!contains(&world.event_bytes(), raw), "{raw} went through the door");
    }
}

#[test]
fn the_identity_map_decides_who_a_requester_writes_for() {
    let world = World::new();
    let identity = |id: &str, data: Value| structured(Topic::Catalogue, &event("identity", id, data));
    world.publish(vec![
        identity(
            "i1",
            json!({"consumer": "acme-web", "emails": ["jane@acme.example"], "requester_ids": [77], "email_domains": ["acme.example"]}),
        ),
        identity("i2", json!({"consumer": "globex", "org": "Globex Inc"})),
    ]);
    let ticket = |id: &str, data: Value| {
        let mut fields = json!({"title": "Help"});
        fields.as_object_mut().unwrap().extend(data.as_object().unwrap().clone());
        structured(Topic::Tickets, &event("ticket", id, fields))
    };
    world.publish(vec![
        ticket("explicit", json!({"consumer": "other", "requester": {"email": "jane@acme.example"}})),
        ticket("email", json!({"requester": {"email": "Jane@Acme.example"}})),
        ticket("id", json!({"requester": {"id": 77}})),
        ticket("domain", json!({"requester": {"email": "bob@acme.example"}})),
        ticket("org", json!({"requester": {"org": "globex inc"}})),
        ticket("unknown", json!({"requester": {"email": "who@else.example"}})),
        ticket("nobody", json!({})),
    ]);
    world.settle();
    let mut consumers = BTreeMap::new();
    world.events(|_, event| drop(consumers.insert(event.head().id.to_owned(), event.head().consumer.to_owned())));
    let of = |id: &str| consumers[id].as_str();
    assert_eq!(
        [of("explicit"), of("email"), of("id"), of("domain"), of("org"), of("nobody")],
        ["other", "acme-web", "acme-web", "acme-web", "globex", ""]
    );
    assert_eq!(of("unknown"), pseudonym(&SECRET, "who@else.example"));
}

#[test]
fn binary_mode_is_read_and_time_falls_back_to_the_record() {
    let world = World::new();
    let record = NewRecord::keyed(Topic::Surveys, "k", br#"{"kind":"csat","score":4}"#.to_vec())
        .header("ce_specversion", "1.0")
        .header("ce_type", "groundswell.survey.v1")
        .header("ce_source", "/forms")
        .header("ce_id", "1")
        .header("content-type", "application/json");
    world.publish(vec![record]);
    world.settle();
    let count = world.events(|_, event| {
        let Event::Feedback(feedback) = event else { panic!("{event:?}") };
        assert_eq!(feedback.kind, FeedbackKind::Survey { kind: "csat", score: 4.0, min: 1.0, max: 5.0, question: None });
        assert!(feedback.head.time == feedback.head.received && feedback.head.time.0 > 0);
        assert_eq!((feedback.head.origin.topic, feedback.head.origin.offset), (Topic::Surveys.number(), 0));
    });
    assert_eq!(count, 1);
}

#[test]
fn limits_hold_and_large_events_never_share_a_frame_too_large_for_a_record() {
    let world = World::with(|s| s.limits.attributes = 2);
    let long = "lorem ipsum ".repeat(50_000);
    let mut records: Vec<_> = (0..4)
        .map(|n| structured(Topic::Tickets, &event("ticket", &format!("t{n}"), json!({"title": long, "body": long, "consumer": "acme"}))))
        .collect();
    for n in 0..8 {
        let mut ticket = event("ticket", &format!("m{n}"), json!({"title": "x", "body": long, "consumer": "acme", "a": 1, "b": 2, "c": 3}));
        ticket["data"]["a"] = json!("y".repeat(5000));
        records.push(structured(Topic::Tickets, &ticket));
    }
    world.publish(records);
    world.settle();
    assert!(world.letters().iter().all(|l| l.header("gs-reason") == "too_large"));
    assert_eq!(world.letters().len(), 4);
    let events = world.events(|_, event| {
        let Event::Feedback(feedback) = event else { panic!() };
        assert_eq!(feedback.attributes.len(), 2);
        assert!(feedback.attributes.iter().all(|(n, j)| n.len() + j.len() <= 1024 && serde_json::from_str::<Value>(j).is_ok()));
    });
    assert_eq!(events, 8);
    world.bus.reader(Topic::Events).unwrap().catch_up(&mut |r| assert!(r.value.unwrap().len() < 1_000_000)).unwrap();
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|w| w == text.as_bytes())
}
