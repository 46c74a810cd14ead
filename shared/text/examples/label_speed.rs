//! How quickly one core labels tickets of 600 characters, and comments of a survey, with all heads: `cargo run --release -p groundswell-text --example label_speed`.

use std::time::{Duration, Instant};

use groundswell_text::classify::{Classifier, Lesson, Text, Trained};

/// Time since it began: of this thread on a core where the system tells (others may be at work), else by the clock.
struct Timer(Option<Duration>, Instant);

fn on_core() -> Option<Duration> {
    let all = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    all.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

impl Timer {
    fn new() -> Self {
        Self(on_core(), Instant::now())
    }

    fn seconds(&self) -> f64 {
        let elapsed = self.0.zip(on_core()).map_or_else(|| self.1.elapsed(), |(began, now)| now.saturating_sub(began));
        elapsed.as_secs_f64()
    }
}

fn main() -> Result<(), groundswell_text::model::ModelError> {
    let began = Timer::new();
    let trained = Trained::shipped()?;
    println!("model read in {:.0} ms, {:.1} MB in memory", began.seconds() * 1e3, trained.model().bytes() as f64 / 1e6);
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
    let comments: Vec<String> = (0..8000).map(|i| comment(i, &pieces)).collect();
    let ticket = |(_, body): (usize, &String)| trained.classify(&ticket(body, None)).kind.confidence > 0.0;
    let survey = |(i, body): (usize, &String)| trained.classify(&survey(i, body)).kind.confidence > 0.0;
    for _ in 0..3 {
        let began = Timer::new();
        let sure = tickets.iter().enumerate().filter(|t| ticket(*t)).count();
        said("tickets", tickets.len(), sure, &began);
        let began = Timer::new();
        let sure = comments.iter().enumerate().filter(|c| survey(*c)).count();
        said("comments", comments.len(), sure, &began);
    }
    lessons(trained, &tickets);
    Ok(())
}

fn said(what: &str, texts: usize, sure: usize, began: &Timer) {
    let seconds = began.seconds();
    println!(
        "{:.0} {what} a second and core, {:.1} us each ({sure} of {texts} with a type)",
        texts as f64 / seconds,
        seconds * 1e6 / texts as f64
    );
}

/// A sentence or two.
fn comment(i: usize, pieces: &[&str]) -> String {
    let first = format!("{} Seen {} times.", pieces[i % pieces.len()], i);
    if i.is_multiple_of(2) { first } else { format!("{first} {}", pieces[(i * 3 + 1) % pieces.len()]) }
}

fn ticket<'a>(body: &'a str, source: Option<&'a str>) -> Text<'a> {
    Text { title: "Orders fail since the upgrade", body, source, ..Text::default() }
}

fn survey(i: usize, body: &str) -> Text<'_> {
    Text { body, survey_score: Some((i % 11) as f64 / 10.0), ..Text::default() }
}

/// What a source costs that people gave lessons on.
fn lessons(mut trained: Trained, tickets: &[String]) {
    let text = |body| ticket(body, Some("desk"));
    for most in [1_usize, 60, 256] {
        let began = Timer::new();
        for (identity, body) in (0..).zip(&tickets[..most]) {
            let kind = Some(["bug", "question", "complaint"][body.len() % 3].to_owned());
            trained.learn(&Lesson { source: "desk".to_owned(), identity, body: body.clone(), kind, ..Lesson::default() });
        }
        let taught = began.seconds();
        let began = Timer::new();
        let first = trained.classify(&text(&tickets[1000])).kind.confidence;
        let learnt = began.seconds();
        let began = Timer::new();
        let sum: f32 = tickets.iter().map(|t| trained.classify(&text(t)).kind.confidence).sum();
        println!(
            "{most} lessons: {:.2} ms for each, {:.1} ms with the first text after them, then {:.0} tickets a second ({first:.1}, {sum:.1})",
            taught * 1e3 / most as f64,
            learnt * 1e3,
            tickets.len() as f64 / began.seconds()
        );
    }
}
