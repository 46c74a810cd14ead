//! Decoding and validation, seen from outside: what is accepted, what is refused and why.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests may fail loudly")]

use groundswell_contract::{
    CloudEvent, Data, Decoded, EventType, Incoming, Limits, SurveyKind, content_hash, decode, split_batch, validate,
};
use groundswell_model::{Reject, RejectReason, Timestamp};
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp(1_772_361_000_000);

fn event(ty: &str, data: Value) -> Value {
    json!({"specversion": "1.0", "type": ty, "source": "/shop", "id": "1", "time": "2026-03-01T10:00:00Z", "data": data})
}

fn check_text(text: &str) -> Result<Decoded, Reject> {
    let incoming = Incoming { body: Some(text.as_bytes()), ..Incoming::default() };
    let limits = Limits::default();
    let decoded = decode(&incoming, &limits)?;
    validate(&decoded, NOW, &limits)?;
    Ok(decoded)
}

fn check(event: &Value) -> Result<Decoded, Reject> {
    check_text(&event.to_string())
}

fn reason(event: &Value) -> (RejectReason, String) {
    let reject = check(event).expect_err("must be refused");
    (reject.reason, reject.detail)
}

fn usage(data: Value) -> Value {
    let mut fields = json!({"api": "orders", "status": 200});
    fields.as_object_mut().unwrap().extend(data.as_object().unwrap().clone());
    event("groundswell.usage.v1", fields)
}

#[test]
fn usage_is_decoded_whole() {
    let decoded = check(&usage(json!({
        "path": "/v2/orders", "method": "GET", "latency_ms": 12.5, "consumer": "acme", "count": 3, "request_id": null,
        "revenue": {"amount": 0.5, "currency": "EUR"}, "value": {"name": "order_placed"}, "region": "eu", "outcome": "success"
    })))
    .unwrap();
    let Data::Usage(data) = &decoded.data else { panic!("{decoded:?}") };
    assert_eq!((data.status, data.count, data.latency_ms), (Some(200), Some(3), Some(12.5)));
    assert_eq!(data.request_id, None);
    assert_eq!(data.attributes.get("region"), Some(&json!("eu")));
    assert_eq!(decoded.time, Some(Timestamp(1_772_359_200_000)));
}

#[test]
fn every_range_of_the_contract_is_kept() {
    let survey =
        |kind: &str, score: f64| check(&event("groundswell.survey.v1", json!({"kind": kind, "score": score}))).map_err(|r| r.reason).err();
    for (kind, low, high) in [("nps", 0.0, 10.0), ("csat", 1.0, 5.0), ("ces", 1.0, 7.0)] {
        assert_eq!((survey(kind, low), survey(kind, high)), (None, None));
        assert_eq!((survey(kind, low - 1.0), survey(kind, high + 0.5)), (Some(RejectReason::OutOfRange), Some(RejectReason::OutOfRange)));
    }
    let rating = |data: Value| check(&event("groundswell.survey.v1", data)).map_err(|r| r.reason).err();
    assert_eq!(rating(json!({"kind": "rating", "score": 3, "min": 1, "max": 5})), None);
    assert_eq!(rating(json!({"kind": "rating", "score": 6, "min": 1, "max": 5})), Some(RejectReason::OutOfRange));
    assert_eq!(rating(json!({"kind": "rating", "score": 3, "min": 5, "max": 1})), Some(RejectReason::OutOfRange));
    assert_eq!(rating(json!({"kind": "rating", "score": 3, "max": 5})), Some(RejectReason::MissingField));
    for (field, bad) in [
        ("status", json!(99)),
        ("status", json!(600)),
        ("status", json!(70000)),
        ("status", json!(-1)),
        ("status", json!(200.5)),
        ("count", json!(0)),
        ("count", json!(-5)),
        ("count", json!(2_000_000_000u64)),
        ("latency_ms", json!(-0.1)),
        ("revenue", json!({"amount": 1e300, "currency": "EUR"})),
        ("bytes", json!(-1)),
    ] {
        assert_eq!(reason(&usage(json!({field: bad}))).0, RejectReason::OutOfRange, "{field} {bad}");
    }
}

