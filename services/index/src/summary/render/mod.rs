//! A summary for people: sections of rows, from which a terminal table and Markdown both are made.

mod format;
mod journeys;
mod markdown;
mod overview;
mod sections;

pub use journeys::{consumers_sections, pain_sections};
pub use markdown::{escape, markdown, overview_markdown, sections_markdown};
pub use overview::overview_sections;
pub use sections::sections;

/// One table with its title.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// What it is about.
    pub title: String,
    /// Heads of the columns.
    pub columns: Vec<String>,
    /// Cells, row by row, each as long as `columns`. Plain text, as told by publishers: whoever shows it escapes it.
    pub rows: Vec<Vec<String>>,
    /// What a reader must know, below the table.
    pub notes: Vec<String>,
}

impl Section {
    fn new(title: &str, columns: &[&str]) -> Self {
        Self { title: title.to_owned(), columns: columns.iter().map(|c| (*c).to_owned()).collect(), ..Self::default() }
    }

    fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }
}
