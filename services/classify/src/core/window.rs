//! The usage events of the last hours, to count each once.
//!
//! Nothing of it is written as state: after a restart it is read again from the tail of `events`. A tiny
//! state entry says from where. To be the same then as it was before, it depends on the stream of events
//! alone: events are told old by how many came after them, and by marks set along the stream.
//! One thing is lost with what lies before the window: of an identity with two contents, the first of which was met
//! before the window and the second in it, the second stands after a restart. Neither is counted again.

use std::collections::VecDeque;

use groundswell_bus::Offset;
use groundswell_model::{ContentHash, IdentityHash, Timestamp};
use hashbrown::HashTable;
use hashbrown::hash_table::Entry as Place;
use serde::{Deserialize, Serialize};

use super::seen::Seen;

/// A mark is set after this many events, or sooner after a part of the time.
const MARK_EVERY: u32 = 1024;
/// Marks in one window of time.
const MARKS_IN_WINDOW: i64 = 64;
/// The state entry is written again after this many marks have left the window.
const WRITE_EVERY: u32 = 8;
/// Events that are kept together.
const CHUNK: usize = 1024;

/// What an identity was met as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// Never within the window.
    New,
    /// Before, with the same content.
    Same,
    /// Before, with other content.
    Other,
}

/// The events of the window in their order, each by its number: how many came before it from where reading began, wrapping around.
/// In chunks, so that it grows without copying and is never larger than what it holds and two chunks.
#[derive(Debug, Default)]
struct Stream {
    chunks: VecDeque<Vec<Seen>>,
    /// The oldest that is held, and its place in the first chunk.
    first: u32,
    gone: usize,
}

impl Stream {
    fn get(&self, number: u32) -> Seen {
        let place = self.gone + number.wrapping_sub(self.first) as usize;
        self.chunks[place / CHUNK][place % CHUNK]
    }

    fn push(&mut self, seen: Seen) {
        match self.chunks.back_mut() {
            Some(last) if last.len() < CHUNK => last.push(seen),
            _ => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(seen);
                self.chunks.push_back(chunk);
            }
        }
    }

    /// Gives the oldest away, with its number.
    fn pop(&mut self) -> Option<(u32, Seen)> {
        let seen = *self.chunks.front()?.get(self.gone)?;
        let number = self.first;
        self.first = number.wrapping_add(1);
        self.gone += 1;
        if self.gone == CHUNK {
            self.chunks.pop_front();
            self.gone = 0;
        }
        Some((number, seen))
    }
}

/// A place in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Offset of the frame that begins here.
    pub offset: Offset,
    /// The newest `received` before it.
    pub newest: Timestamp,
    #[serde(skip)]
    number: u32,
}

/// The identities of the last hours of one partition.
#[derive(Debug)]
pub struct Window {
    /// Every event since the first mark.
    stream: Stream,
    /// Of each identity the number under which it was met last.
    latest: HashTable<u32>,
    marks: VecDeque<Mark>,
    newest: Timestamp,
    next: u32,
    length_ms: i64,
    most: u32,
    evicted_early: u64,
    passed: u32,
    written: bool,
}

impl Window {
    /// An empty window over `minutes`, of `most` events.
    #[must_use]
    pub fn new(minutes: u32, most: usize) -> Self {
        Self {
            stream: Stream::default(),
            latest: HashTable::new(),
            marks: VecDeque::new(),
            newest: Timestamp(i64::MIN),
            next: 0,
            length_ms: i64::from(minutes) * 60_000,
            most: u32::try_from(most).unwrap_or(u32::MAX).clamp(1, u32::MAX / 4),
            evicted_early: 0,
            passed: 0,
            written: false,
        }
    }

    /// Goes on from a mark that was written as state: the events from there on follow.
    pub fn resume(&mut self, mark: Mark) {
        self.newest = mark.newest;
        self.marks.push_back(Mark { number: self.next, ..mark });
        self.written = true;
    }

    /// Changes how many events it holds at most.
    pub fn set_most(&mut self, most: usize) {
        self.most = u32::try_from(most).unwrap_or(u32::MAX).clamp(1, u32::MAX / 4);
    }

    /// A frame of events begins at this offset.
    pub fn frame(&mut self, offset: Offset) {
        let mark = Mark { offset, newest: self.newest, number: self.next };
        let due = self.marks.back().is_none_or(|last| {
            self.next.wrapping_sub(last.number) >= MARK_EVERY
                || self.newest.0.saturating_sub(last.newest.0) >= self.length_ms / MARKS_IN_WINDOW
        });
        if due {
            self.marks.push_back(mark);
        }
        let begins = self.newest.0.saturating_sub(self.length_ms);
        while let Some(second) = self.marks.get(1) {
            let too_old = second.newest.0 < begins;
            let too_many = self.next.wrapping_sub(second.number) >= self.most;
            if !too_old && !too_many {
                break;
            }
            if !too_old && let Some(first) = self.marks.front() {
                self.evicted_early += u64::from(second.number.wrapping_sub(first.number));
            }
            self.marks.pop_front();
            self.passed += 1;
        }
        self.forget();
    }

    /// Forgets what lies before the first mark.
    fn forget(&mut self) {
        let begins = self.marks.front().map_or(self.next, |mark| mark.number);
        while self.stream.first != begins
            && let Some((number, seen)) = self.stream.pop()
        {
            // Met again later, it stands there under that number.
            if let Ok(last) = self.latest.find_entry(seen.identity(), |n| *n == number) {
                last.remove();
            }
        }
    }

