//! What searches read: an unchanging picture of all version indexes of a partition.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use groundswell_bus::Offset;
use tantivy::columnar::{Column, StrColumn};
use tantivy::index::SegmentId;
use tantivy::schema::{IndexRecordOption, Value as _};
use tantivy::{DocAddress, DocSet, Searcher, SegmentReader, TantivyDocument, Term};

use super::corrected::{Machine, machine};
use super::error::SearchError;
use super::schema::{FIELDS, Keyword, Number, decode};

/// Dictionaries up to this size are kept decoded.
const SMALL_DICTIONARY: usize = 2048;

/// Hands out the newest snapshot of one partition; cloned freely, used from any thread.
#[derive(Clone, Default)]
pub struct Readers(Arc<RwLock<Arc<Snapshot>>>);

impl Readers {
    /// The newest snapshot. It stays as it is while the index goes on changing.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn publish(&self, snapshot: Snapshot) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
    }
}

/// All version indexes of a partition at one checkpoint.
#[derive(Default)]
pub struct Snapshot {
    /// Partition of the insights topic.
    pub partition: u32,
    /// Next offset of the insights topic: everything below is contained.
    pub checkpoint: Offset,
    /// One for each API version, sorted by API and version.
    pub versions: Vec<Arc<VersionView>>,
}

impl Snapshot {
    /// The view of one API version.
    #[must_use]
    pub fn version(&self, api: &str, version: &str) -> Option<&Arc<VersionView>> {
        self.versions.iter().find(|v| v.api == api && v.version == version)
    }
}

/// The index of one API version as searches see it.
pub struct VersionView {
    /// The API.
    pub api: String,
    /// The version.
    pub version: String,
    /// Next offset of the insights topic at its last commit.
    pub checkpoint: Offset,
    pub(super) searcher: Searcher,
    columns: Vec<Arc<Columns>>,
}

impl VersionView {
    /// `before` lends the columns that were opened already.
    pub(super) fn new(api: &str, version: &str, checkpoint: Offset, searcher: Searcher, before: Option<&Self>) -> Self {
        let known = before.map(|b| b.columns.as_slice()).unwrap_or_default();
        let columns = searcher
            .segment_readers()
            .iter()
            .map(|s| known.iter().find(|c| c.segment == s.segment_id()).cloned().unwrap_or_else(|| Arc::new(Columns::of(s.segment_id()))))
            .collect();
        Self { api: api.to_owned(), version: version.to_owned(), checkpoint, searcher, columns }
    }

    /// How many insights it holds.
    #[must_use]
    pub fn insights(&self) -> u64 {
        self.searcher.num_docs()
    }