#[test]
fn a_reject_names_the_field_and_never_quotes_the_record() {
    let secret = "jane.doe@example.com";
    let cases = [
        (usage(json!({"revenue": {"amount": secret, "currency": "EUR"}})), RejectReason::InvalidData, "`data.revenue.amount`"),
        (usage(json!({"status": secret})), RejectReason::InvalidData, "`data.status`"),
        (usage(json!({"outcome": format!("{secret}, expected x")})), RejectReason::InvalidData, "`data.outcome`"),
        (event("groundswell.ticket.v1", json!({"title": {"x": secret}})), RejectReason::InvalidData, "`data.title`"),
        (event("groundswell.ticket.v1", json!({"tags": ["a", {"b": secret}]})), RejectReason::InvalidData, "`data.tags[1]`"),
        (event("groundswell.ticket.v1", json!(secret)), RejectReason::InvalidData, "`data` must be a JSON object"),
        (event("groundswell.survey.v1", json!({"kind": secret, "score": 1})), RejectReason::InvalidData, "`data.kind`"),
        (event(secret, json!({})), RejectReason::UnknownType, "`type`"),
        (
            json!({"specversion": "1.0", "type": "groundswell.usage.v1", "source": "/s", "id": "1", secret: 1, "data": {}}),
            RejectReason::NotCloudEvent,
            "attribute name",
        ),
        (
            json!({"specversion": secret, "type": "groundswell.usage.v1", "source": "/s", "id": "1", "data": {}}),
            RejectReason::UnsupportedSpecVersion,
            "1.0",
        ),
        (event("groundswell.identity.v1", json!({"consumer": "a", "emails": ["secret"]})), RejectReason::InvalidData, "`data.emails`"),
    ];
    for (event, expected, words) in cases {
        let (reason, detail) = reason(&event);
        assert_eq!(reason, expected, "{detail}");
        assert!(detail.contains(words), "{detail} must name {words}");
        assert!(!detail.contains("jane") && !detail.contains("example.com"), "quotes the record: {detail}");
    }
}

#[test]
fn broken_json_is_told_by_its_byte() {
    for (text, words) in
        [("{\"specversion\": nan}", "at byte 17"), ("{\"a\":1}x", "at byte 7"), ("", "at byte 0"), ("{\"id\":\"\u{1}\"}", "at byte")]
    {
        let reject = check_text(text).expect_err("must be refused");
        assert_eq!(reject.reason, RejectReason::NotJson);
        assert!(reject.detail.contains(words), "{}", reject.detail);
    }
    let nan =
        r#"{"specversion":"1.0","type":"groundswell.usage.v1","source":"/s","id":"1","data":{"api":"a","status":200,"latency_ms":NaN}}"#;
    assert_eq!(check_text(nan).map_err(|r| r.reason), Err(RejectReason::NotJson));
    let huge = nan.replace("NaN", "1e999");
    assert_eq!(check_text(&huge).map_err(|r| r.reason), Err(RejectReason::OutOfRange));
    let unknown_huge = nan.replace("\"latency_ms\":NaN", "\"foo\":1e999");
    assert_eq!(check_text(&unknown_huge).map_err(|r| r.reason), Err(RejectReason::OutOfRange));
    assert_eq!(check_text("[1]").map_err(|r| r.reason), Err(RejectReason::NotCloudEvent));
}

#[test]
fn required_attributes_must_be_there_once() {
    for name in ["specversion", "type", "source", "id"] {
        let mut missing = usage(json!({}));
        missing.as_object_mut().unwrap().remove(name);
        assert_eq!(reason(&missing).0, RejectReason::NotCloudEvent, "{name} missing");
        let mut blank = usage(json!({}));
        blank[name] = json!("");
        assert_eq!(reason(&blank).0, RejectReason::NotCloudEvent, "{name} empty");
        let mut null = usage(json!({}));
        null[name] = json!(null);
        assert_eq!(reason(&null).0, RejectReason::NotCloudEvent, "{name} null");
    }
    let twice = usage(json!({})).to_string().replacen("\"id\"", "\"id\":\"0\",\"id\"", 1);
    assert_eq!(check_text(&twice).map_err(|r| r.reason), Err(RejectReason::NotCloudEvent));
    let twice = usage(json!({})).to_string().replacen("\"status\"", "\"status\":500,\"status\"", 1);
    assert_eq!(check_text(&twice).map_err(|r| r.reason), Err(RejectReason::InvalidData));
    let mut control = usage(json!({}));
    control["id"] = json!("a\u{0}b");
    assert_eq!(reason(&control).0, RejectReason::NotCloudEvent);
}

#[test]
fn required_fields_must_be_there() {
    for (ty, data, field) in [
        ("groundswell.ticket.v1", json!({"title": "  ", "body": null}), "data.title"),
        ("groundswell.survey.v1", json!({"score": 3}), "data.kind"),
        ("groundswell.survey.v1", json!({"kind": "nps", "score": null}), "data.score"),
        ("groundswell.usage.v1", json!({"status": 200}), "data.api"),
        ("groundswell.usage.v1", json!({"api": "orders"}), "data.status"),
        ("groundswell.usage.v1", json!({"api": "orders", "status": 200, "revenue": {"amount": 1}}), "data.revenue.currency"),
        ("groundswell.release.v1", json!({"api": "orders", "api_version": "v1"}), "data.stage"),
        ("groundswell.release.v1", json!({"api": "", "api_version": "v1", "stage": "released"}), "data.api"),
        ("groundswell.identity.v1", json!({"emails": []}), "data.consumer"),
    ] {
        let (reason, detail) = reason(&event(ty, data));
        assert_eq!(reason, RejectReason::MissingField, "{detail}");
        assert!(detail.contains(field), "{detail} must name {field}");
    }
    let mut no_data = usage(json!({}));
    no_data["data"] = json!(null);
    assert_eq!(reason(&no_data).0, RejectReason::MissingField);
}

