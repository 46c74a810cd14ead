#![no_main]

use groundswell_contract::{Incoming, Limits, content_hash, decode, validate};
use groundswell_model::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let limits = Limits::default();
    match decode(&Incoming { body: Some(body), ..Incoming::default() }, &limits) {
        Ok(event) => {
            // The verdict does not matter here, only that there is one.
            drop(validate(&event, Timestamp(1_772_361_000_000), &limits));
            let mut buffer = Vec::new();
            assert_eq!(content_hash(&event, &mut buffer), content_hash(&event, &mut Vec::new()));
        }
        Err(reject) => assert!(reject.detail.len() < 500, "a detail is as long as a text: {}", reject.detail),
    }
});