    /// Meets an event, and remembers it if it is new.
    pub fn meet(&mut self, identity: IdentityHash, content: ContentHash, received: Timestamp) -> Met {
        let mut seen = Seen::new(identity, content);
        let (identity, content) = (seen.identity(), seen.content);
        self.newest = self.newest.max(received);
        let (number, stream) = (self.next, &self.stream);
        let met = match self.latest.entry(identity, |n| stream.get(*n).identity() == identity, |n| stream.get(*n).identity()) {
            Place::Occupied(mut place) => {
                // The first content stands. That it was met again keeps it: so which identities are held depends
                // on the events of the window alone, and reading those again holds the same.
                seen.content = stream.get(*place.get()).content;
                *place.get_mut() = number;
                if seen.content == content { Met::Same } else { Met::Other }
            }
            Place::Vacant(place) => {
                place.insert(number);
                Met::New
            }
        };
        self.stream.push(seen);
        self.next = number.wrapping_add(1);
        met
    }

    /// Where to read from to get this window again, if that should be written now.
    pub fn mark_to_write(&mut self) -> Option<Mark> {
        if self.written && self.passed < WRITE_EVERY {
            return None;
        }
        let mark = *self.marks.front()?;
        (self.written, self.passed) = (true, 0);
        Some(mark)
    }

    /// How many identities are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.latest.len()
    }

    /// Whether none is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.latest.is_empty()
    }

    /// How many events left the window before their time since this was last asked, because there were too many.
    pub fn take_evicted_early(&mut self) -> u64 {
        std::mem::take(&mut self.evicted_early)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINUTE: i64 = 60_000;

    fn meet(window: &mut Window, id: u64, content: u64, minute: i64) -> Met {
        window.meet(IdentityHash(u128::from(id)), ContentHash(content), Timestamp(minute * MINUTE))
    }

    #[test]
    fn the_same_is_told_from_the_other_and_both_from_the_new() {
        let mut w = Window::new(120, 100);
        w.frame(Offset(0));
        assert_eq!(
            [meet(&mut w, 1, 1, 0), meet(&mut w, 1, 1, 0), meet(&mut w, 1, 2, 1), meet(&mut w, 2, 1, 1)],
            [Met::New, Met::Same, Met::Other, Met::New]
        );
    }

    #[test]
    fn what_is_older_than_the_window_is_forgotten() {
        let mut w = Window::new(120, 1000);
        for minute in 0..400 {
            w.frame(Offset(minute));
            assert_eq!(meet(&mut w, minute, 1, i64::try_from(minute).unwrap_or(0)), Met::New);
        }
        assert_eq!(meet(&mut w, 300, 1, 400), Met::Same, "within the window");
        assert_eq!(meet(&mut w, 200, 1, 400), Met::New, "long ago");
        assert_eq!(w.take_evicted_early(), 0);
    }

    #[test]
    fn too_many_are_forgotten_early_and_counted() {
        let mut w = Window::new(120, 4 * 1024);
        for id in 0..20_000u64 {
            w.frame(Offset(id));
            assert_eq!(meet(&mut w, id, 1, 0), Met::New);
        }
        assert!(w.len() < 12_000, "{}", w.len());
        assert_eq!(meet(&mut w, 19_000, 1, 0), Met::Same);
        assert_eq!(meet(&mut w, 100, 1, 0), Met::New);
        assert!(w.take_evicted_early() >= 14_000);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// Over many chunks, with repetitions: as a plain list of the events since the first mark says.
        #[test]
        fn every_event_is_met_as_a_list_says(repeats in proptest::collection::vec((0usize..4000, 0u64..2), 1..40), most in 1usize..3000) {
            let mut window = Window::new(60, most);
            let mut list: Vec<(u64, u64)> = Vec::new();
            for (number, (back, content)) in repeats.iter().cycle().take(5000).enumerate() {
                let again = list.len().checked_sub(back + 1).filter(|_| number % 7 == 0).map(|at| list[at].0);
                let id = again.unwrap_or(number as u64);
                window.frame(Offset(number as u64));
                let begins = window.marks.front().map_or(0, |mark| mark.number as usize);
                let before = list[begins..].iter().find(|(other, _)| *other == id).map(|(_, content)| *content);
                let expected = before.map_or(Met::New, |before| if before == *content { Met::Same } else { Met::Other });
                prop_assert_eq!(meet(&mut window, id, *content, 0), expected);
                // What is remembered of one that was met again is the first content.
                list.push((id, before.unwrap_or(*content)));
                prop_assert!(window.stream.chunks.len() <= most / CHUNK + 4);
            }
        }

    }

    proptest! {
        /// Whatever mark was written last: reading again from there meets later events as before.
        #[test]
        fn a_window_read_again_is_the_same(events in proptest::collection::vec((0u64..60, 0u64..2, 0i64..9), 1..400), at in any::<prop::sample::Index>(), most in 1usize..200) {
            let split = at.index(events.len());
            let (mut minute, mut times) = (0, Vec::new());
            for (_, _, pause) in &events {
                minute += pause / 8 * 7;
                times.push(minute);
            }
            let mut whole = Window::new(60, most);
            let mut written = None;
            let go = |w: &mut Window, range: std::ops::Range<usize>| -> Vec<Met> {
                range.map(|i| { w.frame(Offset(i as u64)); meet(w, events[i].0, events[i].1, times[i]) }).collect()
            };
            for i in 0..split {
                go(&mut whole, i..i + 1);
                written = whole.mark_to_write().or(written);
            }
            let mut again = Window::new(60, most);
            if let Some(mark) = written {
                again.resume(Mark { number: 0, ..mark });
                go(&mut again, usize::try_from(mark.offset.0).unwrap_or(0)..split);
            }
            let new = |met: Vec<Met>| met.into_iter().map(|m| m == Met::New).collect::<Vec<_>>();
            prop_assert_eq!(new(go(&mut whole, split..events.len())), new(go(&mut again, split..events.len())));
        }
    }
}
