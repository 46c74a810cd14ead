use proptest::prelude::*;

use super::*;

fn labels(title: &str, body: &str) -> Labels {
    Rules.classify(&Text { title, body, survey_score: None, language: None, source: None })
}

fn survey(body: &str, score: f64) -> Labels {
    Rules.classify(&Text { title: "", body, survey_score: Some(score), language: None, source: None })
}

/// Title, body, and what it must be: type, one aspect, sentiment, severity (empty: not asked).
type Ticket = (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str);

const TICKETS: &[Ticket] = &[
    (
        "500 on POST /orders since v2.3",
        "After upgrading to v2.3 every call returns an internal server error. Production is down, this is urgent!",
        "bug",
        "errors",
        "negative",
        "blocks_production",
    ),
    (
        "Webhooks arrive twice",
        "Sometimes the same webhook is delivered twice and our import fails because of duplicates. It used to work.",
        "bug",
        "webhooks",
        "",
        "degrades",
    ),
    (
        "Please add bulk delete",
        "It would be great if there was an endpoint to delete many items. We need the ability to filter by date too.",
        "feature_request",
        "missing_function",
        "",
        "",
    ),
    (
        "How do I refresh the access token?",
        "We use OAuth and could not find out how to refresh it. Is there a way to do this without a new login?",
        "question",
        "authentication",
        "",
        "",
    ),
    (
        "Rate limits",
        "We get 429 Too Many Requests far below the documented quota. What is the limit for our plan?",
        "question",
        "limits",
        "",
        "",
    ),
    (
        "",
        "Your support is terrible. Still waiting for a reply after three weeks, this is unacceptable and a waste of time.",
        "complaint",
        "",
        "negative",
        "",
    ),
    (
        "",
        "Love the new API, great work! The docs are excellent and it was so easy to get started.",
        "praise",
        "documentation",
        "positive",
        "",
    ),
    (
        "Typo in the docs",
        "Small issue: the guide has a typo in the example of the pagination section. Not urgent.",
        "",
        "documentation",
        "",
        "annoys",
    ),
    (
        "Charged twice",
        "Our invoice for March is wrong, we were charged twice for the same subscription. Please send a refund.",
        "",
        "billing",
        "",
        "",
    ),
    (
        "Java SDK 4.2 crashes",
        "The client library throws a NullPointerException, stack trace below. Steps to reproduce: call list() with no filter.",
        "bug",
        "sdk",
        "",
        "",
    ),
    (
        "Latency went up",
        "Response times are much slower since Monday, p99 is at 9 seconds and some requests have timed out.",
        "",
        "performance",
        "negative",
        "degrades",
    ),
    (
        "Wrong totals",
        "The report returns incorrect values: the total does not match the sum of the rows. Looks like a rounding bug.",
        "bug",
        "data_correctness",
        "",
        "",
    ),
    (
        "TLS question",
        "Which TLS versions do you support? Our security team asks because of a vulnerability in an old cipher.",
        "question",
        "security",
        "",
        "",
    ),
    (
        "Deprecation of v1",
        "How long will v1 be available after the deprecation? We have not started the migration.",
        "question",
        "breaking_change",
        "",
        "",
    ),
    ("", "The new console is confusing and hard to use, everything takes more clicks than before.", "", "usability", "negative", ""),
];

#[test]
fn tickets_are_understood() {
    for (title, body, kind, aspect, sentiment, severity) in TICKETS {
        let got = labels(title, body);
        let is = |wanted: &str, got: &Label| assert!(wanted.is_empty() || got.name == wanted, "{title} {body}: {got:?} is not {wanted}");
        is(kind, &got.kind);
        is(sentiment, &got.sentiment);
        is(severity, &got.severity);
        assert!(aspect.is_empty() || got.aspects.iter().any(|a| a.name == *aspect), "{title} {body}: {aspect} is not in {:?}", got.aspects);
        assert_eq!(got.language.name, "en", "{title} {body}");
    }
}

#[test]
fn a_label_says_why() {
    let got = labels("", "The API crashes with an error message after upgrading.");
    assert!(got.kind.because.contains(&"crashes".to_owned()), "{:?}", got.kind);
    assert!(got.aspects.iter().all(|a| !a.because.is_empty()));
    assert_eq!(got.model, "rules-1");
}

#[test]
fn negation_turns_the_tone() {
    assert_eq!(labels("", "We are very happy with it.").sentiment.name, "positive");
    assert_eq!(labels("", "We are not happy with it at all.").sentiment.name, "negative");
    assert_eq!(labels("", "It is not a bug, the field is documented as it is.").kind.name, UNSURE);
}

#[test]
fn thin_evidence_is_unsure() {
    for text in ["", "ok", "12345", "see attachment", "🚀🚀"] {
        let got = labels("", text);
        assert_eq!((got.kind.name.as_str(), got.severity.name.as_str()), (UNSURE, UNSURE), "{text}");
        assert!(got.aspects.is_empty());
    }
}

#[test]
fn other_languages_are_recognised_and_not_guessed() {
    let german = labels("Fehler 500", "Der Endpunkt liefert seit gestern einen Fehler und wir können nicht mehr arbeiten.");
    assert_eq!((german.language.name.as_str(), german.kind.name.as_str(), german.sentiment.name.as_str()), ("de", UNSURE, UNSURE));
    let declared =
        Rules.classify(&Text { title: "", body: "bug bug bug crash", survey_score: None, language: Some("ja-JP"), source: None });
    assert_eq!((declared.language.name.as_str(), declared.kind.name.as_str()), ("ja", UNSURE));
    let scored = Rules.classify(&Text { title: "", body: "APIが遅いです", survey_score: Some(0.1), language: None, source: None });
    assert_eq!((scored.language.name.as_str(), scored.sentiment.name.as_str()), ("ja", "negative"));
}

#[test]
fn a_survey_score_speaks_without_words() {
    assert_eq!(survey("", 1.0).sentiment.name, "positive");
    assert_eq!(survey("", 0.0).sentiment.name, "negative");
    assert_eq!(survey("", 0.5).sentiment.name, "neutral");
    assert_eq!(survey("", f64::NAN).sentiment.name, UNSURE);
    assert!(survey("slow", 0.1).sentiment_score < survey("", 0.4).sentiment_score);
}

proptest! {
    #[test]
    fn any_text_is_labelled_the_same_twice_within_bounds(title in "\\PC{0,40}", body in any::<String>(), score in prop::option::of(any::<f64>()), words in prop::collection::vec("(not|bug|love|slow|crash|how do i|please add|[a-z]{1,5})", 0..30)) {
        let body = format!("{body} {}", words.join(" "));
        let text = Text { title: &title, body: &body, survey_score: score, language: None, source: None };
        let got = Rules.classify(&text);
        prop_assert_eq!(&got, &Rules.classify(&text));
        for label in [&got.kind, &got.sentiment, &got.severity, &got.language].into_iter().chain(&got.aspects) {
            prop_assert!((0.0..=1.0).contains(&label.confidence) && label.because.len() <= 5 && !label.name.is_empty(), "{:?}", label);
        }
        prop_assert!((-1.0..=1.0).contains(&got.sentiment_score) && got.aspects.len() <= MOST_ASPECTS);
    }
}
