//! The feedback on one API version piece by piece, as themes count it: by subject.

use groundswell_model::{Insight, Timestamp};
use groundswell_themes::Sketch;
use tantivy::{DocAddress, DocId};

use super::error::SearchError;
use super::said::Words;
use super::schema::Keyword;
use super::snapshot::{SegmentView, VersionView};

/// Where a piece of feedback is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(DocAddress);

/// One piece of feedback that is in a theme.
#[derive(Debug)]
pub struct About<'a> {
    /// The id of its theme, as the grouping gave it.
    pub theme: &'a str,
    /// Half of its identity: tells that it is the same piece in another version.
    pub tie: u64,
    /// The part of it that is about this version.
    pub weight: f64,
    /// How many versions it is about.
    pub copies: u64,
    /// When.
    pub time: Timestamp,
    /// Bytes of title and body.
    pub length: u64,
    /// What it has in common with near-duplicates.
    pub sketch: Sketch,
    /// Who said it; empty if nobody is named.
    pub consumer: &'a str,
    /// Keyed hash of the person; empty if nobody is named.
    pub requester: &'a str,
    /// The operation; empty where not known.
    pub operation: &'a str,
    /// Its type.
    pub kind: &'a str,
    /// Its sentiment.
    pub sentiment: &'a str,
    /// Its aspects.
    pub aspects: Vec<&'a str>,
    /// Where it is stored.
    pub place: Place,
}

/// Tells `each` the feedback on one API version that is in a theme, in no particular order.
///
/// # Errors
/// The index can't be read.
pub fn each_about(view: &VersionView, window: Option<(Timestamp, Timestamp)>, mut each: impl FnMut(&About<'_>)) -> Result<(), SearchError> {
    for (number, segment) in (0u32..).zip(view.segments()) {
        let (time, themes) = (segment.time()?, segment.keyword(Keyword::Theme)?.ords());
        let inside = |t: i64| window.is_none_or(|(from, to)| t >= from.0 && t < to.0);
        let docs: Vec<DocId> =
            segment.reader.doc_ids_alive().filter(|doc| themes.first(*doc).is_some() && time.first(*doc).is_some_and(inside)).collect();
        tell(number, &segment, &docs, &mut each)?;
    }
    Ok(())
}

fn tell(number: u32, segment: &SegmentView<'_>, docs: &[DocId], each: &mut impl FnMut(&About<'_>)) -> Result<(), SearchError> {
    let words = |keyword| Words::of(segment, keyword, docs);
    let (themes, consumers, requesters) = (words(Keyword::Theme)?, words(Keyword::Consumer)?, words(Keyword::Requester)?);
    let (operations, kinds) = (words(Keyword::Operation)?, words(Keyword::Type)?);
    let (sentiments, aspects) = (words(Keyword::Sentiment)?, words(Keyword::Aspect)?);
    let (time, tie, weight, copies) = (segment.time()?, segment.tie()?, segment.weight()?, segment.copies()?);
    let (length, sketch) = (segment.length()?, segment.sketch()?);
    for &doc in docs {
        each(&About {
            theme: themes.word(doc),
            tie: tie.first(doc).unwrap_or(0),
            weight: weight.first(doc).unwrap_or(1.0),
            copies: copies.first(doc).unwrap_or(1),
            time: Timestamp(time.first(doc).unwrap_or(0)),
            length: length.first(doc).unwrap_or(0),
            sketch: Sketch(sketch.first(doc).unwrap_or(0)),
            consumer: consumers.word(doc),
            requester: requesters.word(doc),
            operation: operations.word(doc),
            kind: kinds.word(doc),
            sentiment: sentiments.word(doc),
            aspects: aspects.words(doc).collect(),
            place: Place(DocAddress::new(number, doc)),
        });
    }
    Ok(())
}

/// Reads one stored piece.
///
/// # Errors
/// The index can't be read.
pub fn quoted<T>(view: &VersionView, place: Place, read: impl FnOnce(&Insight<'_>) -> T) -> Result<T, SearchError> {
    view.with_insight(place.0, read)
}
