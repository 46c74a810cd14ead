#![no_main]

use groundswell_contract::{Incoming, Limits, content_hash, decode};
use groundswell_ingest::{Door, Frames, Identities, head_of};
use groundswell_model::{Event, Origin, Timestamp, frame};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let limits = Limits::default();
    let Ok(event) = decode(&Incoming { body: Some(body), ..Incoming::default() }, &limits) else { return };
    let door = Door::new([7; 32], &Default::default());
    let mut frames = Frames::new(1);
    let content = content_hash(&event, &mut Vec::new());
    let head = head_of(&event, content, Timestamp(0), Origin::default());
    door.pass(&event, head, &Identities::new([7; 32]), &mut frames).expect("an event can be packed");
    let mut step = Default::default();
    frames.finish(&mut step);
    for record in step.records {
        let value = record.value.expect("a frame has a value");
        assert!(frame::read::<Event<'_>>(&value).all(|e| e.is_ok()));
    }
});
