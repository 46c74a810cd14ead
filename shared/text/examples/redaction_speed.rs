//! What redaction costs: microseconds for a text of 600 characters, nanoseconds for a request path.
//!
//! `cargo run --release -p groundswell-text --example redaction_speed`

use std::hint::black_box;
use std::sync::LazyLock;
use std::time::Instant;

use groundswell_text::classify::{Classifier, Rules, Text};
use groundswell_text::redact::Redactor;

const ROUNDS: u32 = 20_000;
/// Bytes of the smaller of two hard texts.
const SMALL: usize = 400_000;
const CHARACTERS: f64 = 600.0;

/// A ticket as developers write it, with a little of everything.
const TICKET: &str = "Hello, since we upgraded from v2.13.4 to v2.14.0 on 2026-02-03 the endpoint POST /v2/orders/{id}/refunds fails \
for about 4 % of our calls. The answer is 502 with request id 7c9e6679-7425-40de-944b-e07fc1f90ae7 and the log line \
`2026-02-03T14:12:09.123Z ERROR client.rs:412 retry 3 of 5 after 1250 ms`. We call with Authorization: Bearer 8f14e45fceea167a5a36dedd4bea2543 \
from 203.0.113.17, SDK python-client/4.2.1, and nothing changed on our side. Our production is blocked: please call me at +49 30 901820 \
or write to ops@example.com. Reading the documentation of the error codes did not help. Thanks, Ann";
const PLAIN: &str = "We are evaluating the new version of the reporting API and cannot find out how to group results by month. The documentation says \
that group_by accepts a list of fields, but whatever we pass is ignored and the answer holds one row per day. We tried the Python SDK and plain \
HTTP with the same result. Is this a known limit, or do we use it in a wrong way? It would be great if the answer could also tell the total, \
because today we need two calls and that counts twice against our rate limit. Apart from that we are very happy with the new endpoints: they are \
fast and the errors are clear.";
const PATHS: [&str; 4] = [
    "/v2/customers/12345/orders/98765",
    "/v1/items/7c9e6679-7425-40de-944b-e07fc1f90ae7/prices",
    "/health",
    "/v3/projects/acme/repositories/api/pulls",
];

fn main() {
    let redactor = Redactor::new();
    for (name, text) in [("ticket with personal data", TICKET), ("plain ticket", PLAIN)] {
        let each = time(|| drop(black_box(redactor.redact(black_box(text), &["Ann"]))));
        println!("redact, {name}: {:.2} us for 600 characters", each / 1e3 / text.chars().count() as f64 * CHARACTERS);
    }
    let paths = || PATHS.iter().for_each(|p| drop(black_box(redactor.redact_path(black_box(p)))));
    let each = time(|| (0..20).for_each(|_| paths())) / 20.0;
    println!("redact_path, plain: {:.0} ns for a path", each / PATHS.len() as f64);
    worst(&redactor);
    for (name, body) in [("ticket", TICKET), ("plain ticket", PLAIN)] {
        let text = Text { title: "", body, survey_score: None, language: None, source: None };
        let each = time(|| drop(black_box(Rules.classify(black_box(&text)))));
        println!("classify, {name}: {:.2} us for 600 characters", each / 1e3 / body.chars().count() as f64 * CHARACTERS);
    }
}

/// Pieces that make a pass look back and ahead in vain, repeated: time per byte must not grow with length.
fn worst(redactor: &Redactor) {
    let pieces = [
        "@",
        "a@",
        "1 ",
        "4111 ",
        "1.",
        "(",
        "+1 ",
        "a:",
        "::",
        "=",
        "pwd=",
        "pwd=a",
        "://",
        "eyJ",
        "eyJaaaaaaaaaaaa.",
        "SG.",
        "sk-",
        "npm_a",
        "-----BEGIN PRIVATE KEY",
        "%40",
        "~",
        "Q~",
        "GB82",
        "AB 12 ",
        "[",
        "[email",
        "é",
        "a",
        "0",
        "tel 1 ",
        "-u ",
        "Bearer ",
        "a.",
        "日",
        "0171 / ",
        "call 0171 2345678x ",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY ",
    ];
    let (mut worst, mut which, mut growth) = (0.0, "", 0.0_f64);
    for piece in pieces {
        let each = |bytes: usize| {
            let text = piece.repeat(bytes / piece.len());
            let start = spent();
            drop(black_box(redactor.redact(&text, &["Ann"])));
            (spent() - start) / bytes as f64
        };
        let (small, large) = (each(SMALL), each(10 * SMALL));
        // Shorter times are below what the clock of the processor tells.
        if small * SMALL as f64 > 1e7 {
            growth = growth.max(large / small);
        }
        if large > worst {
            (worst, which) = (large, piece);
        }
    }
    println!(
        "redact, worst of {} repeated pieces, 4 MB: {worst:.0} ns for a byte ({which:?}); most growth from 0.4 MB to 4 MB: {growth:.1} times",
        pieces.len()
    );
}

/// Nanoseconds for one run: the best of five rounds.
fn time(mut run: impl FnMut()) -> f64 {
    let round = |run: &mut dyn FnMut()| {
        let start = spent();
        (0..ROUNDS).for_each(|_| run());
        (spent() - start) / f64::from(ROUNDS)
    };
    (0..5).map(|_| round(&mut run)).fold(f64::INFINITY, f64::min)
}

/// Nanoseconds that this thread has been on a processor, so that other programs count less; else the time that has passed.
fn spent() -> f64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let on_processor = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let on_processor = on_processor.and_then(|s| s.split(' ').next().and_then(|n| n.parse().ok()));
    on_processor.unwrap_or_else(|| START.elapsed().as_secs_f64() * 1e9)
}