    pub(super) fn segments(&self) -> impl Iterator<Item = SegmentView<'_>> {
        self.searcher.segment_readers().iter().zip(&self.columns).map(|(reader, columns)| SegmentView { reader, columns })
    }

    /// Where the insight of this identity is.
    pub(super) fn address_of(&self, identity: u128) -> Result<Option<DocAddress>, SearchError> {
        for (number, segment) in (0u32..).zip(self.searcher.segment_readers()) {
            let inverted = segment.inverted_index(FIELDS.identity)?;
            let Some(info) = inverted.get_term_info(&Term::from_field_bytes(FIELDS.identity, &identity.to_be_bytes()))? else { continue };
            let mut postings = inverted.read_postings_from_terminfo(&info, IndexRecordOption::Basic)?;
            while postings.doc() != tantivy::TERMINATED {
                if !segment.is_deleted(postings.doc()) {
                    return Ok(Some(DocAddress::new(number, postings.doc())));
                }
                postings.advance();
            }
        }
        Ok(None)
    }

    /// The theme that the grouping put a document in.
    pub(super) fn theme_at(&self, address: DocAddress) -> Result<Option<String>, SearchError> {
        let Some(segment) = self.segments().nth(address.segment_ord as usize) else { return Ok(None) };
        let column = segment.keyword(Keyword::Theme)?;
        let mut theme = None;
        if let Some(ord) = column.ords().first(address.doc_id) {
            column.resolve(&[ord], |_, value| theme = Some(value.to_owned()))?;
        }
        Ok(theme)
    }

    /// Reads one stored insight.
    pub(super) fn with_insight<T>(
        &self,
        address: DocAddress,
        read: impl FnOnce(&groundswell_model::Insight<'_>) -> T,
    ) -> Result<T, SearchError> {
        self.with_stored(address, |insight, _| read(insight))
    }

    /// Reads one stored insight, with the machine's word where a person corrected it.
    pub(super) fn with_stored<T>(
        &self,
        address: DocAddress,
        read: impl FnOnce(&groundswell_model::Insight<'_>, Option<&Machine<'_>>) -> T,
    ) -> Result<T, SearchError> {
        let doc: TantivyDocument = self.searcher.doc(address)?;
        let bytes = |field| doc.get_first(field).and_then(|v| v.as_bytes());
        match bytes(FIELDS.stored).and_then(decode) {
            Some(insight) => Ok(read(&insight, bytes(FIELDS.machine).and_then(machine).as_ref())),
            None => Err(SearchError::Engine {
                what: format!("an insight of {} {} can't be decoded: build the index again", self.api, self.version),
                source: tantivy::TantivyError::InternalError("stored insight".into()),
            }),
        }
    }
}

/// One segment with its columns.
pub(super) struct SegmentView<'a> {
    pub(super) reader: &'a SegmentReader,
    columns: &'a Columns,
}

impl<'a> SegmentView<'a> {
    pub(super) fn time(&self) -> Result<&'a Column<i64>, SearchError> {
        once(&self.columns.time, || Ok(self.reader.fast_fields().i64(Number::Time.name())?))
    }

    pub(super) fn tie(&self) -> Result<&'a Column<u64>, SearchError> {
        once(&self.columns.tie, || Ok(self.reader.fast_fields().u64("tie")?))
    }

    pub(super) fn copies(&self) -> Result<&'a Column<u64>, SearchError> {
        once(&self.columns.copies, || Ok(self.reader.fast_fields().u64("copies")?))
    }

    pub(super) fn consumer(&self) -> Result<&'a Column<u64>, SearchError> {
        once(&self.columns.consumer, || Ok(self.reader.fast_fields().u64("consumer_hash")?))
    }

    pub(super) fn requester(&self) -> Result<&'a Column<u64>, SearchError> {
        once(&self.columns.requester, || Ok(self.reader.fast_fields().u64("requester_hash")?))
    }

    pub(super) fn sketch(&self) -> Result<&'a Column<u64>, SearchError> {
        once(&self.columns.sketch, || Ok(self.reader.fast_fields().u64("sketch")?))
    }

    pub(super) fn length(&self) -> Result<&'a Column<u64>, SearchError> {
        once(&self.columns.length, || Ok(self.reader.fast_fields().u64("length")?))
    }

    pub(super) fn weight(&self) -> Result<&'a Column<f64>, SearchError> {
        once(&self.columns.weight, || Ok(self.reader.fast_fields().f64(Number::Weight.name())?))
    }

    /// Survey scores; empty in a segment without surveys.
    pub(super) fn score(&self) -> Result<&'a Column<f64>, SearchError> {
        once(&self.columns.score, || self.optional_f64(Number::Score.name()))
    }

    pub(super) fn scale(&self) -> Result<(&'a Column<f64>, &'a Column<f64>), SearchError> {
        let low = once(&self.columns.score_min, || self.optional_f64("score_min"))?;
        Ok((low, once(&self.columns.score_max, || self.optional_f64("score_max"))?))
    }

    fn optional_f64(&self, name: &str) -> Result<Column<f64>, SearchError> {
        let column = self.reader.fast_fields().column_opt::<f64>(name)?;
        Ok(column.unwrap_or_else(|| Column::build_empty_column(self.reader.max_doc())))
    }

    pub(super) fn keyword(&self, keyword: Keyword) -> Result<&'a KeywordColumn, SearchError> {
        once(&self.columns.keywords[keyword as usize], || {
            let column = self
                .reader
                .fast_fields()
                .str(keyword.name())?
                .unwrap_or_else(|| StrColumn::wrap(tantivy::columnar::BytesColumn::empty(self.reader.max_doc())));
            KeywordColumn::of(column)
        })
    }
}

