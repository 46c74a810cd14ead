//! What a theme is called: the few words that tell it from the others.

use hashbrown::HashMap;

use crate::grouping::{Theme, Word};

/// Words or pairs in a name.
const IN_NAME: usize = 3;
/// Terms listed for a theme.
const LISTED: usize = 8;

/// The names of all themes of an API, in their order: most telling words first, equal names told apart by no more than their ids.
#[must_use]
pub fn all(themes: &[Theme]) -> Vec<String> {
    let having = having(themes);
    themes.iter().map(|theme| chosen(theme, &having, themes.len(), IN_NAME).join(" · ")).collect()
}

/// The most telling terms of a theme among these, best first.
#[must_use]
pub fn terms(theme: &Theme, among: &[Theme]) -> Vec<String> {
    chosen(theme, &having(among), among.len(), LISTED)
}

/// Word to the number of themes that have it.
fn having(themes: &[Theme]) -> HashMap<u32, usize> {
    let mut having = HashMap::new();
    themes.iter().flat_map(|t| &t.words).for_each(|w| *having.entry(w.key).or_default() += 1);
    having
}

fn chosen(theme: &Theme, having: &HashMap<u32, usize>, all: usize, most: usize) -> Vec<String> {
    let rarity = |key: u32| (2.0 + all as f32).ln() - (1.0 + having.get(&key).copied().unwrap_or(0) as f32).ln();
    // A pair tells more than its words, if it is said about as often as they are.
    let telling = |word: &Word| word.sum * rarity(word.key) * if word.text.contains(' ') { 2.0 } else { 1.0 };
    let mut words: Vec<&Word> = theme.words.iter().collect();
    words.sort_by(|a, b| telling(b).total_cmp(&telling(a)).then_with(|| a.text.cmp(&b.text)));
    let mut chosen: Vec<String> = Vec::new();
    for word in words {
        if chosen.len() == most {
            break;
        }
        let said = |part: &str| chosen.iter().any(|c| c.split(' ').any(|p| p == part));
        if !word.text.split(' ').any(said) {
            chosen.push(word.text.clone());
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Features, Grouping, Limits};

    #[test]
    fn a_name_has_what_tells_a_theme_from_others() {
        let mut grouping = Grouping::new(Limits::default());
        let said = [
            ("Refund fails with 409", "the payments call createRefund answers 409"),
            ("createRefund answers 409", "refund of payments fails"),
            ("CSV export of payments missing", "we need a csv export"),
            ("Need a CSV export", "payments should have a csv export"),
        ];
        for (identity, (title, body)) in (1u128..).zip(said) {
            grouping.place(identity, &Features::of(title, body));
        }
        let themes: Vec<Theme> = grouping.themes().cloned().collect();
        let names = all(&themes);
        assert_eq!(themes.len(), 2, "{names:?}");
        assert!(names[0].contains("refund") && names[1].contains("csv export"), "{names:?}");
        assert!(terms(&themes[1], &themes).len() >= 2);
    }
}
