use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

static SHIPPED: LazyLock<Trained> = LazyLock::new(|| Trained::shipped().unwrap());

fn text<'a>(title: &'a str, body: &'a str, source: &'a str) -> Text<'a> {
    Text { title, body, source: Some(source), ..Text::default() }
}

fn lesson(source: &str, identity: u128, body: &str) -> Lesson {
    Lesson { source: source.to_owned(), identity, body: body.to_owned(), ..Lesson::default() }
}

/// Requests for stock counts: to a help desk that sells data these are requests for service, which no head could know.
const ASKED: [&str; 6] = [
    "Stock count wanted for warehouse seven, please send it by Friday.",
    "Stock count wanted for warehouse nine. We need it for the audit.",
    "We want a stock count of the northern warehouse for the audit.",
    "Stock count wanted: warehouse two and three, by Monday.",
    "Another stock count wanted, this time warehouse five.",
    "Stock count of warehouse eleven wanted, the audit is next week.",
];

fn taught() -> Trained {
    let mut trained = SHIPPED.clone();
    for (identity, body) in (0..).zip(ASKED) {
        trained.learn(&Lesson {
            kind: Some("question".to_owned()),
            aspects: Some(vec!["billing".to_owned()]),
            sentiment: Some("neutral".to_owned()),
            severity: Some("annoys".to_owned()),
            ..lesson("shop", identity, body)
        });
    }
    trained
}

#[test]
fn lessons_count_for_other_texts_of_their_source_and_for_no_other_source() {
    let (trained, body) = (taught(), "Stock count wanted for warehouse four, the audit is on Friday.");
    let before = SHIPPED.classify(&text("", body, "shop"));
    assert_ne!(before.kind.name, "question", "{before:?}");
    let after = trained.classify(&text("", body, "shop"));
    assert_eq!((after.kind.name.as_str(), after.severity.name.as_str()), ("question", "annoys"), "{after:?}");
    assert!(after.aspects.iter().any(|a| a.name == "billing"), "{after:?}");
    assert!(after.kind.because.contains(&"corrections".to_owned()), "{after:?}");
    assert_eq!(trained.classify(&text("", body, "other shop")), before);
    assert_eq!(trained.classify(&Text { source: None, ..text("", body, "") }), before);
    let unlike = "The new client is great, we love how quickly it answers!";
    let (here, there) = (trained.classify(&text("", unlike, "shop")), SHIPPED.classify(&text("", unlike, "shop")));
    assert_eq!((here.kind.name, here.sentiment.name), (there.kind.name, there.sentiment.name));
}

#[test]
fn the_text_itself_gets_what_was_said_of_it_in_any_language_until_that_is_withdrawn() {
    let mut trained = SHIPPED.clone();
    let body = "Seit dem Update können wir uns nicht mehr anmelden. Das ist eine Katastrophe für unsere Kunden.";
    let before = trained.classify(&text("", body, "desk"));
    trained.learn(&Lesson {
        kind: Some("bug".to_owned()),
        aspects: Some(vec!["authentication".to_owned(), "security".to_owned()]),
        sentiment: Some("negative".to_owned()),
        severity: Some("blocks_production".to_owned()),
        ..lesson("desk", 1, body)
    });
    let after = trained.classify(&text("", body, "desk"));
    assert_eq!(
        [&after.kind, &after.sentiment, &after.severity].map(|l| (l.name.as_str(), l.confidence)),
        [("bug", 1.0), ("negative", 1.0), ("blocks_production", 1.0)]
    );
    assert_eq!(after.aspects.iter().map(|a| a.name.as_str()).collect::<Vec<_>>(), ["authentication", "security"]);
    assert!(after.sentiment_score <= -0.5);
    trained.learn(&Lesson { kind: Some("complaint".to_owned()), ..lesson("desk", 1, body) });
    let again = trained.classify(&text("", body, "desk"));
    assert_eq!((again.kind.name.as_str(), &again.sentiment), ("complaint", &before.sentiment));
    trained.forget(1);
    assert_eq!(trained.classify(&text("", body, "desk")), before);
}

#[test]
fn the_order_of_lessons_changes_nothing() {
    let mut turned = SHIPPED.clone();
    for (identity, body) in (0..).zip(ASKED).collect::<Vec<(u128, _)>>().into_iter().rev() {
        turned.learn(&Lesson {
            kind: Some("question".to_owned()),
            aspects: Some(vec!["billing".to_owned()]),
            sentiment: Some("neutral".to_owned()),
            severity: Some("annoys".to_owned()),
            ..lesson("shop", identity, body)
        });
    }
    for body in ["Stock count wanted for warehouse four.", "The audit fails with error 500.", ASKED[2]] {
        assert_eq!(turned.classify(&text("Audit", body, "shop")), taught().classify(&text("Audit", body, "shop")));
    }
}

#[test]
fn names_that_nobody_knows_teach_nothing() {
    let (mut trained, body) = (SHIPPED.clone(), "The export fails with error 500 since the update.");
    let before = trained.classify(&text("", body, "desk"));
    let unknown = || Some("nonsense".to_owned());
    let strange = Lesson {
        kind: unknown(),
        aspects: Some(vec!["nonsense".to_owned()]),
        sentiment: unknown(),
        severity: unknown(),
        ..lesson("desk", 7, body)
    };
    trained.learn(&strange);
    assert_eq!(trained.classify(&text("", body, "desk")), before);
    trained.learn(&Lesson { aspects: Some(vec!["nonsense".to_owned(), "webhooks".to_owned()]), ..strange });
    let got = trained.classify(&text("", body, "desk"));
    assert_eq!((got.aspects.iter().map(|a| a.name.as_str()).collect::<Vec<_>>(), &got.kind), (vec!["webhooks"], &before.kind));
}

fn name() -> impl Strategy<Value = Option<String>> {
    prop::option::of("(bug|question|other|praise|positive|negative|neutral|annoys|degrades|errors|webhooks|\\PC{0,9})")
}

prop_compose! {
    fn any_lesson()(source in "[ab]", identity in 0_u128..12, title in "\\PC{0,20}", body in "\\PC{0,60}|(the api fails |how |love ){0,9}", kind in name(), aspect in name(), sentiment in name(), severity in name()) -> Lesson {
        Lesson { source, identity, title, body, kind, aspects: aspect.map(|a| vec![a]), sentiment, severity }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_lessons_leave_labels_in_their_bounds_and_other_sources_alone(lessons in prop::collection::vec(any_lesson(), 0..40), body in "\\PC{0,80}|(the api fails |how |love ){0,9}") {
        let mut trained = SHIPPED.clone();
        lessons.iter().for_each(|l| trained.learn(l));
        let got = trained.classify(&text("", &body, "a"));
        for label in [&got.kind, &got.sentiment, &got.severity, &got.language].into_iter().chain(&got.aspects) {
            prop_assert!((0.0..=1.0).contains(&label.confidence) && label.because.len() <= 5 && !label.name.is_empty(), "{:?}", label);
        }
        prop_assert!((-1.0..=1.0).contains(&got.sentiment_score) && got.aspects.len() <= MOST_ASPECTS);
        prop_assert_eq!(trained.classify(&text("", &body, "c")), SHIPPED.classify(&text("", &body, "c")));
        (0..12).for_each(|identity| trained.forget(identity));
        prop_assert_eq!(trained.classify(&text("", &body, "a")), SHIPPED.classify(&text("", &body, "a")));
    }
}
