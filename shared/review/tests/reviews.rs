//! Reviews of simulated streams, from outside: verdicts, and every count against one of its own.

#![expect(clippy::unwrap_used, reason = "what is missing fails the test")]

use groundswell_model::Day;
use groundswell_review::evaluate::scenario::{Scenario, Truth};
use groundswell_review::evaluate::{draw, scenarios};
use groundswell_review::input::{ConsumerInput, CustomCount, FeedbackItem, Score, VersionUse};
use groundswell_review::types::{EffectKind, Method};
use groundswell_review::{Guardrail, Policy, Review, ReviewInput, Verdict, review};

fn stream(name: &str, consumers: usize, seed: u64) -> ReviewInput {
    let mut scenario = scenarios().into_iter().find(|s| s.name == name).unwrap();
    scenario.consumers = consumers;
    draw(&scenario, seed)
}

fn of(review: &Review, name: &str) -> Guardrail {
    review.guardrails.iter().find(|g| g.name == name).unwrap().clone()
}

fn usual(input: &ReviewInput) -> Review {
    review(input, &Policy::default())
}

#[test]
fn counts_are_those_of_the_stream() {
    let input = stream("coming and going", 80, 2);
    let made = usual(&input);
    let (errors, feedback) = (of(&made, "error_rate"), of(&made, "feedback_rate"));
    for (side, errors, feedback) in [
        ((|c: &ConsumerInput| c.candidate.clone()) as fn(&ConsumerInput) -> VersionUse, errors.candidate, feedback.candidate),
        (|c: &ConsumerInput| c.baseline.clone(), errors.baseline, feedback.baseline),
    ] {
        let sides: Vec<VersionUse> = input.consumers.iter().map(side).collect();
        let calls: u64 = sides.iter().flat_map(|s| &s.usage).map(|u| u.calls).sum();
        let failed: u64 = sides.iter().flat_map(|s| &s.usage).map(|u| u.errors).sum();
        let said = sides.iter().map(|s| s.feedback.len()).sum::<usize>();
        assert_eq!((errors.exposure, errors.count), (calls as f64, failed as f64));
        assert_eq!((feedback.exposure, feedback.count), (calls as f64, said as f64));
        assert_eq!(errors.consumers, sides.iter().filter(|s| !s.usage.is_empty()).count() as u64);
    }
    assert!(made.left_out.newcomers > 0, "newcomers' first calls are set apart");
}

#[test]
fn more_errors_are_a_regression_of_the_error_rate() {
    let made = usual(&stream("errors up, heavy early", 300, 3));
    assert_eq!(made.verdict, Verdict::Regression);
    let errors = of(&made, "error_rate");
    let effect = errors.effect.unwrap();
    assert!(effect.low.unwrap() > 1.0 && effect.low.unwrap() < 1.5 && effect.high.unwrap() > 1.5, "{effect:?}");
    assert_eq!((errors.method, effect.kind), (Method::Paired, EffectKind::Ratio));
}

#[test]
fn a_loud_consumer_is_named_and_decides_nothing() {
    let on_both = |input: &ReviewInput| input.consumers[0].candidate.usage.len().min(input.consumers[0].baseline.usage.len()) > 10;
    let input = (1..20).map(|seed| stream("one loud consumer", 200, seed)).find(on_both).unwrap();
    let made = usual(&input);
    let errors = of(&made, "error_rate");
    assert!(errors.candidate.value > errors.baseline.value.map(|v| 3.0 * v), "it does show in the plain rates");
    assert_ne!(errors.verdict, Verdict::Regression);
    assert_eq!(errors.outliers.first().map(|o| o.consumer.as_str()), Some("consumer-0000"), "{errors:?}");
}

/// The places of those with most failed calls on whichever version has fewer of theirs.
fn heaviest(input: &ReviewInput) -> Vec<usize> {
    let failed = |side: &VersionUse| side.usage.iter().map(|u| u.errors).sum::<u64>();
    let mut places: Vec<usize> = (0..input.consumers.len()).collect();
    places.sort_by_key(|p| std::cmp::Reverse(failed(&input.consumers[*p].baseline).min(failed(&input.consumers[*p].candidate))));
    places
}

