use groundswell_contract::Release;
use groundswell_model::{ContentHash, EventHead, FeedbackKind, IdentityHash, Origin};
use serde_json::json;

use super::*;

fn catalogue() -> Catalogue {
    let mut c = Catalogue::default();
    for version in ["v1", "v2"] {
        let openapi = json!({"openapi": "3.0.0", "servers": [{"url": format!("https://api.example.com/{version}")}], "paths": {"/orders/{id}": {"get": {"operationId": "getOrder"}}}});
        let aliases = if version == "v2" { vec!["current".to_owned()] } else { Vec::new() };
        c.apply(
            &Release { api: "orders".into(), api_version: version.into(), aliases, openapi: Some(openapi), ..Release::default() },
            Timestamp(0),
        );
    }
    c
}

fn ticket() -> FeedbackEvent<'static> {
    FeedbackEvent {
        head: EventHead {
            identity: IdentityHash(1),
            content: ContentHash(1),
            source: "s",
            id: "1",
            time: Timestamp(0),
            received: Timestamp(0),
            origin: Origin::default(),
            consumer: "acme",
        },
        kind: FeedbackKind::Ticket { ticket_id: None, status: None, priority: None, channel: None, tags: Vec::new() },
        title: "t",
        body: "b",
        url: None,
        requester: None,
        org: None,
        domain: None,
        was: None,
        api: None,
        api_version: None,
        operation: None,
        request_id: None,
        traceparent: None,
        sdk: None,
        language: None,
        redacted: Vec::new(),
        attributes: Vec::new(),
    }
}

fn check(event: FeedbackEvent<'_>, api: &str, version: &str, rung: Rung, evidence: &[&str], operation: Option<&str>) {
    let catalogue = catalogue();
    let found = attribute(&Case { event: &event, catalogue: &catalogue, journal: None, look_back_days: 30 });
    let versions: Vec<_> = found.versions.iter().map(|v| (v.version, v.weight)).collect();
    assert_eq!((found.api, versions, found.rung), (api, vec![(version, 1.0)], rung), "{:?}", found.evidence);
    assert_eq!(found.evidence, evidence);
    assert_eq!(found.operation.as_deref(), operation);
    assert!((0.0..=1.0).contains(&found.confidence) && (found.confidence > 0.0) == (rung != Rung::Unknown));
}

#[test]
fn a_named_version_decides_by_its_declared_name() {
    let named = |version| FeedbackEvent { api: Some("orders"), api_version: Some(version), operation: Some("GET /orders/{x}"), ..ticket() };
    check(named("v1"), "orders", "v1", Rung::Explicit, &["field api_version: v1", "field api: orders"], Some("getOrder"));
    check(
        named("current"),
        "orders",
        "v2",
        Rung::Explicit,
        &["field api_version: current", "current is another name of v2", "field api: orders"],
        Some("getOrder"),
    );
    check(
        named("v7"),
        "orders",
        "v7",
        Rung::Explicit,
        &["field api_version: v7", "v7 is not in the catalogue of orders", "field api: orders"],
        Some("GET /orders/{x}"),
    );
}

#[test]
fn a_path_tells_api_version_and_operation() {
    let shown = &["operation GET /v2/orders/7 matches v2", "operation GET /v2/orders/7 belongs to orders"];
    check(FeedbackEvent { operation: Some("GET /v2/orders/7"), ..ticket() }, "orders", "v2", Rung::Path, shown, Some("getOrder"));
    let field = FeedbackEvent { attributes: vec![("endpoint", "\"https://api.example.com/v1/orders/7?x=1\"")], ..ticket() };
    check(
        field,
        "orders",
        "v1",
        Rung::Path,
        &[
            "endpoint https://api.example.com/v1/orders/7?x=1 matches v1",
            "endpoint https://api.example.com/v1/orders/7?x=1 belongs to orders",
        ],
        Some("getOrder"),
    );
}

