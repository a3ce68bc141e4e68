//! The passages once more, as `context` in the shape of Azure's "On Your Data", for clients that
//! were written for it; a request asks for it with `"include": ["context"]`.

use rag::SearchResult;
use serde::Serialize;

use super::place::Place;
use crate::error::{ApiError, ErrorKind};

/// What a message stands on, in Azure's words.
#[derive(Clone, Serialize)]
pub(crate) struct Context {
    citations: Vec<ContextCitation>,
    /// What was searched for, as JSON in a string.
    intent: String,
}

#[derive(Clone, Serialize)]
struct ContextCitation {
    content: String,
    title: String,
    url: String,
    filepath: String,
    chunk_id: String,
}

impl Context {
    /// `url` points into the document's text, as in annotations.
    pub(crate) fn new(question: &str, results: &[SearchResult], base_url: &str) -> Self {
        let citation = |result: &SearchResult| {
            let SearchResult {
                file_id,
                start,
                end,
                ..
            } = result;
            ContextCitation {
                content: result.text.clone(),
                title: result.title.clone(),
                url: format!("{base_url}/v1/files/{file_id}/text#char={start},{end}"),
                filepath: result.filename.clone(),
                chunk_id: format!("{file_id}:{start}-{end}"),
            }
        };
        Self {
            citations: results.iter().map(citation).collect(),
            intent: serde_json::json!([question]).to_string(),
        }
    }
}

/// Reads `include`, of which only `context` is known.
pub(crate) fn read_include(place: &Place<'_>) -> Result<bool, ApiError> {
    let mut context = false;
    for item in place.items()? {
        context |= item
            .choice(&[("context", true)])
            .map_err(|_| item.refuse(ErrorKind::InvalidValue, "must be \"context\""))?;
    }
    Ok(context)
}
