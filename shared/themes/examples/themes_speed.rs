//! Measures the grouping: `cargo run --release -p groundswell-themes --example themes_speed [PIECES] [SUBJECTS]`.
//!
//! Prints CPU time and memory for pieces of some 600 characters that are about so many subjects, in words of their own and of all.

use groundswell_themes::{Features, Grouping, Limits};

/// CPU time of this process so far in milliseconds, where the system tells it.
fn cpu() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<i64> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().filter_map(|f| f.parse().ok()).collect();
    u64::try_from(10 * (fields.get(10).unwrap_or(&0) + fields.get(11).unwrap_or(&0))).unwrap_or(0)
}

fn main() {
    let number = |at: usize, usual: usize| std::env::args().nth(at).and_then(|a| a.parse().ok()).unwrap_or(usual);
    let (pieces, subjects) = (number(1, 50_000), number(2, 300));
    let mut random = fastrand::Rng::with_seed(1);
    let texts: Vec<String> = (0..pieces)
        .map(|_| {
            let subject = random.usize(..subjects);
            let word = |random: &mut fastrand::Rng| {
                if random.bool() {
                    format!("about{}x{}", subject, random.u8(b'a'..b'g'))
                } else {
                    format!("word{}", letters(random.usize(..4000) * random.usize(..4000) / 4000))
                }
            };
            (0..80).map(|_| word(&mut random)).collect::<Vec<_>>().join(" ")
        })
        .collect();
    let bytes: usize = texts.iter().map(String::len).sum();
    let began = cpu();
    let features: usize = texts.iter().map(|text| Features::of("", text).terms.len()).sum();
    let words = cpu() - began;
    let began = cpu();
    let mut joined = 0;
    let mut grouping = Grouping::new(Limits::default());
    for (identity, text) in (0u128..).zip(&texts) {
        joined += usize::from(grouping.place(identity, &Features::of("", text)).is_some_and(|placed| !placed.founded));
    }
    let all = cpu() - began;
    let each = |ms: u64| ms as f64 * 1000.0 / pieces as f64;
    println!("{pieces} pieces of {} bytes and {} terms, {subjects} subjects", bytes / pieces, features / pieces);
    println!("features {:.1} us, with grouping {:.1} us of CPU for a piece", each(words), each(all));
    println!("{joined} joined others; {} themes and candidates in {:.1} MiB", grouping.len(), grouping.bytes() as f64 / f64::from(1 << 20));
}

fn letters(mut number: usize) -> String {
    let mut text = String::new();
    while number > 0 {
        text.push(char::from(b'a' + u8::try_from(number % 26).unwrap_or(0)));
        number /= 26;
    }
    text
}
