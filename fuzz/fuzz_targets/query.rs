#![no_main]

use groundswell_index::search::{SearchRequest, search};
use libfuzzer_sys::fuzz_target;

// What somebody types into a search, with filters and a cursor: parsed and lowered, over no index.
fuzz_target!(|input: (String, Vec<String>, Option<String>)| {
    let (query, filters, cursor) = input;
    let request = SearchRequest { query, filters, cursor, ..SearchRequest::default() };
    if let Err(error) = search(&[], &request) {
        assert!(error.is_askers(), "{error}");
    }
});
