//! Reading by offset and without a group.

use std::collections::BTreeSet;

use groundswell_bus::{Group, NewRecord, Part, Topic};

use crate::support::{World, at, budget, copy_all, eventually, hold, next_batch, numbered, numbers, publish, values};

pub(crate) fn a_record_comes_back_as_it_was_published(world: &World) {
    let bus = world.bus("0");
    let full = NewRecord::keyed(Topic::Tickets, "key", b"value".to_vec()).header("ce_id", "1").header("ce_source", vec![0xff, 0]);
    let tombstone = NewRecord { topic: Some(Topic::Tickets), key: b"key".to_vec(), ..NewRecord::default() };
    let empty = NewRecord { value: Some(Vec::new()), ..tombstone.clone() };
    publish(bus.as_ref(), vec![full, tombstone, empty]);
    let mut member = bus.member(Group::Ingest).unwrap();
    let batch = next_batch(member.as_mut(), &budget(10));
    let records: Vec<_> = batch.iter().collect();
    assert_eq!(records.len(), 3);
    assert!(records.iter().all(|r| r.key == b"key" && r.timestamp.0 > 1_600_000_000_000));
    let headers: Vec<_> = records[0].headers.iter().collect();
    assert_eq!(headers, [("ce_id", &b"1"[..]), ("ce_source", &[0xff, 0][..])]);
    assert_eq!([records[0].value, records[1].value, records[2].value], [Some(&b"value"[..]), None, Some(&b""[..])]);
    assert!(records[1].headers.is_empty());
}

pub(crate) fn records_without_a_key_are_spread(world: &World) {
    let bus = world.bus("0");
    publish(bus.as_ref(), (0..40).map(|i| NewRecord { key: Vec::new(), ..NewRecord::keyed(Topic::Usage, "", vec![i]) }).collect());
    assert_eq!(values(bus.as_ref(), Topic::Usage).into_keys().collect::<Vec<_>>(), [0, 1, 2, 3]);
}

pub(crate) fn replay_gives_the_asked_range(world: &World) {
    let bus = world.bus("0");
    let part = Part { topic: Topic::Events, partition: 1 };
    for chunk in (0..30).collect::<Vec<u32>>().chunks(7) {
        publish(bus.as_ref(), chunk.iter().map(|i| NewRecord::on(Topic::Events, 1, i.to_string().into_bytes())).collect());
    }
    let mut member = bus.member(Group::Classify).unwrap();
    hold(member.as_mut(), 4);
    let mut replayed = |from, to| {
        let mut offsets = Vec::new();
        member.replay(part, at(from), at(to), &mut |r| offsets.push(r.offset.0)).unwrap();
        offsets
    };
    assert_eq!(replayed(5, 12), (5..12).collect::<Vec<_>>());
    assert_eq!(replayed(0, 30), (0..30).collect::<Vec<_>>());
    assert_eq!(replayed(28, 1000), [28, 29]);
    assert_eq!(replayed(12, 12), [0u64; 0]);

    member.start(part, Some(at(17))).unwrap();
    let mut read = Vec::new();
    while read.len() < 13 {
        read.extend(next_batch(member.as_mut(), &budget(10)).iter().map(|r| r.offset.0));
    }
    assert_eq!(read, (17..30).collect::<Vec<_>>());
}

pub(crate) fn a_reader_sees_all_that_was_acknowledged(world: &World) {
    let bus = world.bus("0");
    let publisher = bus.publisher().unwrap();
    let mut reader = bus.reader(Topic::Catalogue).unwrap();
    let mut seen = Vec::new();
    reader.catch_up(&mut |r| seen.push(r.offset.0)).unwrap();
    assert!(seen.is_empty());
    for i in 1..=25 {
        publisher.publish(vec![NewRecord::keyed(Topic::Catalogue, "k", vec![i])], crate::support::PATIENCE).unwrap();
        reader.catch_up(&mut |r| seen.push(r.offset.0)).unwrap();
        assert_eq!(seen.len(), usize::from(i));
    }
    seen.clear();
    reader.seek(Part { topic: Topic::Catalogue, partition: 0 }, at(20)).unwrap();
    reader.catch_up(&mut |r| seen.push(r.offset.0)).unwrap();
    assert_eq!(seen, [20, 21, 22, 23, 24]);
}

