use super::*;

/// Tickets of two kinds, and some that are neither.
fn rows() -> Vec<Row> {
    let things = ["invoice", "webhook", "token", "report", "export", "search", "login", "order", "refund", "customer"];
    let ways = ["since monday", "in the console", "for our team", "on v2", "with the sdk"];
    let mut rows = Vec::new();
    for thing in things {
        for way in ways {
            let row = |title: String, body: String, label: &str, source: &str| Row {
                title,
                body,
                labels: vec![label.to_owned()],
                source: Some(source.to_owned()),
            };
            rows.push(row(format!("{thing} crashes"), format!("The {thing} fails with an error {way}."), "bug", "one"));
            rows.push(row(format!("How to use the {thing}?"), format!("How do I set up the {thing} {way}?"), "question", "two"));
        }
    }
    rows
}

fn trained() -> Model {
    Model { name: "test".to_owned(), heads: vec![fit("kind", &rows(), Plan::default()).unwrap()] }
}

fn say(model: &Model, title: &str, body: &str) -> Answer {
    model.heads[0].answer(&model.prepare(title, body), None)
}

#[test]
fn labels_are_learnt_with_figures_and_reasons() {
    let model = trained();
    assert!(model.heads[0].figures.accuracy > 0.95, "{:?}", model.heads[0].figures);
    let bug = say(&model, "Payment crashes", "The payment fails with an error.");
    assert_eq!(bug.given.first().map(|t| t.label.as_str()), Some("bug"));
    assert!(bug.best.because.iter().any(|w| ["crashes", "fails", "error"].contains(&w.as_str())), "{bug:?}");
    assert_eq!(say(&model, "", "How do I set up payments?").best.label, "question");
}

#[test]
fn the_same_texts_give_the_same_file_and_the_file_the_same_answers() {
    let model = trained();
    let bytes = write(&model).unwrap();
    assert!(bytes == write(&trained()).unwrap());
    let again = read(&bytes).unwrap();
    assert!(bytes == write(&again).unwrap());
    assert_eq!(say(&again, "Export crashes", ""), say(&model, "Export crashes", ""));
}

#[test]
fn files_that_are_not_ours_are_refused_with_the_reason() {
    let mut bytes = write(&trained()).unwrap();
    assert_eq!(read(b"PK"), Err(ModelError::NoModel));
    assert!(matches!(read(&bytes[..20]), Err(ModelError::Damaged(_))));
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
    }
    assert!(matches!(read(&bytes), Err(ModelError::Damaged(why)) if why.contains("hash")));
    bytes[file::MAGIC.len()] = 99;
    assert_eq!(read(&bytes), Err(ModelError::Version(99)));
}

#[test]
fn texts_that_teach_nothing_are_refused() {
    let one = Row { labels: vec!["a".to_owned()], ..Row::default() };
    assert_eq!(fit("x", &[one.clone(), one.clone()], Plan::default()).map(drop), Err(ModelError::OneLabel));
    let other = Row { labels: vec!["b".to_owned()], ..Row::default() };
    assert_eq!(fit("x", &[one.clone(), one, other], Plan::default()).map(drop), Err(ModelError::Few { label: "b".to_owned(), least: 2 }));
}

#[test]
fn a_text_may_have_several_labels() {
    let mut rows = rows();
    rows.iter_mut()
        .filter(|r| r.body.contains("webhook") || r.body.contains("token"))
        .for_each(|r| r.labels.push("integration".to_owned()));
    let model = Model {
        name: "many".to_owned(),
        heads: vec![fit("about", &rows, Plan { recipe: Some(Recipe::Ticket), ..Plan::default() }).unwrap()],
    };
    assert!(model.heads[0].many());
    let answer = say(&model, "Webhook crashes", "The webhook fails with an error on v2.");
    let mut labels: Vec<&str> = answer.given.iter().map(|t| t.label.as_str()).collect();
    labels.sort_unstable();
    assert_eq!(labels, ["bug", "integration"]);
}

#[test]
fn any_text_is_answered_within_bounds() {
    let model = trained();
    for text in ["", "?", "\u{0}", "日本語のテキスト", "```", "ß\u{301}", &"a ".repeat(50_000), &"x".repeat(100_000)] {
        let answer = say(&model, text, text);
        assert!((0.0..=1.0).contains(&answer.best.confidence) && answer.best.because.len() <= 5, "{answer:?}");
        assert!((answer.shares.iter().sum::<f32>() - 1.0).abs() < 1e-3);
    }
}
