//! The query language: text to a tree, with errors that say where and what to do.

use std::ops::Bound;

use super::error::SearchError;
use super::schema::{Keyword, Number};

/// Characters of a query at most.
pub(super) const LONGEST_QUERY: usize = 2000;
/// Conditions of a query at most, filters included.
pub(super) const MOST_CLAUSES: usize = 64;
/// Parentheses within parentheses at most.
const DEEPEST: usize = 16;

/// The fields that hold text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum TextField {
    Title,
    Body,
}

/// A query as a tree.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Text(TextClause),
    Keyword { keyword: Keyword, value: String, prefix: bool },
    Range { number: Number, low: Bound<f64>, high: Bound<f64> },
}

/// Words to be found in title or body.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TextClause {
    pub(super) text: String,
    /// One of both; none means either.
    pub(super) field: Option<TextField>,
    /// Written in quotes.
    pub(super) phrase: bool,
    /// Ends with `*`.
    pub(super) prefix: bool,
    pub(super) column: usize,
}

/// Reads a query; none is an empty one, which everything matches.
pub(super) fn parse(query: &str) -> Result<Option<Node>, SearchError> {
    let chars: Vec<char> = query.chars().collect();
    if chars.len() > LONGEST_QUERY {
        return Err(error(format!("the query has {} characters", chars.len()), LONGEST_QUERY, &format!("use at most {LONGEST_QUERY}")));
    }
    let mut parser = Parser { chars: &chars, at: 0, clauses: 0, depth: 0 };
    parser.skip_space();
    if parser.is_end() {
        return Ok(None);
    }
    let node = parser.any_of()?;
    if parser.is_end() {
        return Ok(Some(node));
    }
    Err(parser.error("a closing parenthesis without an opening one", "remove it, or put the text in quotes"))
}

/// Reads a filter: `field:value` with the value as it is, a range or a comparison; `-` before it excludes.
pub(super) fn parse_filter(filter: &str) -> Result<Node, SearchError> {
    let (excluded, rest) = match filter.trim().strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, filter.trim()),
    };
    let hint = "write a filter as field:value, like severity:blocks, score:<7 or time:[2026-01-01 TO 2026-02-01]";
    let bad = |what: String| SearchError::Request(format!("filter {filter:?}: {what}; {hint}"));
    let (field, value) = rest.split_once(':').ok_or_else(|| bad("there is no colon".into()))?;
    let value = value.trim();
    if value.is_empty() {
        return Err(bad("there is no value behind the colon".into()));
    }
    if filter.chars().count() > LONGEST_QUERY {
        return Err(SearchError::Request(format!("a filter has over {LONGEST_QUERY} characters")));
    }
    let node = match (Keyword::from_name(field), Number::from_name(field)) {
        (Some(keyword), _) => Node::Keyword { keyword, value: unquoted(value), prefix: false },
        (None, Some(number)) => {
            let chars: Vec<char> = value.chars().collect();
            let mut parser = Parser { chars: &chars, at: 0, clauses: 0, depth: 0 };
            let node = parser.number_value(number).map_err(|e| bad(e.to_string()))?;
            if !parser.is_end() {
                return Err(bad("there is something behind the value".into()));
            }
            node
        }
        (None, None) => match text_field(field) {
            Some(text) => {
                let phrase = true;
                Node::Text(TextClause { text: unquoted(value), field: Some(text), phrase, prefix: false, column: 1 })
            }
            None => return Err(bad(unknown_field(field))),
        },
    };
    Ok(if excluded { Node::Not(Box::new(node)) } else { node })
}

fn unquoted(value: &str) -> String {
    value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value).to_owned()
}

fn text_field(name: &str) -> Option<TextField> {
    match name {
        "title" => Some(TextField::Title),
        "body" => Some(TextField::Body),
        _ => None,
    }
}

