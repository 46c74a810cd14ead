#![no_main]

use groundswell_index::verdicts::Given;
use groundswell_index::{journeys, rollup, search, themes};
use libfuzzer_sys::fuzz_target;

// What a damaged disk may give back: blocks of the embedded log, packs of small files, rows of roll-ups, themes and verdicts.
// And a cursor of `consumers`, which comes from strangers. Corrections lie in the frames that `frame` feeds.
fuzz_target!(|bytes: &[u8]| {
    groundswell_bus::fuzz_block(bytes);
    search::fuzz_pack(bytes);
    rollup::fuzz_row(bytes);
    themes::fuzz_theme(bytes);
    drop(serde_json::from_slice::<Given>(bytes));
    if let Ok(text) = std::str::from_utf8(bytes) {
        journeys::fuzz_cursor(text);
    }
});
