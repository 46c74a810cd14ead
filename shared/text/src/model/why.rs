//! The words that speak for a label.

use super::Prepared;
use super::features::{Block, tokens_of};
use super::head::{Head, frequencies, frequency, rarity};

/// Most words that are named.
const MOST: usize = 5;

/// Blocks whose features are words that can be named.
const NAMED: [Block; 5] = [Block::TitleWords, Block::BodyWords, Block::Headings, Block::Denied, Block::Code];

/// The words whose features add most to a label's score, the most telling first. A feature of several words counts for its first.
/// `weight` tells how rare the feature of a key is, and its weight for the label.
pub(super) fn words(head: &Head, prepared: &Prepared, weight: impl Fn(u32) -> (u8, f32)) -> Vec<String> {
    let mut sums: Vec<(&str, f32)> = Vec::new();
    for block in NAMED.into_iter().filter(|b| head.blocks[*b as usize] > 0.0) {
        let Some(tokens) = tokens_of(&prepared.document, block) else { continue };
        let (mut by_token, mut square) = (vec![0.0_f32; tokens.len()], 0.0_f32);
        for feature in prepared.features.block(block) {
            let (rare, weight) = weight(feature.key);
            let value = frequency(frequencies(), feature.count) * rarity(rare);
            square += value * value;
            if let Some(sum) = by_token.get_mut(usize::from(feature.at)) {
                *sum += value * weight;
            }
        }
        if square > 0.0 {
            let factor = head.blocks[block as usize] / square.sqrt();
            let telling = by_token.iter().enumerate().filter(|(_, s)| **s > 0.0);
            sums.extend(telling.map(|(i, s)| (tokens.get(i), s * factor)));
        }
    }
    most_telling(&mut sums)
}

/// The words with the highest sums, each once.
fn most_telling(sums: &mut [(&str, f32)]) -> Vec<String> {
    let mut words: Vec<String> = Vec::with_capacity(MOST);
    while words.len() < MOST {
        let more = |a: &&mut (&str, f32), b: &&mut (&str, f32)| a.1.total_cmp(&b.1).then_with(|| b.0.cmp(a.0));
        let Some((word, sum)) = sums.iter_mut().max_by(more).filter(|(_, sum)| *sum > 0.0) else { break };
        *sum = 0.0;
        if says_something(word) && !words.iter().any(|known| known == word) {
            words.push((*word).to_owned());
        }
    }
    words
}

fn says_something(word: &str) -> bool {
    word.chars().any(|c| c.is_alphabetic() || "?!+".contains(c))
}