pub(crate) fn one_record_is_found_by_its_offset(world: &World) {
    let bus = world.bus("0");
    let part = Part { topic: Topic::Surveys, partition: 2 };
    publish(bus.as_ref(), (0..10u8).map(|i| NewRecord::on(Topic::Surveys, 2, vec![i]).header("n", vec![i])).collect());
    for i in [0u8, 4, 9] {
        let found = bus.read_at(part, at(i.into())).unwrap().unwrap();
        let record = found.iter().next().unwrap();
        assert_eq!((found.len(), record.offset.0, record.value, record.headers.get("n")), (1, i.into(), Some(&[i][..]), Some(&[i][..])));
    }
    assert!(bus.read_at(part, at(10)).unwrap().is_none());
    assert!(bus.read_at(Part { partition: 3, ..part }, at(0)).unwrap().is_none());
}

pub(crate) fn retention_removes_the_oldest(world: &World) {
    let bus = world.bus("0");
    publish(bus.as_ref(), numbered(Topic::Usage, 40, 16));
    copy_all(bus.as_ref(), Group::Ingest);
    let before = bus.bounds(Topic::Usage).unwrap();
    world.age(bus.as_ref(), Topic::Usage);
    let after = eventually("old records gone", || {
        let after = bus.bounds(Topic::Usage).unwrap();
        after.iter().all(|b| b.low == b.high).then_some(after)
    });
    let highs = |bounds: &[groundswell_bus::Bounds]| bounds.iter().map(|b| (b.part, b.high)).collect::<BTreeSet<_>>();
    assert_eq!(highs(&before), highs(&after));
    assert!(values(bus.as_ref(), Topic::Usage).is_empty());
    assert!(bus.read_at(Part { topic: Topic::Usage, partition: 0 }, at(0)).unwrap().is_none());

    publish(bus.as_ref(), (40..50).map(|i| NewRecord::keyed(Topic::Usage, format!("k{i}"), i.to_string().into_bytes())).collect());
    assert_eq!(numbers(bus.as_ref(), Topic::Usage), (40..50).collect::<Vec<_>>());
    copy_all(bus.as_ref(), Group::Ingest);
    eventually("the new ones copied", || (numbers(bus.as_ref(), Topic::Insights) == (0..50).collect::<Vec<_>>()).then_some(()));
}

pub(crate) fn one_partition_is_read_alone_and_no_further_than_asked(world: &World) {
    let bus = world.bus("0");
    let record = |partition: u32, i: usize| NewRecord::on(Topic::Usage, partition, i.to_string().into_bytes());
    publish(bus.as_ref(), (0..6).map(|i| record(u32::try_from(i % 2).unwrap(), i)).collect());
    let part = Part { topic: Topic::Usage, partition: 1 };
    let mut reader = bus.reader(Topic::Usage).unwrap();
    let read = |reader: &mut dyn groundswell_bus::Reader, most: usize| {
        let mut seen = Vec::new();
        let each = &mut |record: groundswell_bus::Record<'_>| {
            seen.push(String::from_utf8_lossy(record.value.unwrap_or_default()).into_owned());
            seen.len() < most
        };
        reader.catch_up_part(part, each).unwrap();
        seen
    };
    assert_eq!(read(reader.as_mut(), 2), ["1", "3"], "it was told to end");
    reader.seek(part, at(0)).unwrap();
    assert_eq!(read(reader.as_mut(), 9), ["1", "3", "5"]);
    publish(bus.as_ref(), vec![record(0, 6), record(1, 7)]);
    assert_eq!(read(reader.as_mut(), 9), ["7"], "from where the last call ended");
}
