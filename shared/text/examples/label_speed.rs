//! How quickly one core labels tickets of 600 characters with all heads: `cargo run --release -p groundswell-text --example label_speed`.

use std::time::Instant;

use groundswell_text::classify::{Classifier, Lesson, Text, Trained};

fn main() -> Result<(), groundswell_text::model::ModelError> {
    let began = Instant::now();
    let trained = Trained::shipped()?;
    println!("model read in {:.0} ms, {:.1} MB in memory", began.elapsed().as_secs_f64() * 1e3, trained.model().bytes() as f64 / 1e6);
    let pieces = [
        "After upgrading to v2.3 every call to POST /orders returns an internal server error.",
        "How do I refresh the access token without a new login? The docs say nothing about it.",
        "It would be great if the export could be filtered by date, we have thousands of rows.",
        "Webhooks arrive twice since Monday and our import fails because of the duplicates.",
        "Thank you for the quick help, the new console is very nice and easy to use.",
        "The report shows totals that do not match the sum of the rows for some customers.",
        "We get 429 Too Many Requests far below the documented quota of our plan.",
    ];
    let tickets: Vec<String> = (0..2000)
        .map(|i: usize| {
            let all = (0..8).map(|j| format!("{} Case {}.", pieces[(i * 3 + j * (1 + i % 5)) % pieces.len()], i * 31 + j));
            all.collect::<Vec<_>>().join(" ").chars().take(600).collect()
        })
        .collect();
    for _ in 0..3 {
        let began = Instant::now();
        let sure = tickets
            .iter()
            .filter(|t| {
                trained.classify(&Text { title: "Orders fail since the upgrade", body: t, ..Text::default() }).kind.confidence > 0.0
            })
            .count();
        println!("{:.0} tickets a second ({sure} of {} with a type)", tickets.len() as f64 / began.elapsed().as_secs_f64(), tickets.len());
    }
    lessons(trained, &tickets);
    Ok(())
}

/// What a source costs that people gave lessons on.
fn lessons(mut trained: Trained, tickets: &[String]) {
    let text = |body| Text { title: "Orders fail since the upgrade", body, source: Some("desk"), ..Text::default() };
    for most in [1_usize, 60, 256] {
        let began = Instant::now();
        for (identity, body) in (0..).zip(&tickets[..most]) {
            let kind = Some(["bug", "question", "complaint"][body.len() % 3].to_owned());
            trained.learn(&Lesson { source: "desk".to_owned(), identity, body: body.clone(), kind, ..Lesson::default() });
        }
        let taught = began.elapsed();
        let began = Instant::now();
        let first = trained.classify(&text(&tickets[1000])).kind.confidence;
        let learnt = began.elapsed();
        let began = Instant::now();
        let sum: f32 = tickets.iter().map(|t| trained.classify(&text(t)).kind.confidence).sum();
        println!(
            "{most} lessons: {:.2} ms for each, {:.1} ms with the first text after them, then {:.0} tickets a second ({first:.1}, {sum:.1})",
            taught.as_secs_f64() * 1e3 / most as f64,
            learnt.as_secs_f64() * 1e3,
            tickets.len() as f64 / began.elapsed().as_secs_f64()
        );
    }
}
