//! One member and its steps.

use std::collections::BTreeMap;

use groundswell_bus::{Group, Member, NewRecord, Part, Polled, StateWrite, Step, Topic};

use crate::support::{
    World, at, budget, caught_up, copy, copy_all, eventually, hold, next_batch, noise, numbered, numbers, publish, values,
};

pub(crate) fn records_of_a_key_keep_their_order(world: &World) {
    let bus = world.bus("0");
    for chunk in numbered(Topic::Usage, 400, 10).chunks(37) {
        publish(bus.as_ref(), chunk.to_vec());
    }
    let mut member = bus.member(Group::Ingest).unwrap();
    let mut last: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
    let mut places: BTreeMap<Vec<u8>, Part> = BTreeMap::new();
    let mut seen = 0;
    while seen < 400 {
        let batch = next_batch(member.as_mut(), &budget(50));
        for record in batch.iter() {
            let number: usize = std::str::from_utf8(record.value.unwrap()).unwrap().parse().unwrap();
            assert!(last.insert(record.key.to_vec(), number).is_none_or(|before| before < number), "{record:?}");
            assert_eq!(*places.entry(record.key.to_vec()).or_insert(record.part), record.part);
            seen += 1;
        }
        member.commit(copy(&batch)).unwrap();
    }
    assert_eq!((seen, last.len()), (400, 10));
}

fn counted(member: &mut dyn Member, partition: u32) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut state = BTreeMap::new();
    let mut each = |key: &[u8], value: Option<&[u8]>| {
        match value {
            Some(value) => state.insert(key.to_vec(), value.to_vec()),
            None => state.remove(key),
        };
    };
    member.restore(partition, &mut each).unwrap();
    state
}

pub(crate) fn a_step_is_visible_whole_or_not_at_all(world: &World) {
    let bus = world.bus("0");
    let part = Part { topic: Topic::Events, partition: 2 };
    publish(bus.as_ref(), vec![NewRecord::on(Topic::Events, 2, b"7".to_vec())]);
    let mut member = bus.member(Group::Classify).unwrap();
    let batch = next_batch(member.as_mut(), &budget(10));
    let mut step = copy(&batch);
    step.records.push(NewRecord::keyed(Topic::DeadLetters, "d", b"8".to_vec()));
    step.state.push(StateWrite { partition: 2, key: b"k".to_vec(), value: Some(b"v".to_vec()) });

    assert!(values(bus.as_ref(), Topic::Insights).is_empty() && values(bus.as_ref(), Topic::DeadLetters).is_empty());
    assert_eq!((counted(member.as_mut(), 2).len(), bus.committed(Group::Classify, Topic::Events).unwrap().get(&part)), (0, None));

    let next = batch.positions()[&part];
    member.commit(step).unwrap();
    eventually("the records", || (numbers(bus.as_ref(), Topic::Insights) == [7]).then_some(()));
    eventually("the dead letter", || (numbers(bus.as_ref(), Topic::DeadLetters) == [8]).then_some(()));
    assert_eq!(counted(member.as_mut(), 2), BTreeMap::from([(b"k".to_vec(), b"v".to_vec())]));
    assert!(counted(member.as_mut(), 1).is_empty());
    assert!(bus.committed(Group::Classify, Topic::Events).unwrap()[&part] >= next);
}

pub(crate) fn a_dropped_batch_is_read_again(world: &World) {
    let bus = world.bus("0");
    publish(bus.as_ref(), numbered(Topic::Tickets, 20, 5));
    let mut first = bus.member(Group::Ingest).unwrap();
    let batch = next_batch(first.as_mut(), &budget(5));
    first.commit(copy(&batch)).unwrap();
    let unfinished = next_batch(first.as_mut(), &budget(5));
    assert!(!unfinished.is_empty());
    drop(first);
    copy_all(bus.as_ref(), Group::Ingest);
    assert_eq!(numbers(bus.as_ref(), Topic::Insights), (0..20).collect::<Vec<_>>());
}

pub(crate) fn state_is_the_newest_value_of_each_key(world: &World) {
    let bus = world.bus("0");
    let mut member = bus.member(Group::Classify).unwrap();
    hold(member.as_mut(), 4);
    let write = |key: &str, value: Option<&str>| StateWrite { partition: 1, key: key.into(), value: value.map(Into::into) };
    let steps = [
        vec![write("a", Some("1")), write("b", Some("1")), write("c", Some("1"))],
        vec![write("a", Some("2")), write("a", Some("3")), write("b", None)],
        vec![write("d", Some("4")), write("b", Some("5")), write("c", None)],
    ];
    for state in steps {
        member.commit(Step { state, ..Step::default() }).unwrap();
    }
    let expected = [("a", "3"), ("b", "5"), ("d", "4")].map(|(k, v)| (k.as_bytes().to_vec(), v.as_bytes().to_vec()));
    assert_eq!(counted(member.as_mut(), 1), BTreeMap::from(expected));
    assert!(counted(member.as_mut(), 0).is_empty());
}