/// Whoever it is, however much it calls, and whatever the candidate does to it alone. With few consumers, who weigh most each, none makes a
/// regression; one that is clear is not hidden by any.
#[test]
fn one_consumer_neither_makes_nor_hides_a_regression() {
    let told = |mut input: ReviewInput, place: usize, errors: fn(u64) -> u64| {
        input.consumers[place].candidate.usage.iter_mut().for_each(|u| u.errors = errors(u.calls));
        of(&usual(&input), "error_rate").verdict
    };
    for seed in [1, 2] {
        let (same, worse) = (stream("few consumers", 120, seed), stream("errors up, heavy early", 400, seed));
        for rank in [0, 1, 5, 20] {
            assert_ne!(told(same.clone(), heaviest(&same)[rank], |calls| calls), Verdict::Regression, "{seed}: {rank}");
            assert_eq!(told(worse.clone(), heaviest(&worse)[rank], |_| 0), Verdict::Regression, "{seed}: {rank}");
        }
    }
}

/// Everybody moves on the day of the release, and calls fail so many times as often from then on.
fn all_at_once(times: u64) -> Guardrail {
    let mut input = stream("no difference", 200, 1);
    for consumer in &mut input.consumers {
        let (before, after): (Vec<_>, Vec<_>) =
            consumer.baseline.usage.iter().chain(&consumer.candidate.usage).partition(|u| u.day < input.released.unwrap());
        (consumer.baseline.usage, consumer.candidate.usage) = (before, after);
        consumer.candidate.usage.iter_mut().for_each(|u| u.errors = (u.errors * times).min(u.calls));
    }
    of(&usual(&input), "error_rate")
}

#[test]
fn when_everybody_moves_on_one_day_only_more_than_a_calendar_could_do_is_told() {
    let (same, worse) = (all_at_once(1), all_at_once(12));
    let width = |g: &Guardrail| g.effect.and_then(|e| Some(e.high? / e.low?)).unwrap();
    assert!(width(&same) > 1.5 * 1.5, "a factor of 1.5 either way may be the calendar's: {same:?}");
    assert_eq!((same.verdict, worse.verdict), (Verdict::Inconclusive, Verdict::Regression), "{worse:?}");
}

/// A guardrail on an operation, with a part of every day's calls; `errors` tells those that failed of all, the consumer, whether they are on
/// the candidate, and the operation's calls.
fn with_operation(mut input: ReviewInput, part: f64, mut errors: impl FnMut(u64, usize, bool, f64) -> f64) -> ReviewInput {
    input.custom = vec!["checkout".to_owned()];
    input.operations = vec![0];
    for (place, consumer) in input.consumers.iter_mut().enumerate() {
        for (candidate, side) in [(false, &mut consumer.baseline), (true, &mut consumer.candidate)] {
            let of_day = side.usage.iter().map(|u| {
                let calls = (part * u.calls as f64).ceil();
                CustomCount { guardrail: 0, day: u.day, count: errors(u.errors, place, candidate, calls), exposure: Some(calls) }
            });
            side.custom = of_day.collect();
        }
    }
    input
}

/// Were all calls of one operation, its guardrail would say what that of all errors says: the method is one.
#[test]
fn an_operation_is_compared_as_all_errors_are() {
    let policy = Policy::parse("[guardrails.checkout]\noperation = \"createOrder\"\nshare = 68.0\nrequired = true\n").unwrap();
    for name in ["no difference", "errors up, heavy early", "one loud consumer", "coming and going"] {
        let input = with_operation(stream(name, 200, 3), 1.0, |errors, _, _, _| errors as f64);
        let made = review(&input, &policy);
        let (all, own) = (of(&made, "error_rate"), of(&made, "checkout"));
        assert_eq!(Guardrail { name: all.name.clone(), ..own }, all, "{name}");
    }
}

#[test]
fn one_operation_that_fails_more_is_found_where_all_errors_hide_it() {
    let policy = Policy::parse("[guardrails.checkout]\noperation = \"createOrder\"\n").unwrap();
    let fails = |times: f64| {
        let mut dice = fastrand::Rng::with_seed(8);
        let rate = move |_, place: usize, candidate, calls: f64| {
            let usual = 0.02 + 0.01 * (place % 3) as f64;
            let rate = usual * if candidate { times } else { 1.0 };
            (0..calls as u64).filter(|_| dice.f64() < rate).count() as f64
        };
        review(&with_operation(stream("no difference", 300, 3), 0.2, rate), &policy)
    };
    let (same, worse) = (fails(1.0), fails(3.0));
    assert_ne!(of(&same, "checkout").verdict, Verdict::Regression, "{:?}", of(&same, "checkout"));
    assert_eq!(of(&worse, "checkout").verdict, Verdict::Regression, "{:?}", of(&worse, "checkout"));
    assert_ne!(of(&worse, "error_rate").verdict, Verdict::Regression);
    assert_eq!(worse.reason, "worse: checkout");
    assert_ne!(same.provenance.input, worse.provenance.input, "the hash covers it");
    assert_ne!(same.provenance.policy, usual(&stream("no difference", 300, 3)).provenance.policy);
}

