#![no_main]

use groundswell_text::classify::{Classifier, Rules, Text};
use groundswell_text::redact::Redactor;
use libfuzzer_sys::fuzz_target;

// A text of a stranger through redaction and labels by rules. The trained heads have the same words and features.
fuzz_target!(|input: (String, String)| {
    let (title, body) = &input;
    let redactor = Redactor::new();
    let redacted = redactor.redact(body, &[title]);
    drop(redactor.redact_path(title));
    drop(redactor.redact_url(title));
    let labels = Rules.classify(&Text { title, body: &redacted.text, ..Text::default() });
    assert!(!labels.kind.name.is_empty());
});
