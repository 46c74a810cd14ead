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
