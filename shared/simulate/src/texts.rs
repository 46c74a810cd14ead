//! The texts people write: templates in `texts/`, filled by a small grammar.
//!
//! `<a|b>` is one of both, `{name}` a slot; anything else stands for itself. A template file has sections:
//! `## name` with one template a line, `### name` with templates of several lines divided by `---`.

use std::{collections::HashMap, sync::LazyLock};

use crate::dice::Dice;

/// A language that people write in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Language {
    /// English.
    En,
    /// German.
    De,
    /// French.
    Fr,
    /// Spanish.
    Es,
    /// Portuguese.
    Pt,
    /// Japanese.
    Ja,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 6] = [Self::En, Self::De, Self::Fr, Self::Es, Self::Pt, Self::Ja];

    /// The ISO 639-1 code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
            Self::Fr => "fr",
            Self::Es => "es",
            Self::Pt => "pt",
            Self::Ja => "ja",
        }
    }
}

type Sections = HashMap<&'static str, Vec<&'static str>>;

static TEXTS: LazyLock<[Sections; 6]> = LazyLock::new(|| {
    [
        sections(include_str!("../texts/en.txt")),
        sections(include_str!("../texts/de.txt")),
        sections(include_str!("../texts/fr.txt")),
        sections(include_str!("../texts/es.txt")),
        sections(include_str!("../texts/pt.txt")),
        sections(include_str!("../texts/ja.txt")),
    ]
});

static CODE: LazyLock<Sections> = LazyLock::new(|| sections(include_str!("../texts/code.txt")));

fn sections(text: &'static str) -> Sections {
    let mut found = Sections::new();
    let starts = text.match_indices("##").filter(|(at, _)| *at == 0 || text.as_bytes()[at - 1] == b'\n').map(|(at, _)| at);
    let starts: Vec<usize> = starts.collect();
    for (i, start) in starts.iter().enumerate() {
        let section = &text[*start..starts.get(i + 1).copied().unwrap_or(text.len())];
        let Some((head, body)) = section.split_once('\n') else { continue };
        let name = head.trim_start_matches('#').trim();
        let items = if head.starts_with("###") { body.split("\n---\n").map(str::trim).collect() } else { body.lines().collect::<Vec<_>>() };
        found.insert(name, items.into_iter().filter(|l| !l.is_empty()).collect());
    }
    found
}

fn of(language: Language, name: &str) -> Option<&'static [&'static str]> {
    TEXTS[language as usize].get(name).map(Vec::as_slice)
}

/// Whether something is written about `name` in this language.
pub(crate) fn has(language: Language, name: &str) -> bool {
    of(language, name).is_some()
}

/// A template of this section in this language; none where nobody wrote one.
pub(crate) fn template(dice: &mut Dice, language: Language, name: &str) -> Option<&'static str> {
    of(language, name).map(|all| dice.word(all))
}

/// A template of a block of code: `snippet` or `trace`.
pub(crate) fn code(dice: &mut Dice, name: &str) -> &'static str {
    CODE.get(name).map_or("", |all| dice.word(all))
}

/// What fills a slot.
pub(crate) trait Slots {
    /// Appends the value of a slot; false if there is no such slot.
    fn fill(&mut self, dice: &mut Dice, name: &str, out: &mut String) -> bool;
}

/// Writes a template out.
pub(crate) fn expand(dice: &mut Dice, template: &str, slots: &mut impl Slots, out: &mut String) {
    let mut rest = template;
    while let Some(at) = rest.find(['<', '{']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let used = if rest.starts_with('<') { choice(dice, rest, slots, out) } else { slot(dice, rest, slots, out) };
        match used {
            Some(len) => rest = &rest[len..],
            None => {
                out.push_str(&rest[..1]);
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
}

fn slot(dice: &mut Dice, rest: &str, slots: &mut impl Slots, out: &mut String) -> Option<usize> {
    let end = rest.find('}')?;
    slots.fill(dice, &rest[1..end], out).then_some(end + 1)
}

/// Expands the `<a|b>` that `rest` begins with; without a bar it is no choice.
fn choice(dice: &mut Dice, rest: &str, slots: &mut impl Slots, out: &mut String) -> Option<usize> {
    let end = rest.find('>')?;
    let inner = &rest[1..end];
    let count = inner.split('|').count();
    if count < 2 || inner.contains(['<', '\n']) {
        return None;
    }
    let chosen = inner.split('|').nth(dice.below(count))?;
    expand(dice, chosen, slots, out);
    Some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;
    impl Slots for Fixed {
        fn fill(&mut self, _: &mut Dice, name: &str, out: &mut String) -> bool {
            if name == "op" {
                out.push_str("createRefund");
            }
            name == "op"
        }
    }

    fn expanded(template: &str) -> String {
        let mut out = String::new();
        expand(&mut Dice::new(3), template, &mut Fixed, &mut out);
        out
    }

    #[test]
    fn slots_and_choices_are_filled_and_code_is_left_alone() {
        assert_eq!(expanded("{op} fails"), "createRefund fails");
        assert_eq!(expanded("<{op}|{op}>!"), "createRefund!");
        let code = "List<String> x = new int[]{1}; a < b {} {unknown}";
        assert_eq!(expanded(code), code);
        assert_eq!(expanded("open { and <"), "open { and <");
    }

    #[test]
    fn sections_are_read() {
        assert!(of(Language::En, "refund_failing.title").is_some_and(|t| t.len() >= 5));
        assert!(of(Language::Ja, "greeting").is_some());
        assert_eq!(CODE.get("trace").map(Vec::len), Some(4));
        assert!(Language::ALL.iter().all(|l| has(*l, "closing") && has(*l, "survey_low")));
    }
}
