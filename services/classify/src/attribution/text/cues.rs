//! How a version is meant: from the words around it.
//!
//! It fails there, somebody is there, it works there, somebody came from there, somebody only read about it. The answer is a
//! likelihood: how many times likelier these words are if the text is about that version.

use super::mentions::Mention;
use super::tokens::Token;
use super::words::List;

/// A header or parameter shows it.
const HEADER: f64 = 80.0;
/// Moved there, and now writes.
const TARGET: f64 = 40.0;
/// It fails there.
const TROUBLE: f64 = 40.0;
/// Somebody is there, or names it and no more.
const NAMED: f64 = 20.0;
/// Read, heard, planned, asked about.
const PASSING: f64 = 1.3;
/// Came from there.
const LEFT: f64 = 0.08;
/// It works there.
const FINE: f64 = 0.06;
/// It was so there once, or aside.
const PAST: f64 = 0.35;
/// Somebody is not there.
const NOT_THERE: f64 = 0.05;
/// Words looked at before a mention for what it is.
const NEAR: usize = 3;
/// Words between two versions of one move.
const BETWEEN: usize = 5;
/// A clause of so few words belongs to the next one: `On v1, everything worked`.
const SHORT_CLAUSE: usize = 4;

/// What a clause says.
#[derive(Clone, Copy, Debug, Default)]
struct Clause {
    fine: bool,
    trouble: bool,
    absent: bool,
    hearsay: bool,
    plans: bool,
    past: bool,
}

impl Clause {
    fn is_empty(self) -> bool {
        !(self.fine || self.trouble || self.absent || self.hearsay || self.plans || self.past)
    }
}

/// The likelihood of each mention.
pub(super) fn judge(tokens: &[Token<'_>], mentions: &[Mention<'_>]) -> Vec<f64> {
    let moves = moves(tokens, mentions);
    mentions
        .iter()
        .zip(moves)
        .map(|(mention, moved)| {
            let likelihood = if mention.header {
                of_place(tokens, mention.at, HEADER)
            } else {
                moved.unwrap_or_else(|| meant(tokens, mention, mentions))
            };
            // What may be no version at all says less, either way.
            1.0 + (likelihood - 1.0) * mention.sure
        })
        .collect()
}

