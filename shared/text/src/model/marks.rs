//! What is there beside single words: lengths, code, traces, questions, phrases, and the tone of a text.

use std::sync::LazyLock;

use aho_corasick::Anchored;
use aho_corasick::automaton::Automaton;
use aho_corasick::dfa::DFA;

use super::document::Document;
use super::hash;
use super::polarity::Polarity;

/// Phrases of a title, and what they are signs of.
const TITLE_PHRASES: &[(&str, &str)] = &[
    ("ask", "how |why |what |which |when |should |could |can i|is there|is it|does "),
    ("bug", "bug|regression|[bug"),
    ("fail", "fail|wrong|incorrect|broken|crash|segfault|sigsegv|hang|freez|leak|error|exception|invalid|unexpected|missing"),
    ("wish", "feature|request|rfc|proposal|suggest|support|allow|enable|option|ability|add |implement|improve|provide|consider|make "),
    ("question", "question|[q|help|discussion"),
    ("deny", "not |n't|cannot|unable|no longer"),
];

/// Phrases of prose, and what they are signs of.
const PHRASES: &[(&str, &str)] = &[
    ("steps", "steps to reproduce|reproduc|repro steps"),
    ("expected", "expected|should be|should have|supposed to"),
    ("actual", "actual behavior|actual result|current behavior|actual behaviour|instead of|observed"),
    ("nice", "would be nice|would be great|would be useful|would be helpful|would be good|it'd be|would love|nice to have"),
    ("like", "would like|i'd like|we'd like"),
    ("please", "please"),
    ("how", "how do i|how can i|how to|how do you|how should|how could|how does"),
    ("way", "is there a way|is there any|is it possible|any way to|a way to"),
    ("need", "i want|i need|we need|we want"),
    ("propose", "proposal|propose|suggest|feature request|enhancement|add support"),
    ("crash", "crash|segfault|segmentation|hang|freez|abort"),
    ("broken", "doesn't|does not|not work|didn't|isn't|won't|fails|failed|broken|wrong|incorrect"),
    ("error", "error|exception|traceback|stack trace"),
    ("motive", "motivation|use case|alternatives|benefit"),
    ("why", "why"),
    ("option", "allow|option|ability|setting|configur"),
    ("should", "should"),
    ("thanks", "thank"),
    ("mine", "i'm |i am | my |i tried|i have "),
    ("ours", " we | our "),
    ("version", "version|v0."),
    ("before", "used to|worked|previous|since|after upgrad|after updat|regress|no longer"),
    ("understand", "understand|confus|clarif|explain|wonder|not sure|documentation|example"),
    ("best", "best practice|recommended|correct way|right way|advice"),
];

struct Phrases {
    find: Option<DFA>,
    /// The mark of each pattern, as a bit.
    marks: Vec<u64>,
    names: Vec<u64>,
}

fn compile(table: &[(&str, &str)]) -> Phrases {
    let (mut patterns, mut marks) = (Vec::new(), Vec::new());
    for (i, (_, list)) in table.iter().enumerate() {
        patterns.extend(list.split('|'));
        marks.resize(patterns.len(), 1 << i);
    }
    Phrases { find: DFA::new(&patterns).ok(), marks, names: table.iter().map(|(n, _)| hash::word(n)).collect() }
}

static IN_TITLE: LazyLock<Phrases> = LazyLock::new(|| compile(TITLE_PHRASES));
static IN_PROSE: LazyLock<Phrases> = LazyLock::new(|| compile(PHRASES));

/// Parts of a text that are searched side by side: a step of the automaton waits for the one before, but not for those of other parts.
const SIDE_BY_SIDE: usize = 4;

/// The marks of all phrases that stand somewhere, over each other or not: only that matters, so the automaton is driven by hand.
fn seen(find: &DFA, marks: &[u64], text: &str) -> u64 {
    let Ok(start) = find.start_state(Anchored::No) else { return 0 };
    // Parts overlap, so that a phrase on a border is whole in one of them.
    let share = text.len().div_ceil(SIDE_BY_SIDE);
    let parts: [&[u8]; SIDE_BY_SIDE] = std::array::from_fn(|i| {
        let end = (share * (i + 1) + find.max_pattern_len()).min(text.len());
        text.as_bytes().get(share * i..end).unwrap_or_default()
    });
    let (mut states, mut seen) = ([start; SIDE_BY_SIDE], 0);
    let longest = parts.iter().map(|part| part.len()).max().unwrap_or(0);
    for at in 0..longest {
        for (state, part) in states.iter_mut().zip(parts) {
            let Some(byte) = part.get(at) else { continue };
            *state = find.next_state(Anchored::No, *state, *byte);
            if find.is_special(*state) && find.is_match(*state) {
                for i in 0..find.match_len(*state) {
                    seen |= marks.get(find.match_pattern(*state, i).as_usize()).copied().unwrap_or(0);
                }
            }
        }
    }
    seen
}