#[test]
fn times_are_checked() {
    let at = |time: Value| {
        let mut e = usage(json!({}));
        e["time"] = time;
        check(&e).map_err(|r| r.reason).err()
    };
    assert_eq!(at(json!("2026-03-02T10:00:00+02:00")), None);
    assert_eq!(at(json!(null)), None);
    assert_eq!(at(json!("2026-03-02T10:30:01Z")), Some(RejectReason::TimeInFuture));
    assert_eq!(at(json!("1970-01-01T00:00:00Z")), Some(RejectReason::TimeInvalid));
    assert_eq!(at(json!("yesterday")), Some(RejectReason::TimeInvalid));
    assert_eq!(at(json!("")), Some(RejectReason::TimeInvalid));
    assert_eq!(at(json!(1772361000)), Some(RejectReason::NotCloudEvent));
}

#[test]
fn what_is_clearly_meant_is_taken() {
    let decoded =
        check(&usage(json!({"status": "404", "count": 2.0, "latency_ms": "1.5", "consumer": 42, "api_version": 3, "plan": " gold "})))
            .unwrap();
    let Data::Usage(data) = decoded.data else { panic!() };
    assert_eq!((data.status, data.count, data.latency_ms), (Some(404), Some(2), Some(1.5)));
    assert_eq!((data.consumer.as_deref(), data.api_version.as_deref(), data.plan.as_deref()), (Some("42"), Some("3"), Some("gold")));
    let (reason, detail) = reason(&usage(json!({"api_version": 2.10})));
    assert_eq!(reason, RejectReason::InvalidData);
    assert!(detail.contains("2.10 becomes 2.1"), "{detail}");
    let ticket =
        check(&event("groundswell.ticket.v1", json!({"title": "x", "ticket_id": 4711, "tags": null, "requester": {"id": 7}}))).unwrap();
    let Data::Ticket(ticket) = ticket.data else { panic!() };
    assert_eq!((ticket.ticket_id.as_deref(), ticket.tags.len()), (Some("4711"), 0));
}

#[test]
fn binary_mode_over_kafka_and_http() {
    let over = |prefix: &str, content_type: Option<&str>, body: &[u8], source: &str| {
        let names: Vec<String> =
            ["specversion", "type", "source", "id", "sampledrate", "comexample"].iter().map(|n| format!("{prefix}{n}")).collect();
        let values: [&[u8]; 6] = [b"1.0", b"groundswell.usage.v1", source.as_bytes(), b"1", b"10", b"kept"];
        let headers: Vec<(&str, &[u8])> = names.iter().map(String::as_str).zip(values).collect();
        decode(&Incoming { content_type, headers: &headers, body: Some(body) }, &Limits::default())
    };
    let body = br#"{"api":"a","status":200}"#;
    let kafka = over("ce_", Some("application/json"), body, "/a%20b").unwrap();
    assert_eq!((kafka.source.as_str(), kafka.sampled()), ("/a%20b", 10));
    assert_eq!(kafka.extensions.others, [("comexample".to_owned(), "\"kept\"".to_owned())]);
    let http = over("Ce-", Some("application/json; charset=utf-8"), body, "/a%20b").unwrap();
    assert_eq!(http.source, "/a b");
    assert_eq!(over("ce_", None, body, "/s").map(|d| d.ty()), Ok(EventType::Usage));
    assert_eq!(over("ce_", Some("text/xml"), body, "/s").map_err(|r| r.reason), Err(RejectReason::UnsupportedContentType));
    assert_eq!(over("ce_", Some("application/json"), b"", "/s").map_err(|r| r.reason), Err(RejectReason::MissingField));
    assert_eq!(over("ce_", Some("application/json"), b"[1]", "/s").map_err(|r| r.reason), Err(RejectReason::InvalidData));
    assert_eq!(over("ce_", Some("application/json"), b"{", "/s").map_err(|r| r.reason), Err(RejectReason::NotJson));
    let avro = Incoming { content_type: Some("application/cloudevents+avro"), headers: &[], body: Some(b"x") };
    assert_eq!(decode(&avro, &Limits::default()).map_err(|r| r.reason), Err(RejectReason::UnsupportedContentType));
    let from_header = Incoming { content_type: None, headers: &[("Content-Type", b"text/plain")], body: Some(b"x") };
    assert_eq!(decode(&from_header, &Limits::default()).map_err(|r| r.reason), Err(RejectReason::UnsupportedContentType));
}

