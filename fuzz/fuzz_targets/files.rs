#![no_main]

use groundswell_catalogue::file;
use groundswell_review::{Policy, ReviewInput, review};
use libfuzzer_sys::fuzz_target;

// What the command line reads from files: a catalogue in TOML and in YAML, and counts of somebody's own for the gate.
fuzz_target!(|text: &str| {
    drop(file::parse(text, false));
    drop(file::parse(text, true));
    if let Ok(input) = serde_json::from_str::<ReviewInput>(text) {
        drop(review(&input, &Policy::default()));
    }
});
