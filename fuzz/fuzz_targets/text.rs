#![no_main]

use std::sync::LazyLock;

use groundswell_text::classify::{Classifier, Rules, Text, Trained};
use groundswell_text::redact::Redactor;
use libfuzzer_sys::fuzz_target;

/// Building them costs more than using them.
static TRAINED: LazyLock<Trained> = LazyLock::new(|| Trained::shipped().expect("the shipped model is whole"));
static REDACTOR: LazyLock<Redactor> = LazyLock::new(Redactor::new);

// A text of a stranger through redaction and labels: by the default classifier, which asks the rules first, and by the rules alone.
fuzz_target!(|input: (String, String)| {
    let (title, body) = &input;
    let redacted = REDACTOR.redact(body, &[title]);
    drop(REDACTOR.redact_path(title));
    drop(REDACTOR.redact_url(title));
    let text = Text { title, body: &redacted.text, ..Text::default() };
    for labels in [Rules.classify(&text), TRAINED.classify(&text)] {
        assert!(!labels.kind.name.is_empty());
    }
});
