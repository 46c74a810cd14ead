//! The rungs below what the event itself tells: the only version called, the version named in the text, shares of usage.

use groundswell_model::{Rung, Timestamp, UNKNOWN_API, UNKNOWN_VERSION, VersionWeight};

use super::belief::{self, Pair};
use super::text::{self, Saying};
use super::{Attribution, Case, Evidence, Finding, attribution, confidence, explicit, is_declared, operation, unknown};

/// Text decides where it leaves no more than this of doubt.
const TEXT_DECIDES: f64 = 0.75;
/// Of several APIs called, the likeliest is taken from this weight on.
const API_DECIDES: f64 = 0.5;
/// A smaller share is left out.
const LEAST_SHARE: f64 = 0.02;
/// APIs of the catalogue looked for in a text.
const MOST_APIS: usize = 200;
/// Calls to another version that may have been missed.
const FEW_CALLS: f64 = 0.2;
/// What makes the text count as having spoken.
const SPOKEN: f64 = 2.0;

/// Weighs what the consumer calls and what the text says.
pub(super) fn weigh<'a>(case: &Case<'a>, evidence: &Evidence<'a>) -> Attribution<'a> {
    let told = evidence.api.as_ref().map(|(api, _)| *api);
    let mut pairs = belief::called(case, told);
    let sayings = text::read(case, &apis(case, told, &pairs));
    let called = pairs.len();
    let only = match pairs.as_slice() {
        [only] if only.version != UNKNOWN_VERSION => Some(only.clone()),
        _ => None,
    };
    let mut apis = belief::named_apis(&sayings);
    apis.extend(told);
    apis.extend(pairs.iter().map(|p| p.api));
    apis.sort_unstable();
    apis.dedup();
    apis.retain(|api| told.is_none_or(|t| t == *api));
    belief::add_declared(&mut pairs, case, &apis);
    belief::hear(&mut pairs, &sayings, case);
    // The version alone is named by a field: it decides among the APIs that have it.
    if told.is_none()
        && let Some(named) = case.event.api_version
    {
        pairs.retain(|p| case.catalogue.api(p.api).map_or(p.version == named, |a| a.version(named).is_some_and(|v| v.name() == p.version)));
    }
    let nothing = || {
        let mut says: Vec<String> = evidence.api.iter().map(|(_, says)| says.clone()).collect();
        says.extend(
            case.event.api_version.filter(|_| told.is_none()).map(|v| format!("field api_version: {v}, but nothing tells the API")),
        );
        unknown(told.unwrap_or(UNKNOWN_API), says, told.and_then(|api| operation(case, api, "", evidence, &sayings)))
    };
    let Some((api, of_api)) = belief::best_api(&pairs) else { return nothing() };
    if of_api < API_DECIDES {
        return nothing();
    }
    let api_named = told.is_some() || sayings.iter().any(|s| s.likelihood >= belief::NAMES_API && s.names_api(api));
    let of_api = if api_named { of_api } else { of_api * belief::enough_calls(&pairs, api) };
    let says_api = evidence.api.as_ref().map(|(_, says)| says.clone()).or_else(|| api_says(case, api, &pairs, &sayings, of_api));
    if let Some(named) = case.event.api_version.filter(|_| told.is_none())
        && let Some(mut finding) = explicit::version(case, api)
    {
        finding.confidence = narrow(f64::from(finding.confidence) * of_api);
        finding.evidence.retain(|e| !e.is_empty());
        debug_assert!(!named.is_empty());
        return attribution(case, api, finding, says_api, evidence, &sayings);
    }
    pairs.retain(|p| p.api == api);
    let finding = match only.filter(|only| only.api == api) {
        Some(only) => only_version(case, &only, &pairs, of_api),
        None => weighed(case, &pairs, &sayings, of_api, called > 0),
    };
    match finding {
        Some(finding) => attribution(case, api, finding, says_api, evidence, &sayings),
        None => {
            let says = says_api.into_iter().collect();
            unknown(api, says, operation(case, api, "", evidence, &sayings))
        }
    }
}

/// The APIs that the text may speak of.
fn apis<'a>(case: &Case<'a>, told: Option<&'a str>, pairs: &[Pair<'a>]) -> Vec<&'a str> {
    if let Some(api) = told {
        return vec![api];
    }
    let mut apis: Vec<&'a str> = pairs.iter().map(|p| p.api).collect();
    apis.extend(case.catalogue.apis().into_iter().map(|api| api.name()).take(MOST_APIS));
    apis.sort_unstable();
    apis.dedup();
    apis
}

fn only_version<'a>(case: &Case<'a>, only: &Pair<'a>, pairs: &[Pair<'a>], of_api: f64) -> Option<Finding<'a>> {
    let all: f64 = pairs.iter().map(Pair::weight).sum();
    let doubted = pairs.iter().any(|p| p.version != only.version && p.weight() / all > 0.3)
        || pairs.iter().any(|p| p.version == only.version && p.likelihood < 0.5);
    // A version that one call alone speaks for may be one of several.
    let enough = belief::real(only.calls) / (belief::real(only.calls) + FEW_CALLS);
    let sure = narrow(enough) * if doubted { confidence::ONLY_VERSION_DOUBTED } else { confidence::ONLY_VERSION };
    let declared = is_declared(case, only.api, only.version);
    let mut evidence = vec![format!("only version called since {}: {}", since(case, only.first), calls(only.calls))];
    if doubted {
        evidence.push("the text speaks of another version".to_owned());
    }
    let mut finding = Finding::one(only.version, Rung::OnlyVersion, declared, narrow(f64::from(sure) * of_api), evidence);
    finding.deciding = last_events(&[only]);
    Some(finding)
}

