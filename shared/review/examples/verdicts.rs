//! The evaluation of verdicts without the rest of the program: `cargo run --release -p groundswell-review --example verdicts -- [SEEDS] [PART OF A NAME] [FIRST SEED]`.
//! It prints a line of Markdown for each scenario as it is done.

use groundswell_review::evaluate::{FIRST_SEED, evaluate_from, report, scenarios};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let seeds = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(200);
    let part = arguments.next().unwrap_or_default();
    let first = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(FIRST_SEED);
    println!("| {} |\n|{}", report::COLUMNS.join(" | "), " --- |".repeat(report::COLUMNS.len()));
    for scenario in scenarios().iter().filter(|s| s.name.contains(&part)) {
        for row in report::rows(&[evaluate_from(scenario, first, seeds, &|| ())]) {
            println!("| {} |", row.join(" | "));
        }
    }
}
