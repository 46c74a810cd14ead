//! `key new`: makes an API key, shows it once, and gives the entry that the configuration keeps.

use groundswell_runtime::http::new_key;
use groundswell_runtime::settings::{ApiKey, Scope};
use serde::Serialize;

use crate::cli::{Global, Key};
use crate::failure::Failure;
use crate::output::{Format, print, print_json};

/// A new key.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Made {
    /// The secret, which is shown once.
    key: String,
    /// The entry for `server.keys` of the configuration, with a hash of it.
    #[schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")]
    entry: ApiKey,
}

/// Runs it.
pub fn run(global: &Global, key: &Key) -> Result<(), Failure> {
    let Key::New { name, scopes } = key;
    let entry_fits = !name.is_empty() && name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    if !entry_fits {
        return Err(Failure::wrong_use(format!(
            "{name:?} is no name for a key: use 1 to 64 of the characters a–z, A–Z, 0–9, `.`, `_` and `-`"
        )));
    }
    let key = new_key(name, scopes.clone()).map_err(|e| Failure::failed(format!("no random numbers from the system: {e}")))?;
    if Format::choose(global.format) == Format::Json {
        return print_json(&Made { key: key.secret, entry: key.entry });
    }
    print(&format!(
        "{}\n\nThis is shown once: give it to {name}, for `Authorization: Bearer`, --key or GROUNDSWELL_KEY.\nPut this into the configuration file:\n\n{}",
        key.secret,
        toml_entry(&key.entry)
    ))
}

fn toml_entry(entry: &ApiKey) -> String {
    let scopes: Vec<String> = entry.scopes.iter().map(|s: &Scope| format!("\"{}\"", s.name())).collect();
    format!("[[server.keys]]\nname = \"{}\"\nhash = \"{}\"\nscopes = [{}]\n", entry.name, entry.hash, scopes.join(", "))
}

#[cfg(test)]
mod tests {
    use groundswell_runtime::settings::Sources;

    use super::*;

    #[test]
    fn the_entry_fits_into_a_configuration_file() {
        let key = new_key("ci", vec![Scope::Publish, Scope::Read]).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("groundswell.toml");
        std::fs::write(&path, format!("[server]\nlisten = \"0.0.0.0:4780\"\n{}", toml_entry(&key.entry))).unwrap();
        let settings = Sources { file: Some(path), ..Sources::default() }.load().unwrap();
        assert_eq!(settings.server.keys, [key.entry]);
    }
}
