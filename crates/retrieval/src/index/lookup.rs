//! A passage by its place, as its vector names it.

use tantivy::collector::TopDocs;
use tantivy::query::TermQuery;
use tantivy::schema::{IndexRecordOption, Value};
use tantivy::{Searcher, TantivyDocument, Term};

use super::schema::{self, Fields};
use super::storage::{damage, storage_error};
use crate::error::RetrievalError;
use crate::passage::Passage;

/// The passage of `file_id` at `start..end`. `None` when it was deleted, or not yet added.
pub(super) fn passage(
    searcher: &Searcher,
    fields: Fields,
    file_id: &str,
    start: usize,
    end: usize,
) -> Result<Option<Passage>, RetrievalError> {
    let term = Term::from_field_text(fields.place, &schema::place(file_id, start, end));
    let query = TermQuery::new(term, IndexRecordOption::Basic);
    let first = TopDocs::with_limit(1).order_by_score();
    let found = searcher.search(&query, &first).map_err(storage_error)?;
    let Some((_, address)) = found.first() else {
        return Ok(None);
    };
    let document: TantivyDocument = searcher.doc(*address).map_err(storage_error)?;
    let stored = document.get_first(fields.passage);
    let json = stored.as_ref().and_then(|value| value.as_str());
    let passage = serde_json::from_str(json.unwrap_or_default());
    let passage =
        passage.map_err(|error| damage(format!("a stored passage is unreadable: {error}")))?;
    Ok(Some(passage))
}
