//! How well titles are grouped at once, as `groundswell evaluate themes` measures it: `… --example titles -- SETS [SKIP]`,
//! where SKIP leaves out so many of the titles before the 5,000 that are grouped.

use std::collections::HashSet;
use std::path::PathBuf;

use groundswell_model::IdentityHash;
use groundswell_themes::measure::Agreement;
use groundswell_themes::{Features, batch};
use serde_json::Value;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from).ok_or("an argument is missing: the folder of the sets")?;
    let skip: usize = std::env::args().nth(2).map_or(Ok(0), |n| n.parse())?;
    let lines = std::fs::read_to_string(folder.join("stackoverflow_titles_clustering/titles.jsonl"))?;
    let mut rows: Vec<Value> = lines.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let text = |row: &Value, field: &str| row[field].as_str().unwrap_or_default().to_owned();
    rows.sort_by_key(|row| IdentityHash::of("titles", &text(row, "id")));
    let rows: Vec<Value> = rows.into_iter().skip(skip).take(5000).collect();
    let tags: Vec<String> = rows.iter().map(|row| text(row, "label")).collect();
    let texts: Vec<Features> = rows.iter().map(|row| Features::of(&text(row, "text"), "")).collect();
    let groups = tags.iter().collect::<HashSet<_>>().len();
    for seed in 0..3 {
        let pairs: Vec<(&str, usize)> = tags.iter().map(String::as_str).zip(batch::group(&texts, groups, seed).assigned).collect();
        println!("v-measure {:.4}", Agreement::of(&pairs).v);
    }
    Ok(())
}
