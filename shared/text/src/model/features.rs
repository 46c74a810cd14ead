//! The features of a text, in blocks: what stands in the title is another feature than the same word in the body.

use groundswell_meaning::{DIMENSIONS, Meaning};

use super::document::Document;
use super::hash;
use super::marks;
use super::polarity;
use super::tokens::Tokens;

/// Where a feature comes from. The order is part of every model file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[repr(u8)]
pub(super) enum Block {
    /// One to three words of the title, with its ends.
    TitleWords,
    /// Letters of the title's words.
    TitleLetters,
    /// One or two words of the prose.
    BodyWords,
    /// Letters of the prose's words.
    BodyLetters,
    /// Headings of a template, whole and by word.
    Headings,
    /// The first sentence.
    First,
    /// Sentences that ask.
    Questions,
    /// Words of code.
    Code,
    /// Structure: lengths, code, traces, images, typical phrases.
    Marks,
    /// Words behind a denial.
    Denied,
    /// The first and last words.
    Edges,
    /// Sums over words of joy and anger.
    Tone,
    /// Letters of all words, for languages.
    Script,
    /// Two words of the prose that do not stand side by side.
    Pairs,
    /// What the title's words mean together: directions, not features to count.
    TitleMeaning,
    /// The same of the prose.
    BodyMeaning,
}

impl Block {
    pub(super) const ALL: [Self; 16] = [
        Self::TitleWords,
        Self::TitleLetters,
        Self::BodyWords,
        Self::BodyLetters,
        Self::Headings,
        Self::First,
        Self::Questions,
        Self::Code,
        Self::Marks,
        Self::Denied,
        Self::Edges,
        Self::Tone,
        Self::Script,
        Self::Pairs,
        Self::TitleMeaning,
        Self::BodyMeaning,
    ];

    const fn seed(self) -> u64 {
        0x1000 + self as u64
    }
}

/// Weight of each block in a head; 0 leaves it out.
pub(super) type Weights = [f32; Block::ALL.len()];

/// Most features of one block: time stays bounded.
const MOST_FEATURES: usize = 8192;
/// Tokens of the questions that are looked at.
const MOST_QUESTION_TOKENS: usize = 120;
/// Letters that say which language a text is in.
const ENOUGH_SCRIPT: usize = 500;

/// How far apart the words of a pair may stand.
const PAIR_REACH: usize = 7;

/// Directions of the meanings of title and prose.
pub(super) const MEANINGS: usize = 2 * DIMENSIONS;

/// Whether a head asks what words mean.
pub(super) fn asks_meaning(weights: &Weights) -> bool {
    weights[Block::TitleMeaning as usize] > 0.0 || weights[Block::BodyMeaning as usize] > 0.0
}

/// One feature of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Feature {
    pub(super) key: u32,
    /// How often.
    pub(super) count: u16,
    /// The first token of it, in its part of the text.
    pub(super) at: u16,
}

/// The features of one text.
#[derive(Debug, Default)]
pub(super) struct Features {
    pub(super) blocks: [Vec<Feature>; Block::ALL.len()],
    /// Directions of title and prose, each of length 1; empty where no head asks for them.
    pub(super) meanings: Vec<f32>,
}

impl Features {
    pub(super) fn of(document: &Document, wanted: &Weights) -> Self {
        let mut features = Self::default();
        let mut counter = Counter::default();
        for block in Block::ALL.into_iter().filter(|b| wanted[*b as usize] > 0.0) {
            counter.begin(block, expected(document, block));
            fill(&mut counter, block, document);
            features.blocks[block as usize] = std::mem::take(&mut counter.found);
        }
        if asks_meaning(wanted) {
            features.meanings = [&document.title, &document.prose].into_iter().flat_map(meaning).collect();
        }
        features
    }
}