#[test]
fn data_in_base64_is_read_if_it_is_json() {
    let base64 = |data: &str, ty: &str| {
        let e = json!({"specversion": "1.0", "type": "groundswell.usage.v1", "source": "/s", "id": "1", "datacontenttype": ty, "data_base64": data});
        check(&e).map_err(|r| r.reason).map(|d| d.ty())
    };
    assert_eq!(base64("eyJhcGkiOiJhIiwic3RhdHVzIjoyMDB9", "application/json"), Ok(EventType::Usage));
    assert_eq!(base64("8J+koQ==", "application/octet-stream"), Err(RejectReason::UnsupportedContentType));
    assert_eq!(base64("8J+koQ==", "application/json"), Err(RejectReason::NotJson));
    assert_eq!(base64("not base64", "application/json"), Err(RejectReason::InvalidData));
    let mut both = usage(json!({}));
    both["data_base64"] = json!("e30=");
    assert_eq!(reason(&both).0, RejectReason::NotCloudEvent);
}

#[test]
fn limits_bound_size_depth_batches_and_extensions() {
    let limits = Limits { event_bytes: 300, depth: 4, batch_events: 2, attributes: 1, ..Limits::default() };
    let of = |event: &Value| {
        let text = event.to_string();
        decode(&Incoming { body: Some(text.as_bytes()), ..Incoming::default() }, &limits).map_err(|r| r.reason)
    };
    assert_eq!(of(&usage(json!({"path": "x".repeat(300)}))).err(), Some(RejectReason::TooLarge));
    assert_eq!(of(&usage(json!({"x": [[1]]}))).err(), None);
    assert_eq!(of(&usage(json!({"x": [[[1]]]}))).err(), Some(RejectReason::TooDeep));
    let mut more = usage(json!({}));
    more["exta"] = json!(1);
    more["extb"] = json!(true);
    let decoded = of(&more).unwrap();
    assert_eq!((decoded.extensions.others.len(), decoded.extensions.left_out), (1, 1));
    assert_eq!(split_batch(b"[{},{}]", &limits).map(|v| v.len()), Ok(2));
    assert_eq!(
        split_batch(b"[{},{},1,[]]", &limits).map_err(|r| (r.reason, r.detail.contains("4 events"))).err(),
        Some((RejectReason::TooLarge, true))
    );
    assert_eq!(split_batch(b"{}", &limits).map_err(|r| r.reason).err(), Some(RejectReason::NotJson));
    assert_eq!(split_batch(b"[{}", &limits).map_err(|r| r.reason).err(), Some(RejectReason::NotJson));
    assert_eq!(split_batch(b"[", &limits).map_err(|r| r.reason).err(), Some(RejectReason::NotJson));
}

#[test]
fn the_content_hash_sees_content_and_nothing_else() {
    let hash = |e: &Value| content_hash(&check(e).unwrap(), &mut Vec::new());
    let base = usage(json!({"latency_ms": 5, "plan": "gold", "x": {"b": 1, "a": 2}}));
    let mut same = usage(json!({"x": {"a": 2, "b": 1}, "plan": " gold", "latency_ms": "5.0", "count": null}));
    same["recordedtime"] = json!("2026-03-01T11:00:00Z");
    same["partitionkey"] = json!("k");
    assert_eq!(hash(&base), hash(&same));
    for other in [usage(json!({"latency_ms": 6})), usage(json!({})), {
        let mut e = base.clone();
        e["time"] = json!("2026-03-01T10:00:01Z");
        e
    }] {
        assert_ne!(hash(&base), hash(&other));
    }
}

#[test]
fn what_publishers_encode_is_decoded_the_same_in_both_modes() {
    let data = groundswell_contract::Survey { kind: SurveyKind::Ces, score: 6.0, comment: Some("hard".into()), ..Default::default() };
    let mut event = CloudEvent::new(EventType::Survey, "/forms", "7", NOW, &data).unwrap();
    event.subject = Some("ä".into());
    event.extensions.insert("sampledrate".into(), json!(3));
    let structured = event.to_structured().unwrap();
    let headers = [("content-type", groundswell_contract::cloudevent::STRUCTURED.as_bytes())];
    let limits = Limits::default();
    let one = decode(&Incoming { content_type: None, headers: &headers, body: Some(&structured) }, &limits).unwrap();
    let (headers, value) = event.to_binary().unwrap();
    let headers: Vec<(&str, &[u8])> = headers.iter().map(|(n, v)| (n.as_str(), v.as_slice())).collect();
    let two = decode(&Incoming { content_type: None, headers: &headers, body: Some(&value) }, &limits).unwrap();
    assert_eq!(one, two);
    assert_eq!(one.data, Data::Survey(Box::new(data)));
}
