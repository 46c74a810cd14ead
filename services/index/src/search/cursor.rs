//! Where the next page begins: an opaque text that only fits the query it came from.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::error::SearchError;
use super::types::{SearchRequest, Sort};

/// Place of a hit in the order: smaller comes first. The last part is of the identity, so no two are equal.
pub(super) type Place = (u64, u64, u64);

/// Longer texts are no cursors of ours.
const LONGEST: usize = 100;

#[derive(Serialize, Deserialize)]
struct Cursor {
    question: u64,
    place: Place,
}

/// What a page must have in common with the next one.
pub(super) fn question_of(request: &SearchRequest, sort: Sort) -> u64 {
    let asked = (&request.query, &request.api, &request.versions, &request.filters, &request.like, sort);
    xxh3_64(serde_json::to_string(&asked).unwrap_or_default().as_bytes())
}

pub(super) fn encode(question: u64, place: Place) -> Option<String> {
    let bytes = postcard::to_stdvec(&Cursor { question, place }).ok()?;
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

pub(super) fn decode(text: &str, question: u64) -> Result<Place, SearchError> {
    let bad = || SearchError::Request("this is no cursor: use `next_cursor` of the page before, unchanged".into());
    if text.len() > LONGEST {
        return Err(bad());
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| bad())?;
    let cursor: Cursor = postcard::from_bytes(&bytes).map_err(|_| bad())?;
    if cursor.question != question {
        let what =
            "this cursor belongs to another search: ask with the same query, api, versions, filters and sort, or leave the cursor out";
        return Err(SearchError::Request(what.into()));
    }
    Ok(cursor.place)
}
