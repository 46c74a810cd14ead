//! Names of organisations and people; domains that can't exist and telephone numbers kept free for fiction.

use crate::{dice::Dice, texts::Language};

const FIRST: [&str; 40] = [
    "Alder", "Amber", "Basalt", "Birch", "Cedar", "Cobalt", "Coral", "Dune", "Ember", "Fable", "Fern", "Flint", "Garnet", "Harbor",
    "Hazel", "Indigo", "Juniper", "Kestrel", "Lagoon", "Larch", "Maple", "Meadow", "Nimbus", "Onyx", "Opal", "Otter", "Pebble", "Quartz",
    "Raven", "Ridge", "Sable", "Saffron", "Slate", "Sparrow", "Thistle", "Umber", "Velvet", "Willow", "Wren", "Yarrow",
];
const SECOND: [&str; 17] = [
    "Retail",
    "Logistics",
    "Labs",
    "Health",
    "Travel",
    "Foods",
    "Media",
    "Games",
    "Mobility",
    "Books",
    "Energy",
    "Studio",
    "Sports",
    "Home",
    "Fashion",
    "Tools",
    "Garden",
];

/// The name and the slug of an organisation, different for every number.
pub(crate) fn organisation(number: usize) -> (String, String) {
    let (first, second) = (FIRST[number % FIRST.len()], SECOND[(number / FIRST.len() + number) % SECOND.len()]);
    let again = number / (FIRST.len() * SECOND.len());
    let (suffix, tail) = if again == 0 { (String::new(), String::new()) } else { (format!(" {again}"), format!("-{again}")) };
    (format!("{first} {second}{suffix}"), format!("{}-{}{tail}", first.to_lowercase(), second.to_lowercase()))
}

type Names = (&'static [&'static str], &'static [&'static str]);

fn names(language: Language) -> Names {
    match language {
        Language::En => (
            &["Olivia", "Noah", "Grace", "Ethan", "Priya", "Marcus", "Hannah", "Owen", "Aisha", "Liam", "Chloe", "Victor"],
            &["Whitfield", "Okafor", "Barnes", "Mercer", "Nandakumar", "Holloway", "Prescott", "Lindqvist", "Farrow", "Castellan"],
        ),
        Language::De => (
            &["Jonas", "Lena", "Matthias", "Katrin", "Jürgen", "Anke", "Felix", "Sabine"],
            &["Brandt", "Köhler", "Vogelsang", "Weidner", "Schäfer", "Lindemann", "Hartwig"],
        ),
        Language::Fr => (
            &["Camille", "Hugo", "Élodie", "Mathieu", "Chloé", "Bastien", "Nadège"],
            &["Lefèvre", "Marchand", "Delacour", "Rousselot", "Perrin", "Vasseur"],
        ),
        Language::Es => (
            &["Lucía", "Javier", "Marta", "Álvaro", "Sofía", "Raúl", "Inés"],
            &["Herrera", "Castaño", "Ibáñez", "Montero", "Quiroga", "Salcedo"],
        ),
        Language::Pt => (
            &["Beatriz", "João", "Larissa", "Tiago", "Renata", "Caio", "Inês"],
            &["Monteiro", "Cardoso", "Figueira", "Teixeira", "Brandão", "Pacheco"],
        ),
        Language::Ja => (&["陽子", "健太", "美咲", "大輔", "由紀"], &["中村", "小林", "藤田", "石井", "森本"]),
    }
}

/// A first and a last name.
pub(crate) fn person(dice: &mut Dice, language: Language) -> (&'static str, &'static str) {
    let (first, last) = names(language);
    (dice.word(first), dice.word(last))
}

/// Both names as they are written in this language.
pub(crate) fn full(language: Language, first: &str, last: &str) -> String {
    if language == Language::Ja { format!("{last}{first}") } else { format!("{first} {last}") }
}

/// A name as it stands in an e-mail address.
pub(crate) fn ascii(name: &str) -> String {
    let romaji = [
        ("陽子", "yoko"),
        ("健太", "kenta"),
        ("美咲", "misaki"),
        ("大輔", "daisuke"),
        ("由紀", "yuki"),
        ("中村", "nakamura"),
        ("小林", "kobayashi"),
        ("藤田", "fujita"),
        ("石井", "ishii"),
        ("森本", "morimoto"),
    ];
    if let Some((_, latin)) = romaji.iter().find(|(kanji, _)| *kanji == name) {
        return (*latin).to_owned();
    }
    name.chars()
        .flat_map(char::to_lowercase)
        .filter_map(|c| match c {
            'á' | 'ã' | 'ä' | 'à' => Some('a'),
            'é' | 'è' | 'ê' => Some('e'),
            'í' => Some('i'),
            'ó' | 'ö' => Some('o'),
            'ú' | 'ü' => Some('u'),
            'ñ' => Some('n'),
            c if c.is_ascii() => Some(c),
            _ => None,
        })
        .collect()
}

/// Numbers that no one has: ranges kept free for films and books.
pub(crate) fn phone_pattern(language: Language) -> &'static str {
    match language {
        Language::En => "+1 (202) 555-01##",
        Language::De => "+49 30 23125 ###",
        Language::Fr => "+33 1 99 00 ## ##",
        Language::Es => "+44 20 7946 0###",
        Language::Pt => "+44 1632 960 ###",
        Language::Ja => "+1 415 555 01##",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn organisations_differ() {
        let all: std::collections::HashSet<_> = (0..5_000).map(organisation).collect();
        assert_eq!(all.len(), 5_000);
    }

    #[test]
    fn every_name_has_an_address() {
        for language in Language::ALL {
            let (first, last) = names(language);
            assert!(first.iter().chain(last).all(|n| ascii(n).len() >= 3 && ascii(n).is_ascii()), "{language:?}");
        }
    }
}
