//! What the other tests of an evaluation find once they hold their error: `cargo run --release -p groundswell-review --example best_test -- [SEEDS] [PART OF A NAME] [FIRST SEED]`.
//! It prints two lines of Markdown for each scenario that is worse.

use groundswell_review::evaluate::held::held;
use groundswell_review::evaluate::scenarios;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let seeds = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(1_000);
    let part = arguments.next().unwrap_or_default();
    let first = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(500_000);
    println!("| scenario | test | false alarms at 5 % | finds | finds when held to 5 % |\n| --- | --- | --- | --- | --- |");
    for scenario in scenarios().iter().filter(|s| !s.truth.is_null() && s.name.contains(&part)) {
        for of in held(scenario, first, seeds) {
            let [alarms, finds, held] = [of.alarms, of.finds, of.finds_held].map(|share| format!("{:.1} %", share * 100.0));
            println!("| {} | {} | {alarms} | {finds} | {held} |", scenario.name, of.test);
        }
    }
}
