//! `POST /v1/rerank`: the request as Cohere and Jina have it, and the new order.

use serde::Serialize;

use super::id::random_id;
use super::place::{Object, Place};
use crate::app::Limits;
use crate::error::{ApiError, ErrorKind};

/// The most documents of one request.
const MAX_DOCUMENTS: usize = 1000;

/// A request whose every field is in range.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RerankRequest {
    /// The model's name.
    pub(crate) model: String,
    /// What is looked for.
    pub(crate) query: String,
    /// What may be found.
    pub(crate) documents: Vec<String>,
    /// How many results to give.
    pub(crate) top_n: usize,
    /// The results carry their documents.
    pub(crate) return_documents: bool,
}

impl RerankRequest {
    /// Reads the body. A document is a string, or an object with a `text`.
    pub(crate) fn read(body: &Object<'_>, limits: &Limits) -> Result<Self, ApiError> {
        for name in ["rank_fields", "max_tokens_per_doc", "max_chunks_per_doc"] {
            if let Some(place) = body.get(name) {
                let why = "is not supported; send the texts as they are to be read";
                return Err(place.refuse(ErrorKind::UnsupportedParameter, why));
            }
        }
        let query = body.require("query")?;
        let documents = read_documents(&body.require("documents")?)?;
        let most = documents.len();
        let top_n = body.optional("top_n", |place| place.integer(1..=i64::MAX))?;
        let model = body.optional("model", |place| Ok(place.string()?.to_owned()))?;
        Ok(Self {
            model: model.unwrap_or_else(|| "default".to_owned()),
            query: read_query(&query, limits)?,
            documents,
            top_n: top_n.map_or(most, |n| usize::try_from(n).unwrap_or(most).min(most)),
            return_documents: body
                .optional("return_documents", Place::boolean)?
                .unwrap_or(false),
        })
    }
}

fn read_query(place: &Place<'_>, limits: &Limits) -> Result<String, ApiError> {
    let query = place.string()?;
    let most = limits.query_bytes;
    if query.trim().is_empty() || query.len() > most {
        let why = format!("must have 1 to {most} bytes, but has {}", query.len());
        return Err(place.refuse(ErrorKind::InvalidValue, why));
    }
    Ok(query.to_owned())
}

fn read_documents(place: &Place<'_>) -> Result<Vec<String>, ApiError> {
    let items = place.items()?;
    if !(1..=MAX_DOCUMENTS).contains(&items.len()) {
        let why = format!(
            "must hold 1 to {MAX_DOCUMENTS} documents, but holds {}",
            items.len()
        );
        return Err(place.refuse(ErrorKind::InvalidValue, why));
    }
    let read = |item: &Place<'_>| match item.value().is_object() {
        true => Ok(item.object()?.require("text")?.string()?.to_owned()),
        false => Ok(item.string()?.to_owned()),
    };
    items.iter().map(read).collect()
}

/// The documents in their new order, best first.
#[derive(Serialize)]
pub(crate) struct RerankPage {
    id: String,
    model: String,
    results: Vec<RerankResult>,
    /// As Jina counts.
    usage: RerankUsage,
    /// As Cohere counts.
    meta: Meta,
}

#[derive(Serialize)]
struct RerankResult {
    index: usize,
    relevance_score: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<DocumentText>,
}

#[derive(Serialize)]
struct DocumentText {
    text: String,
}

#[derive(Serialize)]
struct RerankUsage {
    total_tokens: usize,
}

#[derive(Serialize)]
struct Meta {
    tokens: MetaTokens,
}

#[derive(Serialize)]
struct MetaTokens {
    input_tokens: usize,
}

impl RerankPage {
    /// The reply of the model called `model`, which read `tokens` for it and gave each document
    /// its score from 0 to 1.
    pub(crate) fn new(model: &str, request: RerankRequest, scores: &[f32], tokens: usize) -> Self {
        let mut order: Vec<_> = scores.iter().copied().enumerate().collect();
        order.sort_by(|one, other| other.1.total_cmp(&one.1));
        order.truncate(request.top_n);
        let document = |index: usize| {
            let text = request.documents[index].clone();
            request.return_documents.then_some(DocumentText { text })
        };
        let results = order
            .into_iter()
            .map(|(index, relevance_score)| RerankResult {
                index,
                relevance_score,
                document: document(index),
            });
        Self {
            id: random_id("rerank-"),
            model: model.to_owned(),
            results: results.collect(),
            usage: RerankUsage {
                total_tokens: tokens,
            },
            meta: Meta {
                tokens: MetaTokens {
                    input_tokens: tokens,
                },
            },
        }
    }
}
