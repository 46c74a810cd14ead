//! Writing answers: a table for a person, JSON for a program, Markdown for a review.

use std::io::{ErrorKind, IsTerminal, Write};

use clap::ValueEnum;
use comfy_table::{ColumnConstraint, ContentArrangement, LineStyle, Table, Width, presets};
use groundswell_index::summary::render::Section;
use groundswell_runtime::exit;
use serde::Serialize;

use crate::failure::Failure;

/// Width of a table where the terminal does not tell its own.
const USUAL_WIDTH: u16 = 120;

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// Markdown.
    Md,
}

impl Format {
    /// What was asked for, else a table on a terminal and JSON into a pipe or file.
    pub fn choose(asked: Option<Self>) -> Self {
        Self::choose_for(asked, std::io::stdout().is_terminal())
    }

    fn choose_for(asked: Option<Self>, terminal: bool) -> Self {
        asked.unwrap_or(if terminal { Self::Table } else { Self::Json })
    }
}

/// Writes text to standard output. A reader that has left, like `head`, ends the program quietly.
pub fn print(text: &str) -> Result<(), Failure> {
    print_bytes(text.as_bytes())
}

/// Writes bytes to standard output as they are.
pub fn print_bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(exit::OK.into()),
        Err(error) => Err(Failure::failed(format!("can't write to standard output: {error}"))),
    }
}

/// Writes a value as JSON, indented on a terminal.
pub fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let text = if std::io::stdout().is_terminal() { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
    print(&format!("{}\n", text.map_err(|e| Failure::failed(format!("the answer can't be written as JSON: {e}")))?))
}

/// Says something about what is going on, on standard error.
pub fn note(text: &str) {
    // Nothing is left to do if standard error is closed.
    drop(writeln!(std::io::stderr(), "{text}"));
}

/// Characters of a name that are kept on one line.
const LONGEST_NAME: u16 = 40;
/// Spaces of a cell beside its text.
const PADDING: u16 = 2;

/// An empty table with these headings.
pub fn table(format: Format, headings: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(if format == Format::Md {
        presets::ASCII_MARKDOWN
    } else {
        presets::UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none())
    });
    // Markdown is not wrapped: a row is a line.
    table.set_content_arrangement(if format == Format::Md { ContentArrangement::Disabled } else { ContentArrangement::Dynamic });
    if !table.is_tty() {
        table.set_width(USUAL_WIDTH);
    }
    table.set_header(headings.iter().copied());
    table
}

/// A table as text.
pub fn lines(table: &Table) -> String {
    format!("{}\n", table.trim_fmt())
}

/// Sections as tables under their titles.
pub fn sections(sections: &[Section]) -> String {
    let mut text = String::new();
    for section in sections {
        let columns: Vec<&str> = section.columns.iter().map(String::as_str).collect();
        let mut rows = table(Format::Table, &columns);
        for row in &section.rows {
            rows.add_row(row.iter().map(|cell| clean(cell)));
        }
        keep_names_whole(&mut rows, section);
        text += &format!("\n{}\n", clean(&section.title));
        if !section.rows.is_empty() {
            text += &lines(&rows);
        }
        for note in &section.notes {
            text += &format!("{}\n", clean(note));
        }
    }
    text
}

/// The first column has names, which are looked for and copied: the others give way to it.
fn keep_names_whole(rows: &mut Table, section: &Section) {
    let longest = section.rows.iter().filter_map(|row| Some(row.first()?.chars().count())).max().unwrap_or_default();
    let width = u16::try_from(longest).unwrap_or(LONGEST_NAME).min(LONGEST_NAME) + PADDING;
    if let Some(names) = rows.column_mut(0) {
        names.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(width)));
    }
}

/// Text from outside, safe for a terminal and for one row: control characters, which could move the cursor or
/// change the title of the window, and characters that turn the direction of writing become spaces.
pub fn clean(text: &str) -> String {
    let harmful = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
    text.chars().map(|c| if harmful(c) { ' ' } else { c }).collect()
}

/// The beginning of a text, cut at a character.
pub fn short(text: &str, characters: usize) -> String {
    let text = clean(text);
    match text.char_indices().nth(characters) {
        Some((at, _)) => format!("{}…", text[..at].trim_end()),
        None => text,
    }
}

/// A whole number with its thousands apart.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut spaced = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            spaced.push(',');
        }
        spaced.push(digit);
    }
    spaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_on_a_terminal_and_json_into_a_pipe() {
        assert_eq!(Format::choose_for(None, true), Format::Table);
        assert_eq!(Format::choose_for(None, false), Format::Json);
        assert_eq!(Format::choose_for(Some(Format::Md), true), Format::Md);
        assert_eq!(Format::choose_for(Some(Format::Table), false), Format::Table);
    }

    #[test]
    fn text_from_outside_can_not_steer_the_terminal() {
        assert_eq!(clean("a\u{1b}]0;owned\u{7}b\u{202e}c\nd"), "a ]0;owned b c d");
    }

    #[test]
    fn sections_show_title_rows_and_notes() {
        let section = Section {
            title: "Usage".into(),
            columns: vec!["what".into(), "how much".into()],
            rows: vec![vec!["calls".into(), "1\u{1b}2".into()]],
            notes: vec!["of all".into()],
        };
        let text = sections(&[section]);
        assert!(text.contains("Usage\n") && text.contains("1 2") && text.ends_with("of all\n"), "{text}");
    }

    #[test]
    fn long_text_is_cut_at_a_character() {
        assert_eq!(short("äöü", 2), "äö…");
        assert_eq!(short("äöü", 3), "äöü");
    }

    #[test]
    fn thousands_stand_apart() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn markdown_rows_are_not_wrapped() {
        let mut long = table(Format::Md, &["a", "b"]);
        long.add_row(["x".repeat(300), "y".to_owned()]);
        let text = lines(&long);
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.starts_with("| a"), "{text}");
    }

    #[test]
    fn names_in_the_first_column_stay_on_one_line() {
        let name = "kestrel-mobility-backend";
        let row: Vec<String> = std::iter::once(name).chain(["words that fill a cell"; 7]).map(str::to_owned).collect();
        let columns = row.iter().map(|_| "column".to_owned()).collect();
        let section = Section { title: "who".into(), columns, rows: vec![row], notes: vec![] };
        let text = super::sections(&[section]);
        assert!(text.contains(name), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= usize::from(super::USUAL_WIDTH)), "{text}");
    }
}
