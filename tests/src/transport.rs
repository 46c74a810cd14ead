//! Which transports a test can run on.

use std::sync::atomic::{AtomicU32, Ordering};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A transport for one test, apart from every other test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// The embedded log in the data folder.
    Embedded,
    /// A real Kafka: its address and a prefix for topics and groups that only this test uses.
    Kafka {
        /// `bootstrap.servers`.
        bootstrap: String,
        /// Begins every topic and group name.
        prefix: String,
    },
}

impl Transport {
    /// A Kafka transport of this test's own, if a broker is at hand.
    #[must_use]
    pub fn kafka(test: &str) -> Option<Self> {
        let Ok(bootstrap) = std::env::var("GROUNDSWELL_TEST_KAFKA") else {
            crate::skipped(&format!("{test} on Kafka (set GROUNDSWELL_TEST_KAFKA to a bootstrap address, or run tests/run)"));
            return None;
        };
        Some(Self::kafka_at(&bootstrap, test))
    }

    /// A Kafka transport of this test's own at an address.
    #[must_use]
    pub fn kafka_at(bootstrap: &str, test: &str) -> Self {
        let prefix = format!("{test}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self::Kafka { bootstrap: bootstrap.to_owned(), prefix }
    }

    /// Environment variables that make the program use it.
    #[must_use]
    pub fn environment(&self) -> Vec<(String, String)> {
        // Answers of two data folders can only be equal if requesters get the same pseudonyms.
        let key = ("GROUNDSWELL__PRIVACY__PSEUDONYM_KEY".to_owned(), "0123456789abcdef".repeat(4));
        let Self::Kafka { bootstrap, prefix } = self else { return vec![key] };
        let topics = ["tickets", "surveys", "usage", "catalogue", "events", "insights", "journal", "dead_letters"];
        let names = topics.iter().map(|t| (format!("GROUNDSWELL__TOPICS__NAMES__{}", t.to_uppercase()), format!("{prefix}.{t}")));
        let rest = [
            ("GROUNDSWELL__TRANSPORT".to_owned(), "kafka".to_owned()),
            ("GROUNDSWELL__KAFKA__BOOTSTRAP".to_owned(), bootstrap.clone()),
            ("GROUNDSWELL__KAFKA__PREFIX".to_owned(), prefix.clone()),
        ];
        names.chain(rest).chain([key]).collect()
    }

    /// Short name for messages.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Kafka { .. } => "kafka",
        }
    }
}

/// Every transport that can be had here.
#[must_use]
pub fn transports(test: &str) -> Vec<Transport> {
    std::iter::once(Transport::Embedded).chain(Transport::kafka(test)).collect()
}