/// Who calls an operation on one version only has no exposure to it on the other, whatever else it calls there.
#[test]
fn calls_of_something_else_are_no_exposure() {
    let mut input = with_operation(stream("no difference", 200, 5), 0.5, |errors, _, _, _| errors as f64);
    input.consumers.iter_mut().step_by(2).for_each(|c| c.candidate.custom.clear());
    let policy = Policy::parse("[guardrails.checkout]\noperation = \"createOrder\"\n").unwrap();
    let got = of(&review(&input, &policy), "checkout").candidate;
    let called: Vec<&VersionUse> = input.consumers.iter().skip(1).step_by(2).map(|c| &c.candidate).collect();
    let calls: f64 = called.iter().flat_map(|s| &s.custom).filter_map(|c| c.exposure).sum();
    assert_eq!((got.consumers, got.exposure), (called.iter().filter(|s| !s.custom.is_empty()).count() as u64, calls));
}

#[test]
fn days_on_which_only_the_operation_was_in_trouble_are_left_out_and_named() {
    let mut input = with_operation(stream("no difference", 200, 6), 0.5, |errors, _, _, _| errors as f64);
    let day = Day(input.released.unwrap().0 - 5);
    for count in input.consumers.iter_mut().flat_map(|c| &mut c.baseline.custom).filter(|c| c.day == day) {
        count.count = count.exposure.unwrap();
    }
    let policy = Policy::parse("[guardrails.checkout]\noperation = \"createOrder\"\n").unwrap();
    let made = review(&input, &policy);
    assert!(!made.left_out.incident_days.contains(&day.iso()), "all other calls were well");
    assert!(of(&made, "checkout").notes.iter().any(|n| n.contains(&day.iso())), "{:?}", of(&made, "checkout"));
}

#[test]
fn an_operation_that_nobody_called_is_told_and_open() {
    let policy = Policy::parse("[guardrails.checkout]\noperation = \"createOrder\"\n").unwrap();
    let mut input = with_operation(stream("no difference", 150, 1), 1.0, |errors, _, _, _| errors as f64);
    input.consumers.iter_mut().for_each(|c| c.candidate.custom.clear());
    let own = of(&review(&input, &policy), "checkout");
    assert_eq!((own.verdict, own.effect), (Verdict::Inconclusive, None));
    assert_eq!(own.notes, ["nobody who is named called the operation on the candidate"]);
    let never_fails = with_operation(input, 1.0, |_, _, _, _| 0.0);
    let own = of(&review(&never_fails, &policy), "checkout");
    assert_eq!((own.verdict, own.notes), (Verdict::Pass, vec!["nothing failed on either version".to_owned()]));
}

#[test]
fn nothing_is_shown_as_zero_without_a_sign() {
    let mut input = stream("no difference", 30, 1);
    input.consumers.iter_mut().flat_map(|c| &mut c.candidate.feedback).for_each(|f| f.negative = false);
    let negative = of(&usual(&input), "negative_feedback").candidate;
    assert!(
        negative.count == 0.0 && negative.count.is_sign_positive() && negative.value.is_some_and(f64::is_sign_positive),
        "{negative:?}"
    );
}

#[test]
fn an_outage_of_both_is_left_out_and_named() {
    let input = stream("outages of both", 150, 1);
    let release = input.released.unwrap().0;
    let made = usual(&input);
    for day in [release - 10, release + 5] {
        assert!(made.left_out.incident_days.contains(&Day(day).iso()), "{:?}", made.left_out);
    }
}