pub(crate) fn a_step_with_positions_alone_moves_the_floor(world: &World) {
    let bus = world.bus("0");
    publish(bus.as_ref(), (0..10).map(|i| NewRecord::on(Topic::Insights, 3, i.to_string().into_bytes())).collect());
    let mut member = bus.member(Group::Index).unwrap();
    let mut seen = 0;
    let mut positions = BTreeMap::new();
    while seen < 10 {
        let batch = next_batch(member.as_mut(), &budget(4));
        seen += batch.len();
        positions.extend(batch.positions());
    }
    let part = Part { topic: Topic::Insights, partition: 3 };
    assert_eq!(bus.committed(Group::Index, Topic::Insights).unwrap().get(&part), None);
    member.commit(Step { positions: positions.clone(), ..Step::default() }).unwrap();
    assert_eq!(bus.committed(Group::Index, Topic::Insights).unwrap().get(&part), positions.get(&part));
    assert_eq!(member.committed(part).unwrap(), positions.get(&part).copied());
}

/// Also where a topic was written by transactions, whose markers take offsets of their own.
pub(crate) fn committed_reaches_the_end_when_idle(world: &World) {
    let bus = world.bus("0");
    publish(bus.as_ref(), numbered(Topic::Surveys, 30, 7));
    let mut ingest = bus.member(Group::Ingest).unwrap();
    let mut moved = 0;
    while moved < 30 {
        let batch = next_batch(ingest.as_mut(), &budget(10));
        moved += batch.len();
        let events = batch.iter().map(|r| NewRecord::keyed(Topic::Events, r.key, r.value.unwrap().to_vec())).collect();
        ingest.commit(Step { positions: batch.positions(), records: events, state: Vec::new() }).unwrap();
    }
    let mut classify = bus.member(Group::Classify).unwrap();
    let mut floor = Step::default();
    eventually("no lag", || {
        for member in [&mut ingest, &mut classify] {
            match member.poll(&budget(100)).unwrap() {
                Polled::Assigned(parts) => parts.into_iter().for_each(|part| member.start(part, None).unwrap()),
                Polled::Batch(batch) => {
                    floor.positions = batch.positions();
                    member.commit(floor.clone()).unwrap();
                }
                Polled::Revoked(_) | Polled::Idle => {}
            }
        }
        (caught_up(bus.as_ref(), Group::Ingest) && caught_up(bus.as_ref(), Group::Classify)).then_some(())
    });
}

pub(crate) fn a_batch_respects_the_budget(world: &World) {
    let bus = world.bus("0");
    let record = |i: usize| NewRecord::keyed(Topic::Usage, format!("k{}", i % 9), vec![u8::try_from(i % 251).unwrap(); 1000]);
    publish(bus.as_ref(), (0..600).map(record).collect());
    let mut member = bus.member(Group::Ingest).unwrap();
    let narrow = groundswell_bus::Budget { bytes: 20_000, ..budget(50) };
    let mut seen = 0;
    while seen < 600 {
        let batch = next_batch(member.as_mut(), &narrow);
        assert!(batch.len() <= 50 && batch.bytes() <= 20_000, "{} records, {} bytes", batch.len(), batch.bytes());
        seen += batch.len();
        member.commit(Step { positions: batch.positions(), ..Step::default() }).unwrap();
    }
    assert_eq!(seen, 600);
}

/// A record that no longer fitted in a batch waits with the member: a new start reads it again, in its order and once.
pub(crate) fn a_new_start_reads_what_waits_once(world: &World) {
    let bus = world.bus("0");
    publish(bus.as_ref(), (0..4).map(|i: usize| NewRecord::on(Topic::Usage, 0, i.to_string().repeat(600).into_bytes())).collect());
    let mut member = bus.member(Group::Ingest).unwrap();
    let narrow = groundswell_bus::Budget { bytes: 1_000, ..budget(50) };
    let first = next_batch(member.as_mut(), &narrow);
    assert_eq!(first.len(), 1, "the second does not fit");
    let part = Part { topic: Topic::Usage, partition: 0 };
    member.start(part, Some(at(0))).unwrap();
    let mut offsets = Vec::new();
    while offsets.len() < 4 {
        offsets.extend(next_batch(member.as_mut(), &narrow).iter().map(|record| record.value.unwrap()[0]));
    }
    assert_eq!(offsets, *b"0123");
}

pub(crate) fn big_records_pass(world: &World) {
    let bus = world.bus("0");
    let big = |seed: usize| noise(900_000, seed as u64);
    publish(bus.as_ref(), (0..3).map(|i| NewRecord::keyed(Topic::Tickets, "k", big(i))).collect());
    let mut member = bus.member(Group::Ingest).unwrap();
    let mut seen = 0;
    while seen < 3 {
        let batch = next_batch(member.as_mut(), &budget(10));
        for record in batch.iter() {
            assert!(record.value.unwrap() == big(seen), "record {seen} differs");
            seen += 1;
        }
        member.commit(copy(&batch)).unwrap();
    }
    let sizes = eventually("the copies", || {
        let mut sizes = Vec::new();
        bus.reader(Topic::Insights).unwrap().catch_up(&mut |r| sizes.push(r.value.unwrap().len())).unwrap();
        (sizes.len() == 3).then_some(sizes)
    });
    assert_eq!(sizes, [900_000; 3]);
}