/// Several versions: the text decides, or the shares stand.
fn weighed<'a>(case: &Case<'a>, pairs: &[Pair<'a>], sayings: &[Saying<'a>], of_api: f64, called: bool) -> Option<Finding<'a>> {
    let all: f64 = pairs.iter().map(Pair::weight).sum();
    let mut ranked: Vec<&Pair<'a>> = pairs.iter().filter(|p| p.version != UNKNOWN_VERSION).collect();
    ranked.sort_by(|a, b| b.weight().total_cmp(&a.weight()).then_with(|| a.version.cmp(b.version)));
    let best = ranked.first()?;
    let share = best.weight() / all;
    let spoke = pairs.iter().map(|p| p.likelihood).fold(f64::NEG_INFINITY, f64::max)
        / pairs.iter().map(|p| p.likelihood).fold(f64::INFINITY, f64::min)
        >= SPOKEN;
    let confidence = narrow((share * of_api).min(confidence::MOST_BELIEVED));
    let supported = best.likelihood >= pairs.iter().map(|p| p.likelihood).fold(0.0, f64::max);
    if spoke && supported && share >= TEXT_DECIDES {
        let mut evidence = says(case, pairs, sayings);
        evidence.extend(called.then(|| usage_says(case, &ranked)));
        let mut finding = Finding::one(best.version, Rung::Text, is_declared(case, best.api, best.version), confidence, evidence);
        finding.deciding = last_events(&[best]);
        return Some(finding);
    }
    if !called {
        return None;
    }
    let kept: Vec<&Pair<'a>> = ranked.iter().copied().filter(|p| p.weight() / all >= LEAST_SHARE).collect();
    let shares = on_grid(&kept.iter().map(|p| p.weight()).collect::<Vec<_>>());
    let versions = kept.iter().zip(shares).map(|(p, weight)| VersionWeight { version: p.version, weight }).collect();
    let mut evidence = vec![usage_says(case, &ranked)];
    if spoke {
        evidence.extend(says(case, pairs, sayings));
    }
    let declared = kept.iter().all(|p| is_declared(case, p.api, p.version));
    let deciding = last_events(&kept);
    Some(Finding { versions, rung: Rung::Share, declared, confidence, evidence, deciding, flags: Vec::new() })
}

/// What of the text bears on these versions, the strongest first.
fn says(case: &Case<'_>, pairs: &[Pair<'_>], sayings: &[Saying<'_>]) -> Vec<String> {
    let mut bearing: Vec<&Saying<'_>> =
        sayings.iter().filter(|s| s.tells_versions() && pairs.iter().any(|p| s.is_about(p.api, p.version, case.catalogue))).collect();
    bearing.sort_by(|a, b| b.likelihood.ln().abs().total_cmp(&a.likelihood.ln().abs()));
    bearing.into_iter().take(2).map(|s| s.shown.clone()).collect()
}

fn usage_says(case: &Case<'_>, ranked: &[&Pair<'_>]) -> String {
    let called: Vec<String> = ranked.iter().filter(|p| p.calls > 0).take(4).map(|p| format!("{} {}", p.version, calls(p.calls))).collect();
    format!("versions called since {}, recent calls weighing more: {}", since(case, case.look_back()), called.join(", "))
}

fn api_says(case: &Case<'_>, api: &str, pairs: &[Pair<'_>], sayings: &[Saying<'_>], of_api: f64) -> Option<String> {
    let called: Vec<&Pair<'_>> = pairs.iter().filter(|p| p.calls > 0).collect();
    if !called.is_empty() && called.iter().all(|p| p.api == api) {
        let first = called.iter().map(|p| p.first).min().unwrap_or_default();
        return Some(format!("only API called since {}: {}", since(case, first), calls(called.iter().map(|p| p.calls).sum())));
    }
    let told = sayings.iter().filter(|s| s.likelihood > 1.0 && s.names_api(api)).max_by(|a, b| a.likelihood.total_cmp(&b.likelihood));
    told.map(|s| s.shown.clone()).or_else(|| Some(format!("{:.0} % of recent calls are to {api}", 100.0 * of_api)))
}

/// Ids of the newest calls that the weights rest on.
fn last_events(pairs: &[&Pair<'_>]) -> Vec<String> {
    pairs.iter().map(|p| p.last_event).filter(|id| !id.is_empty()).take(super::MOST_EVIDENCE).map(str::to_owned).collect()
}

/// The day from which calls are known: the first call, or the beginning of the window.
fn since(case: &Case<'_>, first: Timestamp) -> String {
    first.max(case.look_back()).day().iso()
}

/// Parts of 1, the first weight being the largest, in steps of 1/4096: sums of such weights, and of their squares, are exact in floating
/// point, so that no figure depends on the order of reading.
fn on_grid(weights: &[f64]) -> Vec<f32> {
    const STEPS: f64 = 4096.0;
    let all: f64 = weights.iter().sum();
    let mut steps: Vec<f64> = weights.iter().map(|w| (STEPS * w / all).round()).collect();
    let rest = STEPS - steps.iter().skip(1).sum::<f64>();
    if let Some(first) = steps.first_mut() {
        *first = rest;
    }
    steps.into_iter().map(|s| narrow(s / STEPS)).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "shares and confidences need no more than seven digits")]
fn narrow(share: f64) -> f32 {
    share as f32
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_to_one_whatever_their_order() {
        let parts = on_grid(&[0.7, 0.2, 0.1]);
        assert_eq!(parts.iter().sum::<f32>(), 1.0);
        assert!(parts.iter().all(|p| (p * 4096.0).fract() == 0.0), "{parts:?}");
        assert_eq!(on_grid(&[3.0]), [1.0]);
    }
}
