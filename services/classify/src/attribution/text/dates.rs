//! Dates as people write them, for versions that are dates.

/// Months by the beginning of their names in five languages.
const MONTHS: [&[&str]; 12] = [
    &["jan", "ene"],
    &["feb", "fév", "fev"],
    &["mar", "mär", "mrz"],
    &["apr", "avr", "abr"],
    &["may", "mai"],
    &["jun", "juin"],
    &["jul", "juil"],
    &["aug", "aoû", "aou", "ago"],
    &["sep", "set"],
    &["oct", "okt", "out"],
    &["nov"],
    &["dec", "dez", "déc", "dic"],
];
const LONGEST_MONTH: usize = 11;
/// Words that a date takes at most.
pub(super) const MOST_WORDS: usize = 5;

/// Whether a date may begin with this word: most words can't, and that is told at once.
pub(super) fn may_begin(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit()) || matches!(word, "de" | "of") || month(word).is_some()
}

/// The date that begins at the first of these words as `YYYY-MM-DD`, or `YYYY-MM` without a day, and how many words it takes.
pub(super) fn read(words: &[&str]) -> Option<(String, usize)> {
    let first = words.first()?;
    if let Some(date) = numeric(first) {
        return Some((date, 1));
    }
    // `1 June 2024`, `1. Juni 2024`, `1 de junio de 2024`, `June 1, 2024`, `June 2024`.
    let parts: Vec<(usize, &str)> =
        words.iter().take(MOST_WORDS).enumerate().filter(|(_, w)| **w != "de" && **w != "of").map(|(i, w)| (i, *w)).collect();
    let at = |n: usize| parts.get(n).map(|(_, w)| *w);
    let (a, b, c) = (at(0)?, at(1)?, at(2));
    let used = |n: usize| parts.get(n).map_or(1, |(i, _)| i + 1);
    if let (Some(day), Some(month), Some(year)) = (day(a), month(b), c.and_then(year)) {
        return Some((format!("{year}-{month:02}-{day:02}"), used(2)));
    }
    let month = month(a)?;
    if let (Some(day), Some(year)) = (day(b), c.and_then(year)) {
        return Some((format!("{year}-{month:02}-{day:02}"), used(2)));
    }
    year(b).map(|year| (format!("{year}-{month:02}"), used(1)))
}

/// `2024-06-01`, `2024/6/1`, `2024.06.01`, `20240601`, `2024-06`.
fn numeric(word: &str) -> Option<String> {
    let parts: Vec<&str> = word.split(['-', '/', '.']).collect();
    let number = |text: &str| text.parse::<u32>().ok().filter(|_| text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit()));
    match parts.as_slice() {
        [y, m, d] if y.len() == 4 => {
            let (y, m, d) = (number(y)?, number(m)?, number(d)?);
            is_date(y, m, d).then(|| format!("{y}-{m:02}-{d:02}"))
        }
        [y, m] if y.len() == 4 && m.len() == 2 => {
            let (y, m) = (number(y)?, number(m)?);
            is_date(y, m, 1).then(|| format!("{y}-{m:02}"))
        }
        [all] if all.len() == 8 && all.is_ascii() => {
            let (y, m, d) = (number(&all[..4])?, number(&all[4..6])?, number(&all[6..])?);
            is_date(y, m, d).then(|| format!("{y}-{m:02}-{d:02}"))
        }
        _ => None,
    }
}

fn is_date(y: u32, m: u32, d: u32) -> bool {
    (2000..2100).contains(&y) && (1..=12).contains(&m) && (1..=31).contains(&d)
}

fn year(word: &str) -> Option<u32> {
    word.parse().ok().filter(|y| (2000..2100).contains(y))
}

fn day(word: &str) -> Option<u32> {
    let digits = word.trim_end_matches(|c: char| !c.is_ascii_digit());
    digits.parse().ok().filter(|d| (1..=31).contains(d) && word.len() <= digits.len() + 2)
}

fn month(word: &str) -> Option<usize> {
    if word.len() > LONGEST_MONTH || !word.chars().all(char::is_alphabetic) {
        return None;
    }
    MONTHS.iter().position(|names| names.iter().any(|n| word.starts_with(n))).map(|at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_in_several_languages_are_one() {
        for text in [
            "2024-06-01",
            "2024/6/1",
            "20240601",
            "june 1st 2024",
            "1 june 2024",
            "1 juni 2024",
            "1er juin 2024",
            "1 de junio de 2024",
            "1 de junho de 2024",
        ] {
            let words: Vec<&str> = text.split(' ').collect();
            assert_eq!(read(&words), Some(("2024-06-01".to_owned(), words.len())), "{text}");
        }
        assert_eq!(read(&["june", "2024"]), Some(("2024-06".to_owned(), 2)));
        for other in ["marketing 1", "1.2.3", "99999999", "on 1", "may be"] {
            assert_eq!(read(&other.split(' ').collect::<Vec<_>>()), None, "{other}");
        }
    }
}