/// Every field that a query can name.
pub(super) fn field_names() -> String {
    let keywords = Keyword::ALL.iter().map(|k| k.name());
    let numbers = Number::ALL.iter().map(|n| n.name());
    keywords.chain(numbers).chain(["title", "body"]).collect::<Vec<_>>().join(", ")
}

fn unknown_field(field: &str) -> String {
    let field: String = field.chars().take(40).collect();
    format!("there is no field {field:?} (fields: {})", field_names())
}

fn error(what: impl Into<String>, column: usize, hint: &str) -> SearchError {
    SearchError::Query { what: what.into(), column, hint: hint.to_owned() }
}

struct Parser<'a> {
    chars: &'a [char],
    at: usize,
    clauses: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn is_end(&self) -> bool {
        self.at >= self.chars.len()
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn error(&self, what: &str, hint: &str) -> SearchError {
        error(what, self.at + 1, hint)
    }

    /// Takes `word` if it stands here as a whole word.
    fn takes_keyword(&mut self, word: &str) -> bool {
        let end = self.at + word.len();
        let is_here = self.chars.get(self.at..end).is_some_and(|c| c.iter().copied().eq(word.chars()));
        let ends = self.chars.get(end).is_none_or(|c| c.is_whitespace() || *c == '(' || *c == ')');
        if is_here && ends {
            self.at = end;
            self.skip_space();
        }
        is_here && ends
    }

    fn any_of(&mut self) -> Result<Node, SearchError> {
        let mut nodes = vec![self.all_of()?];
        while self.takes_keyword("OR") {
            nodes.push(self.all_of()?);
        }
        Ok(if nodes.len() == 1 { nodes.remove(0) } else { Node::Or(nodes) })
    }

    fn all_of(&mut self) -> Result<Node, SearchError> {
        let mut nodes = vec![self.one()?];
        loop {
            self.skip_space();
            let and = self.takes_keyword("AND");
            let at = self.at;
            let ends = self.is_end() || self.peek() == Some(')') || self.takes_keyword("OR");
            self.at = at;
            if ends {
                if and {
                    return Err(self.error("nothing follows AND", "add a condition or remove AND"));
                }
                return Ok(if nodes.len() == 1 { nodes.remove(0) } else { Node::And(nodes) });
            }
            nodes.push(self.one()?);
        }
    }

    fn one(&mut self) -> Result<Node, SearchError> {
        self.skip_space();
        self.clauses += 1;
        if self.clauses > MOST_CLAUSES {
            return Err(self.error(&format!("there are more than {MOST_CLAUSES} conditions"), "ask in fewer words"));
        }
        match self.peek() {
            None => Err(self.error("the query ends where a condition is due", "add a condition or remove the last operator")),
            Some('(') => self.group(),
            Some(')') => Err(self.error("empty parentheses, or one closing too many", "remove them")),
            Some('"') => self.text(None),
            Some('-' | '+') if self.chars.get(self.at + 1).is_some_and(|c| !c.is_whitespace()) => {
                let excluded = self.peek() == Some('-');
                self.at += 1;
                self.negated(excluded)
            }
            _ if self.takes_keyword("NOT") => self.negated(true),
            _ if self.at_operator() => {
                Err(self.error("an operator without a condition before it", "add a condition, or put the word in quotes"))
            }
            _ => self.field_or_text(),
        }
    }

    fn at_operator(&mut self) -> bool {
        let at = self.at;
        let is = self.takes_keyword("AND") || self.takes_keyword("OR");
        self.at = at;
        is
    }

    fn negated(&mut self, excluded: bool) -> Result<Node, SearchError> {
        self.deeper()?;
        let node = self.one()?;
        self.depth -= 1;
        Ok(if excluded { Node::Not(Box::new(node)) } else { node })
    }

    fn deeper(&mut self) -> Result<(), SearchError> {
        self.depth += 1;
        if self.depth > DEEPEST { Err(self.error(&format!("nested deeper than {DEEPEST}"), "ask in a flatter way")) } else { Ok(()) }
    }

    fn group(&mut self) -> Result<Node, SearchError> {
        let opened = self.at + 1;
        self.at += 1;
        self.deeper()?;
        let node = self.any_of()?;
        self.skip_space();
        if self.peek() != Some(')') {
            return Err(error("a parenthesis is not closed", opened, "close it, or put the text in quotes"));
        }
        self.at += 1;
        self.depth -= 1;
        Ok(node)
    }

    fn field_or_text(&mut self) -> Result<Node, SearchError> {
        let start = self.at;
        let name: String = self.chars[start..].iter().take_while(|c| c.is_ascii_alphanumeric() || **c == '_').collect();
        let colon = start + name.len();
        let behind = self.chars.get(colon + 1).copied();
        // `error: timeout` and `https://host` are text, as people paste it.
        let is_field =
            !name.is_empty() && self.chars.get(colon) == Some(&':') && behind.is_some_and(|c| !c.is_whitespace() && c != '/' && c != ':');
        if !is_field {
            return self.text(None);
        }
        if let Some(field) = text_field(&name) {
            self.at = colon + 1;
            return self.text(Some(field));
        }
        if let Some(keyword) = Keyword::from_name(&name) {
            self.at = colon + 1;
            let (value, quoted) = self.value()?;
            let stem = value.strip_suffix('*').filter(|_| !quoted);
            return Ok(Node::Keyword { keyword, prefix: stem.is_some(), value: stem.unwrap_or(&value).to_owned() });
        }
        if let Some(number) = Number::from_name(&name) {
            self.at = colon + 1;
            return self.number_value(number);
        }
        Err(error(unknown_field(&name), start + 1, "use one of these, or put the text in quotes"))
    }

    /// A value: in quotes, or up to the next space or closing parenthesis.
    fn value(&mut self) -> Result<(String, bool), SearchError> {
        if self.peek() == Some('"') {
            return Ok((self.quoted()?, true));
        }
        let start = self.at;
        let (mut value, mut opened) = (String::new(), 0usize);
        // `getUser()` is a word: only a parenthesis that it did not open ends it.
        while let Some(c) = self.peek().filter(|c| !c.is_whitespace() && (*c != ')' || opened > 0)) {
            self.at += 1;
            match c {
                '(' => opened += 1,
                ')' => opened -= 1,
                _ => {}
            }
            let escaped = if c == '\\' { self.peek() } else { None };
            self.at += usize::from(escaped.is_some());
            value.push(escaped.unwrap_or(c));
        }
        if value.is_empty() { Err(error("a value is missing", start + 1, "write field:value")) } else { Ok((value, false)) }
    }

    fn quoted(&mut self) -> Result<String, SearchError> {
        let opened = self.at + 1;
        self.at += 1;
        let mut text = String::new();
        while let Some(c) = self.peek() {
            self.at += 1;
            match c {
                '"' => return Ok(text),
                '\\' => {
                    text.extend(self.peek());
                    self.at += 1;
                }
                _ => text.push(c),
            }
        }
        Err(error("a quotation mark is not closed", opened, "close it, or write \\\" for the character itself"))
    }

    fn text(&mut self, field: Option<TextField>) -> Result<Node, SearchError> {
        let column = self.at + 1;
        let (mut text, phrase) = self.value()?;
        let mut prefix = false;
        if phrase && self.peek() == Some('*') {
            self.at += 1;
            prefix = true;
        } else if !phrase && text.ends_with('*') {
            text.pop();
            prefix = true;
        }
        let inner = text.trim_end_matches('*');
        if !phrase && inner.contains('*') && inner.chars().any(char::is_alphanumeric) {
            return Err(error(
                "`*` inside a word",
                column,
                "`*` is understood at the end of a word only; put the text in quotes to search for it",
            ));
        }
        Ok(Node::Text(TextClause { text, field, phrase, prefix, column }))
    }

    fn number_value(&mut self, number: Number) -> Result<Node, SearchError> {
        let column = self.at + 1;
        if let Some(open @ ('[' | '{')) = self.peek() {
            return self.range(number, open == '[');
        }
        let (text, _) = self.value()?;
        let (low, high) = match split_comparison(&text) {
            (">=", v) => (Bound::Included(span(number, v, column)?.0), Bound::Unbounded),
            (">", v) => (Bound::Excluded(span(number, v, column)?.1), Bound::Unbounded),
            ("<=", v) => (Bound::Unbounded, Bound::Included(span(number, v, column)?.1)),
            ("<", v) => (Bound::Unbounded, Bound::Excluded(span(number, v, column)?.0)),
            (_, "*") => (Bound::Unbounded, Bound::Unbounded),
            (_, v) => {
                let (first, last) = span(number, v, column)?;
                (Bound::Included(first), Bound::Included(last))
            }
        };
        Ok(Node::Range { number, low, high })
    }

    fn range(&mut self, number: Number, includes_low: bool) -> Result<Node, SearchError> {
        let opened = self.at + 1;
        self.at += 1;
        let Some(length) = self.chars[self.at..].iter().position(|c| matches!(c, ']' | '}')) else {
            return Err(error("a range is not closed", opened, "write it like [2026-01-01 TO 2026-02-01] or [0 TO 6]"));
        };
        let inner: String = self.chars[self.at..self.at + length].iter().collect();
        let includes_high = self.chars[self.at + length] == ']';
        self.at += length + 1;
        let Some((low, high)) = inner.split_once(" TO ") else {
            return Err(error("a range without TO", opened, "write it like [2026-01-01 TO 2026-02-01] or [0 TO *]"));
        };
        let low = match low.trim() {
            "*" => Bound::Unbounded,
            v if includes_low => Bound::Included(span(number, v, opened)?.0),
            v => Bound::Excluded(span(number, v, opened)?.1),
        };
        let high = match high.trim() {
            "*" => Bound::Unbounded,
            v if includes_high => Bound::Included(span(number, v, opened)?.1),
            v => Bound::Excluded(span(number, v, opened)?.0),
        };
        Ok(Node::Range { number, low, high })
    }
}

