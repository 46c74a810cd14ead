//! The consumer called only this version, or only this API, in the look-back window.

use groundswell_model::{Timestamp, UNKNOWN_VERSION};

use super::{Case, Finding, confidence};

pub(super) fn api<'a>(case: &Case<'a>) -> Option<(&'a str, String)> {
    let uses = case.journal?.within(None, case.look_back(), case.event.head.time);
    let (first, _) = uses.first()?;
    uses.iter().all(|(u, _)| u.api == first.api).then(|| {
        let since = since(case, uses.iter().map(|(u, _)| u.first));
        (&*first.api, format!("only API called since {since}: {}", calls(uses.iter().map(|(_, n)| n).sum())))
    })
}

pub(super) fn version<'a>(case: &Case<'a>, api: &'a str) -> Option<Finding<'a>> {
    let uses = case.journal?.within(Some(api), case.look_back(), case.event.head.time);
    let [(only, n)] = uses.as_slice() else { return None };
    if &*only.version == UNKNOWN_VERSION {
        return None;
    }
    let declared = case.catalogue.api(api).is_some_and(|a| a.version(&only.version).is_some());
    let evidence = vec![format!("only version called since {}: {}", since(case, std::iter::once(only.first)), calls(*n))];
    Some(Finding { version: &only.version, declared, confidence: confidence::ONLY_VERSION, evidence })
}

/// The day from which calls are known: the first call, or the beginning of the window.
fn since(case: &Case<'_>, firsts: impl Iterator<Item = Timestamp>) -> String {
    firsts.min().unwrap_or_default().max(case.look_back()).day().iso()
}

/// `1,204 calls`.
fn calls(n: u64) -> String {
    let digits = n.to_string();
    let mut grouped = String::with_capacity(digits.len() + 12);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{grouped} call{}", if n == 1 { "" } else { "s" })
}
