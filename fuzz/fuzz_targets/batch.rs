#![no_main]

use groundswell_contract::{Incoming, Limits, decode, split_batch};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let limits = Limits { batch_events: 50, ..Limits::default() };
    if let Ok(events) = split_batch(body, &limits) {
        assert!(events.len() <= 50);
        for event in events {
            drop(decode(&Incoming { body: Some(event.get().as_bytes()), ..Incoming::default() }, &limits));
        }
    }
});
