#![no_main]

use groundswell_classify::language_model::protocol::answers;
use libfuzzer_sys::fuzz_target;
use serde_json::json;

// The body of a language model's answer, and the text within it.
fuzz_target!(|input: (Vec<u8>, String)| {
    let (body, content) = input;
    drop(answers(&body, 3));
    let wrapped = json!({"choices": [{"message": {"content": content}}]}).to_string();
    assert!(answers(wrapped.as_bytes(), 3).is_none_or(|labels| labels.len() == 3));
});