/// Columns of a segment, opened when first used and shared by all snapshots that have the segment.
struct Columns {
    segment: SegmentId,
    time: OnceLock<Column<i64>>,
    tie: OnceLock<Column<u64>>,
    copies: OnceLock<Column<u64>>,
    consumer: OnceLock<Column<u64>>,
    requester: OnceLock<Column<u64>>,
    length: OnceLock<Column<u64>>,
    sketch: OnceLock<Column<u64>>,
    weight: OnceLock<Column<f64>>,
    score: OnceLock<Column<f64>>,
    score_min: OnceLock<Column<f64>>,
    score_max: OnceLock<Column<f64>>,
    keywords: Vec<OnceLock<KeywordColumn>>,
}

impl Columns {
    fn of(segment: SegmentId) -> Self {
        Self {
            segment,
            time: OnceLock::new(),
            tie: OnceLock::new(),
            copies: OnceLock::new(),
            consumer: OnceLock::new(),
            requester: OnceLock::new(),
            length: OnceLock::new(),
            sketch: OnceLock::new(),
            weight: OnceLock::new(),
            score: OnceLock::new(),
            score_min: OnceLock::new(),
            score_max: OnceLock::new(),
            keywords: Keyword::ALL.iter().map(|_| OnceLock::new()).collect(),
        }
    }
}

fn once<T>(cell: &OnceLock<T>, open: impl FnOnce() -> Result<T, SearchError>) -> Result<&T, SearchError> {
    match cell.get() {
        Some(value) => Ok(value),
        None => {
            let value = open()?;
            Ok(cell.get_or_init(|| value))
        }
    }
}

/// A column of keywords: numbers of values for each document, and the values.
pub(super) struct KeywordColumn {
    column: StrColumn,
    /// All values, where they are few.
    decoded: Option<Vec<Box<str>>>,
}

impl KeywordColumn {
    fn of(column: StrColumn) -> Result<Self, SearchError> {
        let all = (0..column.num_terms() as u64).collect::<Vec<_>>();
        let decoded = if all.len() <= SMALL_DICTIONARY { Some(decode_values(&column, &all)?) } else { None };
        Ok(Self { column, decoded })
    }

    pub(super) fn ords(&self) -> &Column<u64> {
        self.column.ords()
    }

    pub(super) fn values(&self) -> usize {
        self.column.num_terms()
    }

    /// Calls `each` with every number of `ords` (sorted) and its value.
    pub(super) fn resolve(&self, ords: &[u64], mut each: impl FnMut(u64, &str)) -> Result<(), SearchError> {
        if let Some(decoded) = &self.decoded {
            for ord in ords {
                each(*ord, usize::try_from(*ord).ok().and_then(|o| decoded.get(o)).map_or("", |v| v));
            }
            return Ok(());
        }
        let values = decode_values(&self.column, ords)?;
        ords.iter().zip(&values).for_each(|(ord, value)| each(*ord, value));
        Ok(())
    }
}

fn decode_values(column: &StrColumn, ords: &[u64]) -> Result<Vec<Box<str>>, SearchError> {
    let mut values = Vec::with_capacity(ords.len());
    column.dictionary().sorted_ords_to_term_cb(ords, |bytes| values.push(String::from_utf8_lossy(bytes).into()))?;
    Ok(values)
}
