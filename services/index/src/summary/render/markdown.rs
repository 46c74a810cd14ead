//! Markdown, fit for a review or a pull request.

use std::fmt::Write as _;

use super::sections::{QUOTES, quote_head, quote_link, quote_text};
use super::{Section, overview_sections, sections};
use crate::summary::types::{ApisOverview, Quote, Summary};

/// A summary in Markdown (GitHub's tables).
#[must_use]
pub fn markdown(summary: &Summary) -> String {
    let mut out = String::new();
    for (i, section) in sections(summary).iter().enumerate() {
        heading(&mut out, if i == 0 { 1 } else { 2 }, &section.title);
        if section.title == QUOTES {
            summary.quotes.iter().for_each(|quote| block_quote(&mut out, quote));
        } else {
            table(&mut out, section);
        }
    }
    out
}

/// The overview of all APIs in Markdown.
#[must_use]
pub fn overview_markdown(overview: &ApisOverview) -> String {
    sections_markdown(&overview_sections(overview))
}

/// Sections in Markdown.
#[must_use]
pub fn sections_markdown(sections: &[Section]) -> String {
    let mut out = String::new();
    for (i, section) in sections.iter().enumerate() {
        heading(&mut out, if i == 0 { 1 } else { 2 }, &section.title);
        table(&mut out, section);
    }
    out
}

fn heading(out: &mut String, level: usize, title: &str) {
    if !out.is_empty() {
        out.push('\n');
    }
    push(out, format_args!("{} {}\n\n", "#".repeat(level), escape(title)));
}

fn table(out: &mut String, section: &Section) {
    if !section.rows.is_empty() {
        let line = |cells: &[String]| cells.iter().map(|c| escape(c)).collect::<Vec<_>>().join(" | ");
        push(out, format_args!("| {} |\n", line(&section.columns)));
        push(out, format_args!("|{}\n", "---|".repeat(section.columns.len())));
        section.rows.iter().for_each(|row| push(out, format_args!("| {} |\n", line(row))));
    }
    section.notes.iter().for_each(|note| push(out, format_args!("\n{}\n", escape(note))));
}

fn block_quote(out: &mut String, quote: &Quote) {
    let link = quote_link(quote);
    let source = match quote.url.as_deref().and_then(safe_url) {
        Some(url) => format!("[source]({url})"),
        None => escape(&link),
    };
    push(out, format_args!("> {}\n>\n> — {} · {source}\n\n", escape(&quote_text(quote)), escape(&quote_head(quote))));
}

fn push(out: &mut String, words: std::fmt::Arguments<'_>) {
    // Writing into a String never fails.
    out.write_fmt(words).unwrap_or_default();
}

/// Text that means nothing to Markdown: no markup, no HTML, no table cell, no mention, no second line.
#[must_use]
pub fn escape(text: &str) -> String {
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out = String::with_capacity(one_line.len() + 8);
    for c in one_line.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '!' | '&' | '$' => out.extend(['\\', c]),
            // An invisible space keeps a name from being called.
            '@' => out.push_str("@\u{200b}"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    escape_start(out)
}

/// A line must not begin a list, an underline or a rule.
fn escape_start(line: String) -> String {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let list_mark = line.as_bytes().get(digits).is_some_and(|b| matches!(b, b'.' | b')'));
    // Numbers like 1.5 are no list: a list has a space behind the mark.
    let space = line.as_bytes().get(digits + 1).is_none_or(|b| *b == b' ');
    if digits > 0 && list_mark && space {
        let (number, rest) = line.split_at(digits);
        return format!("{number}\\{rest}");
    }
    let marked =
        line.starts_with('=') || line.starts_with("+ ") || line == "+" || line.starts_with("- ") || line.starts_with("--") || line == "-";
    if marked { format!("\\{line}") } else { line }
}

/// A link that only leads to the web, in characters that can't end it.
fn safe_url(url: &str) -> Option<String> {
    let web = ["https://", "http://"].iter().any(|scheme| url.get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme)));
    let mut out = String::with_capacity(url.len());
    for byte in url.bytes() {
        match byte {
            b'(' | b')' | b'<' | b'>' | b'"' | b'\'' | b'\\' | b'`' | b'|' | 0..=b' ' | 0x7f.. => {
                push(&mut out, format_args!("%{byte:02X}"))
            }
            plain => out.push(char::from(plain)),
        }
    }
    web.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_text_leaves_its_cell(text in any::<String>()) {
            let escaped = escape(&text);
            prop_assert!(!escaped.contains('\n'));
            let mut before = ' ';
            for c in escaped.chars() {
                prop_assert!(!"|<`[*_".contains(c) || before == '\\', "{escaped}");
                // Two backslashes are one that escapes nothing.
                before = if before == '\\' && c == '\\' { ' ' } else { c };
            }
        }

        #[test]
        fn no_link_leaves_its_brackets(url in any::<String>()) {
            if let Some(safe) = safe_url(&format!("https://{url}")) {
                prop_assert!(safe.bytes().all(|b| b.is_ascii_graphic() && !b"()<>|\\".contains(&b)));
            }
        }
    }

    #[test]
    fn user_text_stays_text() {
        let cases = [
            ("a | b\n# c", "a \\| b \\# c"),
            ("<script>alert(1)</script>", "\\<script\\>alert(1)\\</script\\>"),
            ("ask @octocat", "ask @\u{200b}octocat"),
            ("1. first", "1\\. first"),
            ("1.5 ms", "1.5 ms"),
            ("- item", "\\- item"),
            ("-12.3", "-12.3"),
            ("--", "\\--"),
            ("![x](y)", "\\!\\[x\\](y)"),
        ];
        for (text, escaped) in cases {
            assert_eq!(escape(text), escaped);
        }
    }

    #[test]
    fn only_web_links_are_links() {
        assert_eq!(safe_url("https://desk.example/t/1?a=(b)").as_deref(), Some("https://desk.example/t/1?a=%28b%29"));
        assert_eq!(safe_url("javascript:alert(1)"), None);
    }
}
