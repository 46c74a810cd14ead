//! A document on its way to the engine.

use tantivy::TantivyDocument;
use tantivy::schema::Document;

/// A document behind one pointer. A writer of the engine makes room for 40,000 documents at every commit, whatever comes: by
/// themselves they take 5 MiB of memory for each API version, as pointers a sixth of that.
pub(super) struct Parcel(Box<TantivyDocument>);

impl From<TantivyDocument> for Parcel {
    fn from(document: TantivyDocument) -> Self {
        Self(Box::new(document))
    }
}

impl Document for Parcel {
    type Value<'a> = <TantivyDocument as Document>::Value<'a>;
    type FieldsValuesIter<'a> = <TantivyDocument as Document>::FieldsValuesIter<'a>;

    fn iter_fields_and_values(&self) -> Self::FieldsValuesIter<'_> {
        self.0.iter_fields_and_values()
    }

    fn into_tantivy_document(self) -> TantivyDocument {
        *self.0
    }
}