#[test]
fn silence_of_a_young_window_is_no_praise() {
    let mut input = stream("no difference", 150, 4);
    input.window.until = Day(input.released.unwrap().0 + 3);
    for consumer in &mut input.consumers {
        consumer.candidate.usage.retain(|u| u.day < input.window.until);
        consumer.candidate.feedback.clear();
    }
    let feedback = of(&usual(&input), "feedback_rate");
    assert!(feedback.maturing);
    assert_eq!(feedback.verdict, Verdict::Inconclusive);
}

/// A review of answers to one survey: half of the consumers answer about either version, around the usual answer.
fn of_answers(name: &str, score: fn(f64) -> Score, usual_answer: f64, on_candidate: f64) -> Guardrail {
    let mut input = stream("no difference", 120, 5);
    for (place, consumer) in input.consumers.iter_mut().enumerate() {
        let (side, middle) = if place % 2 == 0 { (&mut consumer.candidate, on_candidate) } else { (&mut consumer.baseline, usual_answer) };
        let answer = score(middle + (place % 3) as f64 - 1.0);
        side.feedback.push(FeedbackItem { day: Day(input.window.until.0 - 1), weight: 1.0, negative: false, score: Some(answer) });
    }
    of(&usual(&input), name)
}

#[test]
fn lower_scores_are_a_regression_and_higher_are_not() {
    type Case = (&'static str, fn(f64) -> Score, f64, f64, f64);
    let cases: [Case; 3] = [("nps", Score::Nps, 8.0, 5.0, 9.0), ("csat", Score::Csat, 3.5, 2.0, 4.0), ("ces", Score::Ces, 5.0, 3.0, 6.0)];
    for (name, score, before, lower, higher) in cases {
        let worse = of_answers(name, score, before, lower);
        assert_eq!((worse.verdict, worse.method), (Verdict::Regression, Method::ByConsumer), "{worse:?}");
        assert!(worse.effect.unwrap().value < 0.0, "shown as it is: the candidate less the baseline");
        assert_eq!(of_answers(name, score, before, higher).verdict, Verdict::Pass, "{name}");
    }
}

#[test]
fn a_custom_guardrail_has_counts_of_its_own() {
    let mut input = stream("no difference", 150, 6);
    input.custom = vec!["POST /refunds".to_owned()];
    for consumer in &mut input.consumers {
        for (side, share) in [(&mut consumer.baseline, 0.1), (&mut consumer.candidate, 0.4)] {
            let count = |u: &groundswell_review::input::DayUse| (u.calls as f64 * share).round();
            side.custom = side
                .usage
                .iter()
                .map(|u| CustomCount { guardrail: 0, day: u.day, count: count(u), exposure: Some(u.calls as f64) })
                .collect();
        }
    }
    let refunds = of(&usual(&input), "POST /refunds");
    assert_eq!(refunds.verdict, Verdict::Regression, "{refunds:?}");
}

#[test]
fn nothing_to_compare_is_inconclusive_and_says_so() {
    let empty = usual(&ReviewInput::default());
    assert_eq!((empty.verdict, empty.guardrails.len()), (Verdict::Inconclusive, 1));
    let alone = draw(&Scenario { consumers: 1, truth: Truth::default(), ..Scenario::default() }, 1);
    assert_ne!(usual(&alone).verdict, Verdict::Regression);
}

#[test]
fn the_input_and_the_policy_are_named_by_their_hashes() {
    let (one, mut two) = (stream("few consumers", 20, 1), stream("few consumers", 20, 1));
    assert_eq!(usual(&one).provenance, usual(&two).provenance);
    two.consumers[7].baseline.usage[0].errors += 1;
    assert_ne!(one.hash(), two.hash());
    let stricter = Policy { error: 0.01, ..Policy::default() };
    assert_ne!(review(&one, &stricter).provenance.policy, usual(&one).provenance.policy);
}

/// An interval's level is 1 less what may be wrong at either end: at most 0.04 at the upper one, and what is left of all guardrails adds up
/// to three fifths of the review's error.
#[test]
fn the_error_of_a_review_is_shared_by_what_calls_regressions() {
    for name in ["no difference", "few consumers", "more feedback"] {
        let made = usual(&stream(name, 150, 8));
        let parts: Vec<f64> = made.guardrails.iter().filter_map(|g| Some(1.0 - 0.04 - g.effect?.level)).collect();
        assert!(parts.len() > 4 && parts.iter().all(|part| *part > 0.0), "{parts:?}");
        assert!((parts.iter().sum::<f64>() - 0.03).abs() < 1e-6, "{parts:?}");
    }
}
