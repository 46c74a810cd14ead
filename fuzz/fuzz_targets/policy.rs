#![no_main]

use groundswell_review::Policy;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(policy) = Policy::parse(text) {
        let written = policy.to_toml().expect("a policy can be written");
        assert!(Policy::parse(&written).is_ok(), "a policy that was written can't be read: {written}");
    }
});
