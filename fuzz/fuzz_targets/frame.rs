#![no_main]

use groundswell_model::{Event, Op, frame};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut whole = vec![frame::VERSION];
    whole.extend_from_slice(bytes);
    assert!(frame::read::<Event<'_>>(&whole).count() <= whole.len());
    assert!(frame::read::<Op<'_>>(&whole).count() <= whole.len());
    drop(frame::decode_one::<String>(bytes));
});
