//! Printing configuration without its secrets.

use super::Settings;

/// Stands in place of a secret.
pub const MASK: &str = "********";
/// Digits of a key's hash that are shown, to tell keys apart.
const HASH_SHOWN: usize = 8;
/// Parts of the names of librdkafka properties that hold secrets.
const SECRET_WORDS: &[&str] = &["password", "secret", "token", "credential", "pem", "jaas", "oauthbearer.config", "private"];

impl Settings {
    /// These settings with secrets replaced by [`MASK`].
    #[must_use]
    pub fn masked(&self) -> Self {
        let mut masked = self.clone();
        if !masked.privacy.pseudonym_key.is_empty() {
            masked.privacy.pseudonym_key = MASK.to_owned();
        }
        for (name, value) in &mut masked.kafka.properties {
            if is_secret(name) {
                MASK.clone_into(value);
            }
        }
        mask_user(&mut masked.classify.language_model.url);
        for key in &mut masked.server.keys {
            key.hash = format!("{}{MASK}", key.hash.chars().take(HASH_SHOWN).collect::<String>());
        }
        masked
    }

    /// The effective configuration as TOML, secrets masked.
    ///
    /// # Errors
    /// A value that TOML can't hold, like a path that is not UTF-8.
    pub fn to_masked_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string_pretty(&self.masked())
    }
}

/// Name and password before the host of a URL.
fn mask_user(url: &mut String) {
    let Some(begin) = url.find("://").map(|at| at + 3) else { return };
    let end = url[begin..].find(['/', '?', '#']).map_or(url.len(), |at| begin + at);
    if let Some(at) = url[begin..end].rfind('@') {
        url.replace_range(begin..begin + at, MASK);
    }
}

fn is_secret(property: &str) -> bool {
    let property = property.to_lowercase();
    // A location is a path to a secret, not the secret.
    !property.ends_with(".location") && SECRET_WORDS.iter().any(|word| property.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{ApiKey, Scope};

    #[test]
    fn no_secret_is_printed_and_everything_else_is() {
        let mut settings = Settings::default();
        settings.privacy.pseudonym_key = "5ec2e7".repeat(10);
        settings.kafka.properties.insert("sasl.password".into(), "hunter2".into());
        settings.kafka.properties.insert("ssl.key.location".into(), "/etc/key".into());
        settings.server.keys.push(ApiKey { name: "ci".into(), hash: format!("{:0>64}", "1234567"), scopes: vec![Scope::Publish] });
        settings.classify.language_model.url = "https://user:hun@ter3@models.example/v1?q=@".into();
        let text = settings.to_masked_toml().unwrap();
        assert!(!text.contains("ter3") && text.contains("https://********@models.example/v1?q=@"), "{text}");
        assert!(!text.contains("5ec2e7") && !text.contains("hunter2") && !text.contains("1234567"), "{text}");
        assert!(text.contains("/etc/key") && text.contains("name = \"ci\"") && text.contains("127.0.0.1:4780"), "{text}");
    }

    #[test]
    fn printed_defaults_read_back_as_the_defaults() {
        let text = Settings::default().to_masked_toml().unwrap();
        assert_eq!(toml::from_str::<Settings>(&text).unwrap(), Settings::default());
    }
}