/// The tokens that the places of a block's features mean.
pub(super) fn tokens_of(document: &Document, block: Block) -> Option<&Tokens> {
    match block {
        Block::TitleWords | Block::TitleLetters => Some(&document.title),
        Block::BodyWords | Block::BodyLetters | Block::First | Block::Questions | Block::Denied | Block::Edges | Block::Pairs => {
            Some(&document.prose)
        }
        Block::Headings => Some(&document.headings),
        Block::Code => Some(&document.code),
        Block::Marks | Block::Tone | Block::Script | Block::TitleMeaning | Block::BodyMeaning => None,
    }
}

fn expected(document: &Document, block: Block) -> usize {
    match block {
        Block::TitleLetters => document.title.bytes() * 4,
        Block::BodyLetters => document.prose.bytes() * 2,
        Block::Script => ENOUGH_SCRIPT * 5,
        Block::Pairs => document.prose.len() * PAIR_REACH,
        _ => (document.title.len() + document.prose.len() + document.code.len()) * 3,
    }
}

fn fill(counter: &mut Counter, block: Block, document: &Document) {
    let (title, prose) = (&document.title, &document.prose);
    match block {
        Block::TitleWords => title_words(counter, title),
        Block::TitleLetters => letters(counter, title, 2, 5),
        Block::BodyWords => words(counter, prose, 0..prose.len(), 2),
        // Runs of other lengths were measured to add nothing but time.
        Block::BodyLetters => letters(counter, prose, 4, 4),
        Block::Headings => headings(counter, document),
        Block::First => words(counter, prose, document.first.clone(), 2),
        Block::Questions => {
            let mut left = MOST_QUESTION_TOKENS;
            for question in &document.questions {
                let end = question.end.min(question.start + left);
                words(counter, prose, question.start..end, 2);
                left -= end - question.start;
            }
        }
        Block::Code => words(counter, &document.code, 0..document.code.len(), 1),
        Block::Marks => marks::add(document, &mut |mark| counter.add(mark, 0)),
        Block::Denied => denied(counter, prose),
        Block::Edges => edges(counter, prose),
        Block::Tone => marks::add_tone(document, &mut |mark| counter.add(mark, 0)),
        Block::Script => {
            script(counter, title);
            script(counter, prose);
        }
        Block::Pairs => pairs(counter, prose),
        Block::TitleMeaning | Block::BodyMeaning => {}
    }
}

/// One to `most` words in a row.
fn words(counter: &mut Counter, tokens: &Tokens, range: std::ops::Range<usize>, most: usize) {
    let all = tokens.all().get(range.clone()).unwrap_or_default();
    for i in 0..all.len() {
        let mut hash = 0;
        for token in all.iter().skip(i).take(most) {
            hash = hash::push(hash, token.hash);
            counter.add(hash, range.start + i);
        }
    }
}

/// As [`words`], and what begins and ends the title.
fn title_words(counter: &mut Counter, title: &Tokens) {
    words(counter, title, 0..title.len(), 3);
    let all = title.all();
    let (begin, end) = (hash::word("^"), hash::word("$"));
    let mut hash = begin;
    for token in all.iter().take(2) {
        hash = hash::push(hash, token.hash);
        counter.add(hash, 0);
    }
    let mut hash = end;
    for token in all.iter().rev().take(2) {
        hash = hash::push(hash, token.hash);
        counter.add(hash, all.len() - 1);
    }
}

/// Runs of `least` to `most` letters within a word and its borders.
fn letters(counter: &mut Counter, tokens: &Tokens, least: usize, most: usize) {
    let mut border = Vec::new();
    for (i, token) in tokens.all().iter().enumerate() {
        border.clear();
        border.push(' ');
        border.extend(tokens.text(token).chars().take(64));
        border.push(' ');
        runs(counter, &border, least, most, i);
    }
}

fn runs(counter: &mut Counter, letters: &[char], least: usize, most: usize, at: usize) {
    for start in 0..letters.len() {
        let mut hash = 1;
        for (n, c) in letters.iter().skip(start).take(most).enumerate() {
            hash = hash::push(hash, u64::from(*c));
            if n + 1 >= least {
                counter.add(hash, at);
            }
        }
    }
}