#[test]
fn the_link_to_the_ticket_is_not_a_path_of_the_api() {
    let linked = |url| FeedbackEvent { url: Some(url), ..ticket() };
    check(linked("https://help.example.com/v2/orders/7"), UNKNOWN_API, UNKNOWN_VERSION, Rung::Unknown, &[], None);
    check(
        linked("https://api.example.com/v2/orders/7"),
        "orders",
        "v2",
        Rung::Path,
        &["url https://api.example.com/v2/orders/7 matches v2", "url https://api.example.com/v2/orders/7 belongs to orders"],
        Some("getOrder"),
    );
}

#[test]
fn what_nothing_tells_is_unknown_and_says_what_there_was() {
    check(
        FeedbackEvent { api_version: Some("v2"), ..ticket() },
        UNKNOWN_API,
        UNKNOWN_VERSION,
        Rung::Unknown,
        &["field api_version: v2, but nothing tells the API"],
        None,
    );
    check(FeedbackEvent { api: Some("orders"), ..ticket() }, "orders", UNKNOWN_VERSION, Rung::Unknown, &["field api: orders"], None);
}

fn journal(calls: &[(&str, i64, i64)]) -> Journal {
    let mut journal = Journal::default();
    for (version, from_hours, to_hours) in calls {
        for hour in *from_hours..*to_hours {
            let (time, event) = (Timestamp(hour * HOUR), format!("req_{version}_{hour:06}"));
            let call = crate::core::journal::Call {
                api: "orders",
                version,
                operation: "getOrder",
                time,
                failed: hour % 7 == 0,
                calls: 1,
                event: &event,
                traces: [Some(&event), None],
            };
            journal.note(&call, 31, |a, b| a.cmp(b), &mut Vec::new());
        }
    }
    journal
}

const HOUR: i64 = 3_600_000;

/// A consumer that runs v1 and v2 side by side writes: which version decides, by which rung?
fn said(text: &str) -> (String, Rung, f32) {
    let journal = journal(&[("v1", 0, 240), ("v2", 0, 240)]);
    let mut event = FeedbackEvent { api: Some("orders"), title: "", body: text, ..ticket() };
    event.head.time = Timestamp(240 * HOUR);
    let catalogue = catalogue();
    let found = attribute(&Case { event: &event, catalogue: &catalogue, journal: Some(&journal), look_back_days: 30 });
    let best = found.versions.iter().max_by(|a, b| a.weight.total_cmp(&b.weight)).map_or("", |v| v.version);
    (best.to_owned(), found.rung, found.confidence)
}

#[test]
fn a_text_that_names_its_version_decides() {
    for (text, expected) in [
        ("GET /v2/orders/7 gives us 500", "v2"),
        ("We call https://api.example.com/v2/orders/7 and wait for ever", "v2"),
        ("Since we moved to v2 everything is slow", "v2"),
        ("After moving from v1 to v2 refunds fail", "v2"),
        ("v1 -> v2 migration: ids are missing", "v2"),
        ("We upgraded to v2 from v1 last week and now get timeouts", "v2"),
        ("We are on v2.", "v2"),
        ("Orders API version 2 rejects our token", "v2"),
        ("The same code works fine on v1", "v2"),
        ("On v1 it worked, now it does not", "v2"),
        ("We rolled back to v1 because of the errors", "v2"),
        ("We never saw this on v1.", "v2"),
        ("When we point the client back at v1 everything is fine.", "v2"),
        ("It does not work on v2", "v2"),
        ("Fails on v2 but works on v1", "v2"),
        ("We are not on v1 any more, and get a 503", "v2"),
        ("Seit dem Umstieg von v1 auf v2 haben wir Fehler", "v2"),
        ("Mit v1 lief alles einwandfrei", "v2"),
        ("Avec v1 tout fonctionnait", "v2"),
        ("Con v1 funcionaba perfectamente", "v2"),
        ("v1では正常に動いていました", "v2"),
        ("v1からv2に移行したらエラーが出ます", "v2"),
        ("Our client uses v1 and gets 404 since Monday", "v1"),
    ] {
        let (version, rung, confidence) = said(text);
        assert!(version == expected && rung == Rung::Text && confidence > 0.75, "{text}: {version} {rung:?} {confidence}");
    }
}