fn phrases(phrases: &Phrases, text: &str, part: u64, add: &mut dyn FnMut(u64)) {
    let seen = phrases.find.as_ref().map_or(0, |find| seen(find, &phrases.marks, text));
    for (i, name) in phrases.names.iter().enumerate().filter(|(i, _)| seen >> i & 1 == 1) {
        add(hash::push(part + i as u64, *name));
    }
}

/// A number as the greatest of some steps that it reaches.
fn steps(name: &str, n: usize, steps: &[usize], add: &mut dyn FnMut(u64)) {
    for (i, _) in steps.iter().enumerate().filter(|(_, s)| n >= **s) {
        add(hash::push(hash::word(name), i as u64));
    }
    if steps.first().is_some_and(|s| n < *s) {
        add(hash::push(hash::word(name), u64::MAX));
    }
}

fn flag(name: &str, is: bool, add: &mut dyn FnMut(u64)) {
    if is {
        add(hash::word(name));
    }
}

/// The structure of a ticket.
pub(super) fn add(document: &Document, add: &mut dyn FnMut(u64)) {
    phrases(&IN_TITLE, &document.plain_title, 0x100, add);
    phrases(&IN_PROSE, &document.plain_prose, 0x200, add);
    let title = document.plain_title.trim();
    flag("title asks", title.contains('?'), add);
    flag("title ends asking", title.ends_with('?'), add);
    flag(
        "title begins asking",
        ["how", "why", "what", "is ", "are ", "can ", "does ", "do ", "where", "which", "should"].iter().any(|q| title.starts_with(q)),
        add,
    );
    flag(
        "title begins wishing",
        ["add", "support", "allow", "implement", "make", "enable", "provide", "improve"].iter().any(|q| title.starts_with(q)),
        add,
    );
    flag("title tagged", title.starts_with('['), add);
    let seen = &document.seen;
    flag("trace", seen.trace, add);
    flag("images", seen.images, add);
    flag("boxes", seen.boxes, add);
    flag("links", seen.links, add);
    flag("ends asking", document.ends_with_question, add);
    flag("asks mostly", document.questions.len() * 5 > seen.sentences, add);
    steps("code", seen.code, &[1, 200, 1500], add);
    steps("title words", document.title.len(), &[5, 9, 13], add);
    steps("words", document.prose.len(), &[25, 60, 120, 400], add);
    steps("headings", seen.headings, &[1, 2, 6], add);
    steps("questions", document.questions.len(), &[1, 2, 3], add);
}

/// The tone of a text.
pub(super) fn add_tone(document: &Document, add: &mut dyn FnMut(u64)) {
    let tone = Polarity::of(&document.prose);
    let count = |n: i32| usize::try_from(n).unwrap_or(0);
    steps("joy", count(tone.joy), &[1, 2, 3, 5], add);
    steps("anger", count(tone.anger), &[1, 2, 3, 5], add);
    steps("joyful", tone.joyful as usize, &[1, 2, 3], add);
    steps("angry", tone.angry as usize, &[1, 2, 3], add);
    steps("more joy", count(tone.joy - tone.anger), &[1, 2, 4], add);
    steps("more anger", count(tone.anger - tone.joy), &[1, 2, 4], add);
    flag("no tone", tone.joyful == 0 && tone.angry == 0, add);
    flag("mixed", tone.joyful > 0 && tone.angry > 0, add);
    flag("love", tone.strongest > 1, add);
    flag("hate", tone.weakest < -1, add);
    flag("ends well", tone.last > 0, add);
    flag("ends badly", tone.last < 0, add);
    flag("begins well", tone.first > 0, add);
    flag("begins badly", tone.first < 0, add);
    let prose = &document.plain_prose;
    steps("calls", prose.matches('!').count(), &[1, 2, 3], add);
    steps("asks", prose.matches('?').count(), &[1, 2], add);
    steps("shouts", document.seen.shouts, &[1, 3], add);
    steps("length", document.prose.len(), &[4, 8, 15, 40, 80], add);
    let dense = |n: i32| count(n) * 8 >= document.prose.len().max(1);
    flag("dense joy", tone.joy > 0 && dense(tone.joy), add);
    flag("dense anger", tone.anger > 0 && dense(tone.anger), add);
}
