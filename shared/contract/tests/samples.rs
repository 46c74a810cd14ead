//! The public samples of the CloudEvents specification and conformance suite, by kind.
//!
//! None of them has a type of ours. So a well-formed event must be refused for its type and nothing else, and must be
//! accepted once its type and data are ours; what only shows the form of a message (`...` in the body) is no JSON; and
//! text that is no event at all is refused.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests may fail loudly")]

use std::path::Path;

use groundswell_contract::{Decoded, Incoming, Limits, decode, media, split_batch};
use groundswell_model::{Reject, RejectReason};
use serde_json::{Value, json};

#[path = "../../../tests/src/skip.rs"]
pub mod skip;

fn samples() -> Option<Vec<Value>> {
    let data = std::env::var_os("GROUNDSWELL_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), Into::into);
    let path = data.join("cloudevents_samples/samples.jsonl");
    let Ok(text) = std::fs::read_to_string(&path) else {
        skip::skipped(&format!("{} is not there", path.display()));
        return None;
    };
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn structured(event: &Value) -> Result<Decoded, Reject> {
    let text = event.to_string();
    decode(&Incoming { content_type: Some("application/cloudevents+json"), headers: &[], body: Some(text.as_bytes()) }, &Limits::default())
}

fn reason<T: std::fmt::Debug>(result: Result<T, Reject>) -> RejectReason {
    result.expect_err("must be refused").reason
}

/// Headers, content type and body of an HTTP message as the specification prints it.
fn http(raw: &str) -> (Vec<(String, String)>, Option<String>, String) {
    let (head, body) = raw.trim_start().split_once("\n\n").unwrap_or((raw, ""));
    let headers: Vec<_> =
        head.lines().filter_map(|l| l.split_once(':')).map(|(n, v)| (n.trim().to_lowercase(), v.trim().to_owned())).collect();
    let content_type = headers.iter().find(|(n, _)| n == "content-type").map(|(_, v)| v.clone());
    (headers, content_type, body.to_owned())
}

fn check_structured(sample: &Value) {
    let id = &sample["id"];
    let event = &sample["payload"];
    assert_eq!(reason(structured(event)), RejectReason::UnknownType, "{id}");
    let mut ours = event.clone();
    ours["type"] = json!("groundswell.usage.v1");
    let json_data = event["datacontenttype"].as_str().is_none_or(media::is_json);
    if !json_data {
        assert_eq!(reason(structured(&ours)), RejectReason::UnsupportedContentType, "{id}");
        ours["datacontenttype"] = json!(null);
    }
    ours.as_object_mut().unwrap().remove("data_base64");
    ours["data"] = json!({"api": "orders", "status": 200});
    let decoded = structured(&ours).unwrap_or_else(|r| panic!("{id}: {r}"));
    assert_eq!((json!(decoded.id), json!(decoded.source)), (event["id"].clone(), event["source"].clone()), "{id}");
    assert_eq!(decoded.time.is_some(), event["time"].is_string(), "{id}");
    let known = ["specversion", "id", "source", "type", "time", "subject", "datacontenttype", "data", "data_base64"];
    let extensions = event.as_object().unwrap().iter().filter(|(name, v)| !known.contains(&name.as_str()) && !v.is_null()).count();
    assert_eq!(decoded.extensions.others.len(), extensions, "{id}");
}

#[test]
fn samples_are_accepted_or_refused_by_kind() {
    let Some(samples) = samples() else { return };
    let limits = Limits::default();
    let mut kinds = std::collections::BTreeMap::<String, usize>::new();
    for sample in &samples {
        let kind = sample["kind"].as_str().unwrap();
        *kinds.entry(kind.to_owned()).or_default() += 1;
        let (id, raw) = (&sample["id"], sample["raw"].as_str().unwrap_or_default());
        match kind {
            "structured_json" => check_structured(sample),
            "batch_json" => {
                let text = sample["payload"].to_string();
                let events = split_batch(text.as_bytes(), &limits).unwrap();
                assert_eq!(events.len(), 2);
                for event in events {
                    assert_eq!(reason(structured(&serde_json::from_str(event.get()).unwrap())), RejectReason::UnknownType, "{id}");
                }
            }
            "http_binary_text" => {
                let (headers, content_type, body) = http(raw);
                let headers: Vec<(&str, &[u8])> = headers.iter().map(|(n, v)| (n.as_str(), v.as_bytes())).collect();
                let incoming = Incoming { content_type: content_type.as_deref(), headers: &headers, body: Some(body.as_bytes()) };
                assert_eq!(reason(decode(&incoming, &limits)), RejectReason::UnknownType, "{id}");
            }
            "http_structured_text" => {
                let (_, content_type, body) = http(raw);
                let refused = if content_type.as_deref().is_some_and(|t| media::carried(t) == media::Carried::Batch) {
                    reason(split_batch(body.as_bytes(), &limits))
                } else {
                    reason(decode(&Incoming { content_type: content_type.as_deref(), headers: &[], body: Some(body.as_bytes()) }, &limits))
                };
                assert_eq!(refused, RejectReason::NotJson, "{id}");
            }
            _ => {
                let incoming = Incoming { content_type: Some("application/cloudevents+json"), headers: &[], body: Some(raw.as_bytes()) };
                assert!(decode(&incoming, &limits).is_err(), "{id}");
            }
        }
    }
    assert_eq!((kinds["structured_json"], kinds["batch_json"], kinds["http_binary_text"], kinds["http_structured_text"]), (27, 1, 5, 5));
}
