//! Making a review: guardrails one by one, then the verdict on the whole.

use crate::guardrails::{self, Kind};
use crate::input::ReviewInput;
use crate::policy::Policy;
use crate::prepare::Usage;
use crate::types::{Guardrail, Hashes, LeftOut, Review, Verdict};

/// Reviews a version.
#[must_use]
pub fn review(input: &ReviewInput, policy: &Policy) -> Review {
    // Nothing waits for the hash: it is taken beside the rest.
    std::thread::scope(|scope| {
        let hash = scope.spawn(|| input.hash());
        let mut review = of_guardrails(input, policy);
        review.provenance.input = hash.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        review
    })
}

/// All of it but for the hash of the input.
fn of_guardrails(input: &ReviewInput, policy: &Policy) -> Review {
    let usage = Usage::of(input);
    let days = days_on_candidate(input);
    let looked_at: Vec<Kind> = Kind::all(input).filter(|k| policy.settings(k.name(input)).enabled && k.has_data(input)).collect();
    let guardrails = guardrails::measure_all(input, policy, &usage, days, &looked_at);
    let (verdict, reason) = whole(&guardrails);
    Review {
        api: input.api.clone(),
        version: input.version.clone(),
        baseline: input.baseline.clone(),
        from: input.window.from.iso(),
        until: input.window.until.iso(),
        days_on_candidate: days,
        verdict,
        reason,
        guardrails,
        left_out: LeftOut {
            incident_days: usage.left_out.incidents.iter().map(|day| day.iso()).collect(),
            newcomers: usage.left_out.newcomers,
            unnamed_calls: input.unnamed.calls,
            unnamed_feedback: input.unnamed.feedback,
        },
        error: policy.error,
        horizon_days: policy.horizon_days,
        provenance: Hashes { data: input.provenance.clone(), input: String::new(), policy: policy.hash() },
    }
}

/// Days from the candidate's first to the end of the window.
fn days_on_candidate(input: &ReviewInput) -> u32 {
    let first_call = || input.consumers.iter().flat_map(|c| &c.candidate.usage).map(|u| u.day).min();
    let first = input.released.or_else(first_call).unwrap_or(input.window.until).max(input.window.from);
    u32::try_from(input.window.until.0.saturating_sub(first.0)).unwrap_or(0)
}

fn whole(guardrails: &[Guardrail]) -> (Verdict, String) {
    let named = |wanted: &dyn Fn(&&Guardrail) -> bool| -> Vec<&str> { guardrails.iter().filter(wanted).map(|g| g.name.as_str()).collect() };
    let worse = named(&|g| g.verdict == Verdict::Regression);
    if !worse.is_empty() {
        return (Verdict::Regression, format!("worse: {}", worse.join(", ")));
    }
    let open = named(&|g| g.required && g.verdict == Verdict::Inconclusive);
    if !open.is_empty() {
        return (Verdict::Inconclusive, format!("can't be told yet: {}", open.join(", ")));
    }
    let passed = named(&|g| g.verdict == Verdict::Pass);
    if passed.is_empty() {
        return (Verdict::Inconclusive, "nothing could be compared".to_owned());
    }
    (Verdict::Pass, format!("no worse: {}", passed.join(", ")))
}
