//! What holds for every input.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

use groundswell_contract::{CloudEvent, Data, Decoded, EventType, Incoming, Limits, content_hash, decode, split_batch, validate};
use groundswell_model::{Reject, Timestamp};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const NOW: Timestamp = Timestamp(1_772_361_000_000);
/// Stands in every generated text: no reject may repeat it.
const SECRET: &str = "qQsecretQq";

const FIELDS: &[&str] = &[
    "title",
    "body",
    "tags",
    "requester",
    "consumer",
    "api",
    "api_version",
    "operation",
    "kind",
    "score",
    "min",
    "max",
    "status",
    "outcome",
    "path",
    "latency_ms",
    "count",
    "revenue",
    "value",
    "amount",
    "currency",
    "name",
    "stage",
    "base_paths",
    "header",
    "sdks",
    "emails",
    "requester_ids",
    "time",
    "openapi",
    "bytes",
    "email",
    "id",
    "versions",
    "unknown",
];

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|n| serde_json::Number::from_f64(n).map_or(Value::Null, Value::Number)),
        (0i64..700).prop_map(Value::from),
        prop_oneof![Just("nps"), Just("rating"), Just("success"), Just("released"), Just("200")].prop_map(Value::from),
        ".{0,12}".prop_map(|t| Value::from(format!("{SECRET}{t}"))),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec((proptest::sample::select(FIELDS), inner), 0..8)
                .prop_map(|fields| Value::Object(fields.into_iter().map(|(n, v)| (n.to_owned(), v)).collect())),
        ]
    })
}

fn any_data() -> impl Strategy<Value = Value> {
    proptest::collection::vec((proptest::sample::select(FIELDS), any_json()), 0..14)
        .prop_map(|fields| Value::Object(fields.into_iter().map(|(n, v)| (n.to_owned(), v)).collect::<Map<_, _>>()))
}

fn any_event() -> impl Strategy<Value = Value> {
    let ty = proptest::sample::select(EventType::ALL.map(EventType::name).to_vec());
    (ty, any_data(), any_json(), any_json()).prop_map(|(ty, data, time, rate)| {
        let mut event = json!({"specversion": "1.0", "type": ty, "source": "/s", "id": "1", "data": data});
        // Often absent, so that the payload is reached.
        if time.is_string() {
            event["subject"] = time;
        }
        if rate.is_u64() {
            event["sampledrate"] = rate;
        }
        event
    })
}

fn take(event: &Value) -> Result<Decoded, Reject> {
    let (text, limits) = (event.to_string(), Limits::default());
    let decoded = decode(&Incoming { body: Some(text.as_bytes()), ..Incoming::default() }, &limits)?;
    validate(&decoded, NOW, &limits)?;
    Ok(decoded)
}

fn published(event: &Decoded) -> CloudEvent {
    let time = event.time.unwrap_or(NOW);
    let mut published = match &event.data {
        Data::Ticket(data) => CloudEvent::new(event.ty(), &event.source, &event.id, time, data),
        Data::Survey(data) => CloudEvent::new(event.ty(), &event.source, &event.id, time, data),
        Data::Usage(data) => CloudEvent::new(event.ty(), &event.source, &event.id, time, data),
        Data::Release(data) => CloudEvent::new(event.ty(), &event.source, &event.id, time, data),
        Data::Identity(data) => CloudEvent::new(event.ty(), &event.source, &event.id, time, data),
        Data::Correction(data) => CloudEvent::new(event.ty(), &event.source, &event.id, time, data),
        Data::Theme(data) => CloudEvent::new(event.ty(), &event.source, &event.id, time, data),
    }
    .unwrap();
    if event.time.is_none() {
        published.time = None;
    }
    published.subject = event.subject.clone();
    if let Some(rate) = event.extensions.sampledrate {
        published.extensions.insert("sampledrate".into(), json!(rate));
    }
    published
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_bytes_panic(body in proptest::collection::vec(any::<u8>(), 0..300), name in "ce[_-][a-z]{0,12}|content-type|.{0,5}", value in proptest::collection::vec(any::<u8>(), 0..40)) {
        let limits = Limits::default();
        let required: [(&str, &[u8]); 4] = [("ce_specversion", b"1.0"), ("ce_id", b"1"), ("ce_source", b"/s"), ("ce_type", b"groundswell.usage.v1")];
        for headers in [&[(name.as_str(), value.as_slice())][..], &required, &[required[0], required[1], required[2], required[3], (&name, &value)]] {
            let incoming = Incoming { content_type: None, headers, body: Some(&body) };
            if let Ok(event) = decode(&incoming, &limits) {
                drop(validate(&event, NOW, &limits));
            }
        }
        drop(split_batch(&body, &limits));
    }

    #[test]
    fn nearly_json_does_not_panic(text in r#"[\[{]?("(specversion|type|id|source|data|time)":)?[\[\]{}":,0-9eE.\\u+\-ntrf ]{0,60}"#) {
        let limits = Limits { depth: 5, batch_events: 4, ..Limits::default() };
        drop(decode(&Incoming { body: Some(text.as_bytes()), ..Incoming::default() }, &limits));
        if let Ok(events) = split_batch(text.as_bytes(), &limits) {
            prop_assert!(events.len() <= 4);
        }
    }

    #[test]
    fn no_reject_repeats_the_record(event in any_event()) {
        if let Err(reject) = take(&event) {
            prop_assert!(!reject.detail.contains(SECRET), "{}", reject.detail);
            prop_assert!(reject.detail.len() < 400, "{}", reject.detail);
        }
    }

    #[test]
    fn what_is_accepted_is_published_and_accepted_the_same(event in any_event()) {
        if let Ok(first) = take(&event) {
            let structured = published(&first).to_structured().unwrap();
            let again: Value = serde_json::from_slice(&structured).unwrap();
            let second = take(&again).map_err(|r| TestCaseError::fail(r.to_string()))?;
            prop_assert_eq!(content_hash(&first, &mut Vec::new()), content_hash(&second, &mut Vec::new()));
            prop_assert_eq!(first.data, second.data);
        }
    }
}
