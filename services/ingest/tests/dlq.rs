//! Dead letters are listed, shown and sent back.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

mod support;

use groundswell_bus::{NewRecord, Topic};
use groundswell_ingest::dlq::{Filter, Place, Replayed, list, replay, show};
use serde_json::json;
use support::{World, event, structured, usage};

fn wrong(world: &World) {
    let binary = NewRecord::keyed(Topic::Surveys, "key", br#"{"kind":"nps","score":99}"#.to_vec())
        .header("ce_specversion", "1.0")
        .header("ce_type", "groundswell.survey.v1")
        .header("ce_source", "/forms")
        .header("ce_id", "1");
    world.publish(vec![
        structured(Topic::Usage, &event("ticket", "t1", json!({"title": "lost"}))),
        binary,
        NewRecord::keyed(Topic::Usage, "k", b"{broken".to_vec()),
        structured(Topic::Usage, &usage("fine", "acme")),
    ]);
    world.settle();
}

#[test]
fn letters_are_listed_by_reason_and_topic_and_shown_with_their_original() {
    let world = World::new();
    wrong(&world);
    let bus = world.bus.as_ref();
    assert_eq!(list(bus, &Filter::default(), 100).unwrap().len(), 3);
    assert_eq!(list(bus, &Filter::default(), 2).unwrap().len(), 2);
    assert_eq!(list(bus, &Filter { topic: Some("feedback.usage".into()), ..Filter::default() }, 100).unwrap().len(), 2);
    let ranges = list(bus, &Filter { reason: Some("out_of_range".into()), ..Filter::default() }, 100).unwrap();
    assert_eq!((ranges.len(), ranges[0].topic.as_str(), ranges[0].bytes, ranges[0].replayed), (1, "feedback.surveys", 25, false));
    let place: Place = ranges[0].letter.parse().unwrap();
    let shown = show(bus, &world.settings.topics.names, place).unwrap().unwrap();
    assert_eq!((shown.value.as_slice(), shown.key.as_slice(), shown.whole), (&br#"{"kind":"nps","score":99}"#[..], &b"key"[..], true));
    assert_eq!(shown.headers.len(), 4);
    assert_eq!(show(bus, &world.settings.topics.names, Place { partition: 0, offset: 10_000 }).unwrap(), None);
    assert!("7".parse::<Place>().is_err());
}

#[test]
fn a_replay_sends_back_every_byte_and_is_not_done_twice() {
    let world = World::new();
    wrong(&world);
    let (bus, names) = (world.bus.as_ref(), &world.settings.topics.names);
    let surveys = Filter { topic: Some("feedback.surveys".into()), ..Filter::default() };
    assert_eq!(replay(bus, names, &surveys, None).unwrap(), Replayed { published: 1, lost: 0 });
    assert_eq!(replay(bus, names, &surveys, None).unwrap(), Replayed { published: 0, lost: 0 });
    let mut records = Vec::new();
    bus.reader(Topic::Surveys)
        .unwrap()
        .catch_up(&mut |r| {
            records.push((
                r.key.to_vec(),
                r.value.map(<[u8]>::to_vec),
                r.headers.iter().map(|(n, v)| (n.to_owned(), v.to_vec())).collect::<Vec<_>>(),
            ))
        })
        .unwrap();
    assert_eq!(records.len(), 2);
    assert_eq!(records[0], records[1]);
    assert_eq!(list(bus, &Filter::default(), 100).unwrap().len(), 2);
    assert_eq!(list(bus, &Filter { replayed: true, ..Filter::default() }, 100).unwrap().len(), 3);
    // It is as wrong as before: a new letter.
    world.settle();
    assert_eq!(list(bus, &surveys, 100).unwrap().len(), 1);
}

#[test]
fn the_newest_are_last_and_a_replay_takes_no_more_than_it_is_told() {
    let world = World::new();
    for key in ["a", "b", "c", "d", "e"] {
        world.publish(vec![NewRecord::keyed(Topic::Usage, key, format!("{{{key}").into_bytes())]);
        world.settle();
    }
    let (bus, names) = (world.bus.as_ref(), &world.settings.topics.names);
    let keys = |letters: Vec<groundswell_ingest::dlq::DeadLetter>| {
        let key = |letter: &groundswell_ingest::dlq::DeadLetter| show(bus, names, letter.letter.parse().unwrap()).unwrap().unwrap().key;
        letters.iter().map(|letter| String::from_utf8(key(letter)).unwrap()).collect::<String>()
    };
    let partitions: std::collections::BTreeSet<_> =
        list(bus, &Filter::default(), 9).unwrap().into_iter().map(|l| l.letter[..1].to_owned()).collect();
    assert!(partitions.len() > 1, "the order of partitions would be the order of time");
    assert_eq!(keys(list(bus, &Filter::default(), 9).unwrap()), "abcde");
    assert_eq!(keys(list(bus, &Filter::default(), 2).unwrap()), "de");
    assert_eq!(replay(bus, names, &Filter::default(), Some(2)).unwrap(), Replayed { published: 2, lost: 0 });
    assert_eq!(keys(list(bus, &Filter::default(), 9).unwrap()), "abc");
}

#[test]
fn a_letter_too_large_for_a_record_is_replayed_from_its_topic() {
    let world = World::new();
    let large = usage("u", &"x".repeat(1_200_000));
    world.publish(vec![structured(Topic::Usage, &large)]);
    world.settle();
    let (bus, names) = (world.bus.as_ref(), &world.settings.topics.names);
    let letters = list(bus, &Filter::default(), 10).unwrap();
    assert_eq!((letters[0].reason.as_str(), letters[0].bytes), ("too_large", large.to_string().len() as u64));
    let shown = show(bus, names, letters[0].letter.parse().unwrap()).unwrap().unwrap();
    assert!(shown.whole && shown.value == large.to_string().into_bytes());
    assert_eq!(replay(bus, names, &Filter::default(), None).unwrap(), Replayed { published: 1, lost: 0 });
}
