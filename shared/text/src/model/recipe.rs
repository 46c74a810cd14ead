//! Which features count how much: the recipes that cross-validation chooses from.

use super::features::{Block, Weights};
use super::train::Options;

/// A kind of text, with the features and costs that are best for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Recipe {
    /// Tickets and issues: title and body, headings, code, structure.
    Ticket,
    /// One or two sentences, as said to a help desk.
    Intent,
    /// How something is said: denials, words of joy and of anger.
    Tone,
    /// The letters of a language.
    Language,
    /// What a ticket is about, more than what it wants: letters of its words count as much as words, templates less.
    Subject,
}

//                          title      body       head- first quest-     marks     edges     script   meaning of
//                        words let. words let.   ings       ions  code      denied     tone      pairs title body
const TICKET: Weights = [1.0, 0.6, 1.5, 1.0, 0.5, 0.5, 0.5, 0.6, 0.7, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 0.5];
const SUBJECT: Weights = [1.0, 0.6, 1.5, 1.5, 0.3, 0.5, 0.5, 0.6, 0.7, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 0.5];
const INTENT: Weights = [1.0, 1.0, 1.0, 1.0, 0.3, 0.5, 0.5, 0.3, 0.7, 0.0, 0.0, 0.0, 0.0, 0.7, 1.0, 1.0];
const TONE: Weights = [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.7, 0.4, 1.0, 0.0, 0.0, 0.0, 0.0];
const LANGUAGE: Weights = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0];

/// In how many texts a feature must stand. Rare runs of letters in long texts are noise; in short ones they are all there is.
const RARE_LEFT_OUT: [u32; Block::ALL.len()] = [1, 2, 2, 3, 2, 2, 2, 3, 1, 2, 2, 1, 2, 2, 1, 1];
const RARE_KEPT: [u32; Block::ALL.len()] = [1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1];

impl Recipe {
    /// Those that `model train` tries.
    pub const TRIED: [Self; 3] = [Self::Ticket, Self::Intent, Self::Tone];

    pub(super) fn options(self) -> Options {
        // 2^16 buckets are as good as four times as many, and what three heads know of them fits into a cache.
        let (blocks, least, cost, plain, bits) = match self {
            Self::Ticket => (TICKET, RARE_LEFT_OUT, 0.05, 0.5, 16),
            Self::Subject => (SUBJECT, RARE_LEFT_OUT, 0.05, 0.5, 16),
            Self::Intent => (INTENT, RARE_KEPT, 1.0, 1.0, 18),
            Self::Tone => (TONE, RARE_LEFT_OUT, 0.1, 0.5, 16),
            Self::Language => (LANGUAGE, RARE_LEFT_OUT, 0.6, 1.0, 20),
        };
        // Of very many labels each is rare, and none in particular.
        let balanced = matches!(self, Self::Ticket | Self::Tone | Self::Subject);
        Options { blocks, least, cost, plain, crossed: 1.0, favour: 1.0, balanced, bits }
    }
}

/// The blocks that any of the recipes looks at.
pub(super) fn union(recipes: &[Recipe]) -> Weights {
    recipes.iter().fold([0.0; Block::ALL.len()], |mut sum, recipe| {
        sum.iter_mut().zip(recipe.options().blocks).for_each(|(s, w)| *s = f32::max(*s, w));
        sum
    })
}
