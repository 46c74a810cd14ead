#![no_main]

use groundswell_catalogue::{Call, Catalogue, Identities, read_event};
use groundswell_contract::{Incoming, Limits};
use groundswell_model::Timestamp;
use libfuzzer_sys::fuzz_target;

// A release or identity event, its OpenAPI document included, into the tables, and a call looked up in them.
fuzz_target!(|body: &[u8]| {
    let incoming = Incoming { body: Some(body), ..Incoming::default() };
    let Some(event) = read_event(&incoming, Timestamp(1_772_361_000_000), &Limits::default()) else { return };
    let (mut catalogue, mut identities) = (Catalogue::default(), Identities::new([7; 32]));
    event.apply(&mut catalogue, &mut identities);
    let call = Call { api: "", version: "", operation: "", method: "GET", path: "/v1/orders/1", host: "api.example.com" };
    drop(catalogue.resolve_usage(&call));
});