#[test]
fn a_misleading_mention_never_decides() {
    for text in [
        "Our competitor's API v1 does not do that",
        "The Twilio API v2 is faster than this",
        "The Nimbus v1 API does it right, by the way.",
        "We talk HTTP/2 and TLS 1.2 to you",
        "We use python 2 with requests 2.31",
        "Stripe's v1 has idempotency keys",
        "See https://docs.other.example/v1/refunds for how others do it",
        "The docs of v1 say something else",
        "Will this be any different in v2?",
        "¿Cambia esto con v2?",
        "Isso muda com a v2?",
        "Ändert sich daran mit v2 etwas?",
        "A colleague says v1 behaves differently, I could not confirm that.",
        "We bumped the client library v2 last week and see timeouts",
        "Timeouts since 2024-06-01",
    ] {
        let (version, rung, confidence) = said(text);
        assert!(rung == Rung::Share && confidence < 0.75, "{text}: {version} {rung:?} {confidence}");
    }
}

#[test]
fn a_request_of_the_consumer_decides_wherever_it_is_named() {
    let journal = journal(&[("v1", 0, 240), ("v2", 200, 240)]);
    let catalogue = catalogue();
    let decide = |event: &FeedbackEvent<'_>| {
        let found = attribute(&Case { event, catalogue: &catalogue, journal: Some(&journal), look_back_days: 30 });
        (found.versions[0].version.to_owned(), found.rung, found.deciding.clone(), found.operation.as_deref().map(str::to_owned))
    };
    let mut event = FeedbackEvent { request_id: Some("req_v2_000203"), ..ticket() };
    event.head.time = Timestamp(240 * HOUR);
    let expected = ("v2".to_owned(), Rung::Request, vec!["req_v2_000203".to_owned()], Some("getOrder".to_owned()));
    assert_eq!(decide(&event), expected);
    assert_eq!(decide(&FeedbackEvent { request_id: None, body: "One example: req_v2_000203.", ..event.clone() }), expected);
    let strange = decide(&FeedbackEvent { request_id: Some("req_of_somebody_else"), ..event });
    assert_eq!(strange.1, Rung::Share);
}

#[test]
fn a_field_that_the_calls_contradict_stands_and_is_marked() {
    let journal = journal(&[("v1", 0, 240)]);
    let catalogue = catalogue();
    let mut event = FeedbackEvent { api: Some("orders"), api_version: Some("v2"), ..ticket() };
    event.head.time = Timestamp(240 * HOUR);
    let found = attribute(&Case { event: &event, catalogue: &catalogue, journal: Some(&journal), look_back_days: 30 });
    assert_eq!((found.versions[0].version, found.rung, found.flags.as_slice()), ("v2", Rung::Explicit, &["contradicted"][..]));
    assert!(found.confidence < 0.7 && found.evidence[1].contains("never v2"), "{:?}", found.evidence);
}

#[test]
fn who_just_moved_is_mostly_on_the_new_version() {
    let journal = journal(&[("v1", 0, 660), ("v2", 660, 720)]);
    let catalogue = catalogue();
    let mut event = FeedbackEvent { api: Some("orders"), ..ticket() };
    event.head.time = Timestamp(720 * HOUR);
    let found = attribute(&Case { event: &event, catalogue: &catalogue, journal: Some(&journal), look_back_days: 30 });
    assert_eq!((found.rung, found.versions[0].version), (Rung::Share, "v2"));
    assert!(found.versions[0].weight > 0.7, "{:?}", found.versions);
    assert!((found.versions.iter().map(|v| v.weight).sum::<f32>() - 1.0).abs() < 1e-5);
}