fn split_comparison(text: &str) -> (&str, &str) {
    let operator = [">=", "<=", ">", "<"].into_iter().find(|o| text.starts_with(o)).unwrap_or("");
    (operator, &text[operator.len()..])
}

/// First and last point that a value stands for: a date is a whole day, a month a whole month.
fn span(number: Number, value: &str, column: usize) -> Result<(f64, f64), SearchError> {
    if !number.is_time() {
        let parsed = value.parse::<f64>().ok().filter(|v| v.is_finite());
        return parsed
            .map(|v| (v, v))
            .ok_or_else(|| error(format!("{value:?} is not a number"), column, "write it like score:<7 or score:[0 TO 6]"));
    }
    let bad = || error(format!("{value:?} is not a time"), column, "write it like 2026-01-31, 2026-01 or 2026-01-31T12:30:00Z");
    #[expect(clippy::cast_precision_loss, reason = "milliseconds are exact in an f64 for 285,000 years")]
    let ms = |t: i64| t as f64;
    if let Ok(at) = groundswell_model::Timestamp::parse(value) {
        return Ok((ms(at.0), ms(at.0)));
    }
    let (first, next) = match value.len() {
        7 => {
            let first: jiff::civil::Date = format!("{value}-01").parse().map_err(|_| bad())?;
            (first, first.checked_add(jiff::Span::new().months(1)).map_err(|_| bad())?)
        }
        10 => {
            let first: jiff::civil::Date = value.parse().map_err(|_| bad())?;
            (first, first.tomorrow().map_err(|_| bad())?)
        }
        _ => return Err(bad()),
    };
    let start = |date: jiff::civil::Date| date.to_zoned(jiff::tz::TimeZone::UTC).map(|z| z.timestamp().as_millisecond()).map_err(|_| bad());
    Ok((ms(start(first)?), ms(start(next)? - 1)))
}
