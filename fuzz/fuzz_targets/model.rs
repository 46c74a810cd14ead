#![no_main]

use groundswell_text::classify::{Classifier, Text, Trained};
use groundswell_text::model::{VERSION, read};
use libfuzzer_sys::fuzz_target;

// A model file, as `POST /v1/reclassify` takes it: what is whole must be able to label a text.
fuzz_target!(|payload: &[u8]| {
    drop(read(payload));
    let mut whole = b"GSMODEL".to_vec();
    whole.push(VERSION);
    whole.extend_from_slice(blake3::hash(payload).as_bytes());
    whole.extend_from_slice(payload);
    if let Ok(model) = read(&whole) {
        let text = Text { title: "Refunds fail since v2", body: "We get 500 on every call to POST /v2/refunds", ..Text::default() };
        drop(Trained::new(model).classify(&text));
    }
});
