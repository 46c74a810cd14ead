//! The features of a text, in blocks: what stands in the title is another feature than the same word in the body.

use groundswell_meaning::{DIMENSIONS, Meaning};

use super::counter::Counter;
use super::document::Document;
use super::hash;
use super::marks;
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
    /// Headings and hidden comments of a template, whole and by word.
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
    /// Those of all blocks, one block after the other.
    all: Vec<Feature>,
    /// Where each block ends.
    ends: [usize; Block::ALL.len()],
    /// Directions of title and prose, each of length 1; empty where no head asks for them.
    pub(super) meanings: Vec<f32>,
}

impl Features {
    pub(super) fn of(document: &Document, wanted: &Weights) -> Self {
        let wants = |block: &Block| wanted[*block as usize] > 0.0;
        let expected: [usize; Block::ALL.len()] = Block::ALL.map(|block| if wants(&block) { expected(document, block) } else { 0 });
        let mut counter = Counter::with_room(&expected);
        let mut ends = [0; Block::ALL.len()];
        for block in Block::ALL {
            if wants(&block) {
                counter.begin(block.seed(), expected[block as usize]);
                fill(&mut counter, block, document);
            }
            ends[block as usize] = counter.len();
        }
        let meanings = if asks_meaning(wanted) { [meaning(&document.title), meaning(&document.prose)].concat() } else { Vec::new() };
        Self { all: counter.into_features(), ends, meanings }
    }

    /// The features of a block; none where it was not wanted.
    pub(super) fn block(&self, block: Block) -> &[Feature] {
        let start = (block as usize).checked_sub(1).map_or(0, |before| self.ends[before]);
        self.all.get(start..self.ends[block as usize]).unwrap_or_default()
    }

    /// The features of all blocks.
    pub(super) fn all(&self) -> &[Feature] {
        &self.all
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
        Block::Headings => document.headings.len() * 2,
        Block::Pairs => document.prose.len() * PAIR_REACH,
        _ => (document.title.len() + document.prose.len() + document.code.len()) * 3,
    }
}

fn fill(counter: &mut Counter, block: Block, document: &Document) {
    let (title, prose) = (&document.title, &document.prose);
    match block {
        Block::TitleWords => title_words(counter, title),
        Block::TitleLetters => letters::<2, 5>(counter, title),
        Block::BodyWords => words(counter, prose, 0..prose.len(), 2),
        // Runs of other lengths were measured to add nothing but time.
        Block::BodyLetters => letters::<4, 4>(counter, prose),
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

/// Runs of `LEAST` to `MOST` letters within a word and its borders.
fn letters<const LEAST: usize, const MOST: usize>(counter: &mut Counter, tokens: &Tokens) {
    let mut letters = Letters::default();
    for (i, token) in tokens.all().iter().enumerate() {
        runs::<LEAST, MOST>(counter, letters.of(tokens.text(token)), i);
    }
}

/// Most letters of a word that are looked at.
const MOST_LETTERS: usize = 64;

/// The letters of one word between its borders.
struct Letters([u32; MOST_LETTERS + 2]);

impl Default for Letters {
    fn default() -> Self {
        Self([u32::from(' '); MOST_LETTERS + 2])
    }
}

impl Letters {
    fn of(&mut self, word: &str) -> &[u32] {
        let slots = &mut self.0[1..=MOST_LETTERS];
        let count = if word.is_ascii() {
            slots.iter_mut().zip(word.as_bytes()).for_each(|(slot, byte)| *slot = u32::from(*byte));
            word.len().min(MOST_LETTERS)
        } else {
            slots.iter_mut().zip(word.chars()).map(|(slot, letter)| *slot = u32::from(letter)).count()
        };
        self.0[1 + count] = u32::from(' ');
        &self.0[..count + 2]
    }
}

fn runs<const LEAST: usize, const MOST: usize>(counter: &mut Counter, letters: &[u32], at: usize) {
    let add = |hash, letter: &u32| hash::push(hash, u64::from(*letter));
    if LEAST == MOST {
        letters.windows(MOST).for_each(|run| counter.add(run.iter().fold(1, add), at));
        return;
    }
    for start in 0..letters.len() {
        let mut hash = 1;
        for (n, letter) in letters[start..].iter().take(MOST).enumerate() {
            hash = add(hash, letter);
            if n + 1 >= LEAST {
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
        if token.tone.denies {
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
    let mut letters = Letters::default();
    let mut seen = 0;
    for token in tokens.all().iter().filter(|t| t.word) {
        let letters = letters.of(tokens.text(token));
        runs::<1, 5>(counter, letters, 0);
        counter.add(hash::push(7, token.hash), 0);
        seen += letters.len();
        if seen > ENOUGH_SCRIPT {
            return;
        }
    }
}
