//! What the words around a number say it is.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::bytes::{before, byte, is_word, placeholder_end, run};
use super::vocabulary::{
    ADDRESS, CALLING, CARD, MAYBE_REACHING, NATIONAL_ID, NUMBER, OWNER, PERSON, PHONE, REACHING, THING, TOWARDS, VERSION,
};

/// How far before a number words still count for it.
const REACH: usize = 56;
/// Longer words are not looked up.
const LONGEST: usize = 16;

/// What the words near a number say.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Context {
    /// A telephone number.
    pub(super) phone: bool,
    /// Perhaps a telephone number: enough where the digits are grouped like one.
    pub(super) maybe_phone: bool,
    /// A word for calling somebody up: enough for a number with a leading 0.
    pub(super) calling: bool,
    /// A payment card.
    pub(super) card: bool,
    /// A version of something.
    pub(super) version: bool,
    /// A number given to a person by a state.
    pub(super) national_id: bool,
    /// A hardware or network address.
    pub(super) address: bool,
    /// The number of something that is not a person: an order, a build, a line.
    pub(super) thing: bool,
}

/// What a word can mean for a number after it.
#[derive(Clone, Copy)]
enum Group {
    Phone,
    Reaching,
    MaybeReaching,
    Calling,
    Towards,
    Owner,
    Number,
    Person,
    Card,
    Version,
    NationalId,
    Address,
    Thing,
}

impl Group {
    fn bit(self) -> u16 {
        1 << self as u16
    }
}

const GROUPS: &[(Group, &[&str])] = &[
    (Group::Phone, PHONE),
    (Group::Reaching, REACHING),
    (Group::MaybeReaching, MAYBE_REACHING),
    (Group::Calling, CALLING),
    (Group::Towards, TOWARDS),
    (Group::Owner, OWNER),
    (Group::Number, NUMBER),
    (Group::Person, PERSON),
    (Group::Card, CARD),
    (Group::Version, VERSION),
    (Group::NationalId, NATIONAL_ID),
    (Group::Address, ADDRESS),
    (Group::Thing, THING),
];

/// Every word with the bits of its groups, sorted by word.
static MEANINGS: LazyLock<Vec<(&'static [u8], u16)>> = LazyLock::new(|| {
    let mut words = BTreeMap::new();
    for (group, list) in GROUPS {
        for word in *list {
            *words.entry(word.as_bytes()).or_insert(0) |= group.bit();
        }
    }
    words.into_iter().collect()
});

/// The groups of a word in lower case.
fn meaning(word: &[u8]) -> Option<u16> {
    let at = MEANINGS.binary_search_by(|(w, _)| (*w).cmp(word)).ok()?;
    MEANINGS.get(at).map(|(_, groups)| *groups)
}

impl Context {
    /// Reads the words before `at`, from the nearest on, up to an empty line; and the word after `end`.
    pub(super) fn around(bytes: &[u8], at: usize, end: usize) -> Self {
        let mut context = Self::default();
        let mut here = at;
        let mut nearer = Nearer::default();
        let far = at.saturating_sub(REACH);
        while here > far {
            let b = before(bytes, here);
            if b == b'\n' && before(bytes, here - 1) == b'\n' {
                break;
            }
            if !is_letter(b) {
                here -= 1;
                continue;
            }
            let start = (far..here).rev().find(|i| !is_letter(byte(bytes, *i))).map_or(far, |i| i + 1);
            if start > 0 && placeholder_end(bytes, start - 1).is_none() {
                context.add(bytes.get(start..here).unwrap_or_default(), &mut nearer);
            } else if start == 0 {
                context.add(bytes.get(..here).unwrap_or_default(), &mut nearer);
            }
            here = start;
        }
        context.phone |= after_says_phone(bytes, end);
        context
    }

    fn add(&mut self, word: &[u8], nearer: &mut Nearer) {
        let mut buffer = [0_u8; LONGEST];
        if !word.is_ascii()
            && let Some(text) = cjk(word)
        {
            self.phone |= ["电话", "手机", "電話", "携帯", "전화", "号码"].iter().any(|w| text.contains(w));
            self.card |= ["卡", "カード", "카드"].iter().any(|w| text.contains(w));
            return;
        }
        let Some(lower) = buffer.get_mut(..word.len()) else { return };
        lower.copy_from_slice(word);
        lower.make_ascii_lowercase();
        let Some(is) = meaning(lower) else { return };
        let says = |group: Group| is & group.bit() != 0;
        // The nearest word wins: "the phone's order id".
        self.card |= says(Group::Card);
        self.thing |= !self.phone && (says(Group::Thing) || says(Group::Card));
        self.phone |=
            !self.thing && (says(Group::Phone) || (nearer.person && says(Group::Reaching)) || (nearer.number && says(Group::Owner)));
        self.maybe_phone |= !self.thing && nearer.towards && says(Group::MaybeReaching);
        self.calling |= !self.thing && says(Group::Calling);
        self.version |= says(Group::Version);
        self.national_id |= says(Group::NationalId);
        self.address |= says(Group::Address);
        nearer.person |= says(Group::Person);
        nearer.number |= says(Group::Number);
        nearer.towards |= says(Group::Towards);
    }
}

/// What the words between here and the number were.
#[derive(Default)]
struct Nearer {
    person: bool,
    number: bool,
    towards: bool,
}

fn is_letter(b: u8) -> bool {
    b.is_ascii_alphabetic() || b >= 0x80
}

/// The word as text, where it is written in a script without spaces.
fn cjk(word: &[u8]) -> Option<&str> {
    // The words of these scripts may start in the middle where the reach ends.
    let start = word.iter().position(|b| (b & 0xC0) != 0x80)?;
    let text = word.get(start..).and_then(|w| std::str::from_utf8(w).ok())?;
    text.chars().any(|c| c >= '\u{2E80}').then_some(text)
}

/// "416 60 039 office", "788-063-Fax": the label of an address card after its number.
fn after_says_phone(bytes: &[u8], end: usize) -> bool {
    if !matches!(byte(bytes, end), b' ' | b'-') {
        return false;
    }
    let start = end + 1 + usize::from(byte(bytes, end + 1) == b'(');
    let stop = run(bytes, start, LONGEST, is_word);
    let word = bytes.get(start..stop).unwrap_or_default();
    ["office", "fax", "mobile", "cell", "desk", "landline"].iter().any(|w| word.eq_ignore_ascii_case(w.as_bytes()))
}
