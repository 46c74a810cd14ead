#![no_main]

use groundswell_contract::{Incoming, Limits, decode, validate};
use groundswell_model::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (Vec<(String, Vec<u8>)>, Option<String>, Vec<u8>, bool)| {
    let (headers, content_type, body, complete) = input;
    let mut headers: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
    if complete {
        headers.extend([("ce_specversion", &b"1.0"[..]), ("ce_id", b"1"), ("ce_source", b"/s"), ("ce_type", b"groundswell.ticket.v1")]);
    }
    let limits = Limits::default();
    if let Ok(event) = decode(&Incoming { content_type: content_type.as_deref(), headers: &headers, body: Some(&body) }, &limits) {
        drop(validate(&event, Timestamp(1_772_361_000_000), &limits));
    }
});