fn headings(counter: &mut Counter, document: &Document) {
    words(counter, &document.headings, 0..document.headings.len(), 1);
    let mut start = 0;
    for end in &document.heading_ends {
        let all = document.headings.all().get(start..*end).unwrap_or_default();
        counter.add(all.iter().fold(2, |h, t| hash::push(h, t.hash)), start);
        start = *end;
    }
}

/// One or two words up to four behind a denial, as other words than without it.
fn denied(counter: &mut Counter, tokens: &Tokens) {
    let mut reach = 0;
    for (i, token) in tokens.all().iter().enumerate() {
        if polarity::denies(token.hash, tokens.text(token)) {
            reach = 4;
            continue;
        }
        if !token.word {
            reach = 0;
        }
        if reach > 0 {
            counter.add(hash::push(3, token.hash), i);
            reach -= 1;
        }
    }
}

fn edges(counter: &mut Counter, tokens: &Tokens) {
    let all = tokens.all();
    for (n, token) in all.iter().take(4).enumerate() {
        counter.add(hash::push(4 + u64::from(n == 0), token.hash), n);
    }
    for (n, token) in all.iter().rev().take(3).enumerate() {
        counter.add(hash::push(6, token.hash), all.len() - 1 - n);
    }
}

/// Two words near each other with others between them, whichever comes first: neighbours are counted elsewhere.
fn pairs(counter: &mut Counter, tokens: &Tokens) {
    let all = tokens.all();
    for (i, token) in all.iter().enumerate() {
        for other in all.iter().skip(i + 2).take(PAIR_REACH) {
            let (a, b) = (token.hash.min(other.hash), token.hash.max(other.hash));
            counter.add(hash::push(hash::push(9, a), b), i);
        }
    }
}

fn meaning(tokens: &Tokens) -> [f32; DIMENSIONS] {
    let mut meaning = Meaning::default();
    tokens.all().iter().for_each(|token| meaning.add(tokens.text(token), 1.0));
    meaning.direction()
}

/// Runs of one to five letters, and whole words.
fn script(counter: &mut Counter, tokens: &Tokens) {
    let mut border = Vec::new();
    let mut letters = 0;
    for token in tokens.all().iter().filter(|t| t.word) {
        border.clear();
        border.push(' ');
        border.extend(tokens.text(token).chars().take(64));
        border.push(' ');
        runs(counter, &border, 1, 5, 0);
        counter.add(hash::push(7, token.hash), 0);
        letters += border.len();
        if letters > ENOUGH_SCRIPT {
            return;
        }
    }
}

/// Counts features by their key: an open table that is as large as the text needs.
#[derive(Default)]
struct Counter {
    seed: u64,
    /// One more than the place in `found`; 0 is free.
    slots: Vec<u32>,
    found: Vec<Feature>,
}

impl Counter {
    fn begin(&mut self, block: Block, expected: usize) {
        let size = (2 * expected.clamp(32, MOST_FEATURES)).next_power_of_two();
        self.seed = block.seed();
        self.slots.clear();
        self.slots.resize(size, 0);
        self.found.clear();
        self.found.reserve(expected.min(MOST_FEATURES) / 2);
    }

    fn add(&mut self, hash: u64, at: usize) {
        let key = hash::key(hash::push(self.seed, hash));
        let mask = self.slots.len() - 1;
        let mut slot = key as usize & mask;
        // The table is never more than half full, so a free slot is near.
        while let Some(place) = self.slots[slot].checked_sub(1) {
            let feature = &mut self.found[place as usize];
            if feature.key == key {
                feature.count = feature.count.saturating_add(1);
                return;
            }
            slot = (slot + 1) & mask;
        }
        if self.found.len() * 2 >= self.slots.len() {
            return;
        }
        self.found.push(Feature { key, count: 1, at: u16::try_from(at).unwrap_or(u16::MAX) });
        self.slots[slot] = u32::try_from(self.found.len()).unwrap_or(u32::MAX);
    }
}
