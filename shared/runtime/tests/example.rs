//! The example configuration shows every key, each with its default.

use std::collections::BTreeSet;
use std::path::PathBuf;

use groundswell_runtime::Settings;
use groundswell_runtime::settings::{Sources, known_keys};

fn example() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../deploy/groundswell.example.toml")
}

#[test]
fn the_example_is_the_defaults() {
    let settings = Sources { file: Some(example()), ..Sources::default() }.load().unwrap();
    assert_eq!(settings, Settings::default());
}

#[test]
fn the_example_names_every_key() {
    let text = std::fs::read_to_string(example()).unwrap();
    let table: toml::Table = toml::from_str(&text).unwrap();
    let mut shown = BTreeSet::new();
    gather("", &table, &mut shown);
    let missing: Vec<_> = known_keys().difference(&shown).cloned().collect();
    assert!(missing.is_empty(), "not in the example: {missing:?}");
}

fn gather(prefix: &str, table: &toml::Table, keys: &mut BTreeSet<String>) {
    for (name, value) in table {
        let key = format!("{prefix}{name}");
        if let toml::Value::Table(inner) = value {
            gather(&format!("{key}."), inner, keys);
        }
        keys.insert(key);
    }
}