/// The likelihood of a URL, path or header: it stands for itself, unless the clause sets it apart.
pub(super) fn of_place(tokens: &[Token<'_>], at: usize, strong: f64) -> f64 {
    let clause = clause_of(tokens, at);
    match clause {
        Clause { trouble: true, .. } => strong,
        Clause { fine: true, .. } | Clause { absent: true, .. } => FINE,
        Clause { past: true, .. } => PAST,
        _ => strong,
    }
}

/// Moves between versions: what was left, and where to. None for mentions that are part of no move.
fn moves(tokens: &[Token<'_>], mentions: &[Mention<'_>]) -> Vec<Option<f64>> {
    let mut out = vec![None; mentions.len()];
    for at in 0..mentions.len() {
        let Some(mention) = mentions.get(at).filter(|m| !m.header) else { continue };
        if let Some(next) = mentions.get(at + 1)
            && let Some(forward) = direction(tokens, mention, next)
        {
            let back = goes_back(tokens, mention.at);
            // Who goes back writes about what was left; who moves on about what is new.
            let (source, target) = if forward { (at, at + 1) } else { (at + 1, at) };
            let (of_source, of_target) = if back { (TARGET, LEFT) } else { (LEFT, TARGET) };
            out[source] = Some(of_source);
            out[target] = Some(of_target);
            continue;
        }
        if out[at].is_none() {
            out[at] = single_move(tokens, mention);
        }
    }
    out
}

/// Whether one leads to the other: true for from this to the next, false for to this from the next.
fn direction(tokens: &[Token<'_>], this: &Mention<'_>, next: &Mention<'_>) -> Option<bool> {
    let end = this.at + this.words;
    let between = tokens.get(end..next.at).filter(|b| b.len() <= BETWEEN)?;
    let (a, b) = (tokens.get(this.at)?, tokens.get(next.at)?);
    if a.sentence != b.sentence {
        return None;
    }
    let has = |list: List| between.iter().any(|t| t.is(list));
    let is_from = near(tokens, this.at, 2, List::From);
    let is_to = near(tokens, this.at, 2, List::To);
    if has(List::Arrow) || (has(List::From) && between.iter().any(|t| !t.text.is_ascii())) {
        return Some(true);
    }
    match (is_from, is_to, has(List::To), has(List::From)) {
        (true, _, true, _) => Some(true),
        (_, true, _, true) => Some(false),
        _ => None,
    }
}

fn near(tokens: &[Token<'_>], at: usize, steps: usize, list: List) -> bool {
    preceding(tokens, at, steps).any(|t| t.is(list))
}

/// The words before, nearest first, in the same sentence.
fn preceding<'t, 'a>(tokens: &'t [Token<'a>], at: usize, steps: usize) -> impl Iterator<Item = &'t Token<'a>> {
    let sentence = tokens.get(at).map(|t| t.sentence);
    tokens[..at.min(tokens.len())].iter().rev().take(steps).take_while(move |t| Some(t.sentence) == sentence)
}

fn following<'t, 'a>(tokens: &'t [Token<'a>], at: usize, steps: usize) -> impl Iterator<Item = &'t Token<'a>> {
    let sentence = tokens.get(at).map(|t| t.sentence);
    tokens.iter().skip(at + 1).take(steps).take_while(move |t| Some(t.sentence) == sentence)
}

fn goes_back(tokens: &[Token<'_>], at: usize) -> bool {
    preceding(tokens, at, 6).any(|t| List::Back.begins(&t.lower))
        || following(tokens, at, 6).any(|t| !t.text.is_ascii() && List::Back.begins(&t.lower))
}

/// `since we moved to v2`, `rolled back to v1`, `coming from v1`.
fn single_move(tokens: &[Token<'_>], mention: &Mention<'_>) -> Option<f64> {
    let at = mention.at;
    let japanese = tokens.get(at + mention.words).filter(|t| !t.text.is_ascii() && !t.lower.chars().any(|c| c < '\u{2fff}'));
    let (to, from) = match japanese {
        Some(t) => (t.is(List::To), t.is(List::From)),
        None => (near(tokens, at, 2, List::To) && !is_with_article(tokens, at), near(tokens, at, 1, List::From)),
    };
    let verb = |list: List| preceding(tokens, at, 6).any(|t| list.begins(&t.lower)) || japanese.is_some_and(|t| list.begins(&t.lower));
    // `back on v1`, `back at v1`, `back to v1`.
    let onto = to || preceding(tokens, at, 1).any(|t| matches!(t.lower.as_ref(), "on" | "at" | "in" | "em"));
    let clause = clause_of(tokens, at);
    if verb(List::Back) && onto {
        let since = preceding(tokens, at, 8).any(|t| t.is(List::Since));
        return Some(if since && clause.trouble { PASSING } else { FINE });
    }
    if !verb(List::Move) {
        return None;
    }
    if to && !clause.plans {
        return Some(TARGET);
    }
    (from && !to && japanese.is_some()).then_some(LEFT)
}

/// `com a v2`: behind a preposition the Portuguese `a` is the article, and leads nowhere.
fn is_with_article(tokens: &[Token<'_>], at: usize) -> bool {
    let mut before = preceding(tokens, at, 2);
    before.next().is_some_and(|t| t.lower == "a") && before.next().is_some_and(|t| t.is(List::Place))
}

/// How a single mention is meant.
fn meant(tokens: &[Token<'_>], mention: &Mention<'_>, all: &[Mention<'_>]) -> f64 {
    let at = mention.at;
    let (Some(token), clause) = (tokens.get(at), clause_of(tokens, at)) else { return 1.0 };
    let says_verb = |t: &Token<'_>| t.is(List::Fine) || t.is(List::Trouble) || t.is(List::Seen);
    // `not on v3`, `instead of v3`: with nothing but a verb of happening between, it is the happening that is denied.
    let denied = preceding(tokens, at, NEAR).take_while(|t| !says_verb(t)).any(|t| t.is(List::Not) || is_contracted(&t.lower));
    let instead = preceding(tokens, at, NEAR).any(|t| t.is(List::Instead));
    if denied {
        return NOT_THERE;
    }
    if instead {
        return LEFT * 2.0;
    }
    if clause.hearsay {
        return PASSING;
    }
    let alone = all.iter().filter(|m| tokens.get(m.at).is_some_and(|t| t.clause == token.clause)).count() == 1;
    match clause {
        Clause { absent: true, .. } => FINE,
        Clause { trouble: true, fine: true, .. } if alone => PASSING,
        Clause { trouble: true, fine: true, .. } => nearest(tokens, mention),
        Clause { trouble: true, .. } => TROUBLE,
        Clause { plans: true, .. } => PASSING,
        Clause { fine: true, .. } => FINE,
        Clause { past: true, .. } => PAST,
        _ if token.asked && (is_question(tokens, at) || asks_for_change(tokens, at)) => PASSING * 2.0,
        _ => NAMED,
    }
}

/// `works on v1, fails on v2` without a comma: the word that stands nearer counts.
fn nearest(tokens: &[Token<'_>], mention: &Mention<'_>) -> f64 {
    let distance = |list: List| {
        let back = preceding(tokens, mention.at, 6).position(|t| t.is(list));
        let on = following(tokens, mention.at, 6).position(|t| t.is(list)).map(|d| d + 1);
        [back, on].into_iter().flatten().min().unwrap_or(usize::MAX)
    };
    if distance(List::Fine) < distance(List::Trouble) { FINE } else { TROUBLE }
}

/// Whether the sentence begins as questions do, so that the version is part of what is asked.
fn is_question(tokens: &[Token<'_>], at: usize) -> bool {
    let Some(sentence) = tokens.get(at).map(|t| t.sentence) else { return false };
    let first = tokens[..=at].iter().rev().take_while(|t| t.sentence == sentence).last();
    first.is_some_and(|t| t.is(List::Ask))
}

/// `¿Cambia esto con v2?`: whether it will be otherwise there is asked by who is not there. Many languages begin such a question with its verb.
fn asks_for_change(tokens: &[Token<'_>], at: usize) -> bool {
    let Some(sentence) = tokens.get(at).map(|t| t.sentence) else { return false };
    tokens.iter().filter(|t| t.sentence == sentence).any(|t| List::Move.begins(&t.lower))
}

fn is_contracted(lower: &str) -> bool {
    lower.ends_with("n't") || lower.ends_with("n’t")
}

/// What the clause around a word says; a clause that says nothing and is short, or ends with the word, borrows from its neighbour.
fn clause_of(tokens: &[Token<'_>], at: usize) -> Clause {
    let Some(token) = tokens.get(at) else { return Clause::default() };
    let around = |clause: u32| -> Vec<&Token<'_>> {
        let before = tokens[..at].iter().rev().take_while(|t| t.sentence == token.sentence).filter(|t| t.clause == clause);
        let mut words: Vec<_> = before.collect();
        words.reverse();
        words.extend(tokens[at..].iter().take_while(|t| t.sentence == token.sentence).filter(|t| t.clause == clause));
        words
    };
    let own = around(token.clause);
    let said = read(&own);
    if said.is_empty() && own.len() <= SHORT_CLAUSE {
        return read(&around(token.clause + 1));
    }
    said
}

fn read(words: &[&Token<'_>]) -> Clause {
    let mut clause = Clause::default();
    let negative = |t: &&Token<'_>| t.is(List::Not) || is_contracted(&t.lower);
    for (at, word) in words.iter().enumerate() {
        // Negations stand before, in French behind, in Japanese at the end.
        let denied = words[at.saturating_sub(4)..at].iter().any(&negative)
            || words.get(at + 1).is_some_and(|t| matches!(t.lower.as_ref(), "pas" | "plus" | "nicht" | "jamais"))
            || (!word.text.is_ascii() && word.is(List::Not) && word.lower.chars().all(|c| c > '\u{2fff}'));
        let wide = word.lower.chars().next().is_some_and(|c| c > '\u{2fff}');
        match () {
            () if wide => {
                clause.trouble |= word.is(List::Trouble);
                clause.fine |= word.is(List::Fine);
            }
            () if word.is(List::Fine) && denied => clause.trouble = true,
            () if word.is(List::Fine) => clause.fine = true,
            () if word.is(List::Trouble) && denied => clause.absent = true,
            () if word.is(List::Trouble) || is_error_status(&word.lower) => clause.trouble = true,
            () if word.is(List::Seen) && denied => clause.absent = true,
            () => {}
        }
        clause.hearsay |= word.is(List::Hearsay);
        clause.plans |= word.is(List::Plans);
        clause.past |= word.is(List::Past);
    }
    clause
}

fn is_error_status(word: &str) -> bool {
    word.len() == 3 && word.parse().is_ok_and(|n: u16| (400..600).contains(&n))
}
