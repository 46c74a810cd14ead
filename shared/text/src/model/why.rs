//! The words that speak for a label.

use super::Prepared;
use super::features::{Block, tokens_of};
use super::head::Head;

/// Most words that are named.
const MOST: usize = 5;

/// Blocks whose features are words that can be named.
const NAMED: [Block; 5] = [Block::TitleWords, Block::BodyWords, Block::Headings, Block::Denied, Block::Code];

/// The words whose features add most to a label's score, the most telling first. A feature of several words counts for its first.
pub(super) fn words(head: &Head, prepared: &Prepared, label: usize) -> Vec<String> {
    let mut sums: Vec<(&str, f32)> = Vec::new();
    for block in NAMED.into_iter().filter(|b| head.blocks[*b as usize] > 0.0) {
        let Some(tokens) = tokens_of(&prepared.document, block) else { continue };
        let features = &prepared.features.blocks[block as usize];
        let length = head.length(features);
        if length == 0.0 {
            continue;
        }
        let mut by_token = vec![0.0_f32; tokens.len()];
        for feature in features {
            if let Some(sum) = by_token.get_mut(usize::from(feature.at)) {
                *sum += head.contribution(feature.key, feature.count, label);
            }
        }
        let factor = head.blocks[block as usize] / length;
        let telling = by_token.iter().enumerate().filter(|(_, s)| **s > 0.0);
        sums.extend(telling.map(|(i, s)| (tokens.get(i), s * factor)));
    }
    sums.retain(|(word, _)| word.chars().any(char::is_alphabetic) || word.chars().any(|c| "?!+".contains(c)));
    sums.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(b.0)));
    let mut words: Vec<String> = Vec::with_capacity(MOST);
    for (word, _) in sums {
        if words.len() < MOST && !words.iter().any(|w| w == word) {
            words.push(word.to_owned());
        }
    }
    words
}
