#![no_main]

use groundswell_classify::core::{state, waiting};
use libfuzzer_sys::fuzz_target;

// A state entry of classify, as it would come from a damaged journal topic.
fuzz_target!(|input: (Vec<u8>, Vec<u8>)| {
    let (key, value) = input;
    if let Ok(entry) = state::read(&key, &value) {
        assert!(state::write(&entry).is_ok());
    }
    drop(waiting::look(&value));
});
