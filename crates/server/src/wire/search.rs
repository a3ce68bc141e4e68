//! `POST /v1/vector_stores/{id}/search`: the request, and the page of results.

use library::{Attributes, Filter};
use rag::Method;
use retrieval::{Fusion, Hit};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::filters::read_filter;
use super::place::{Object, Place};
use super::retrieval::read_mode;
use super::vector_stores::{RESERVED_PREFIX, index_state};
use crate::app::Limits;
use crate::error::{ApiError, ErrorKind};

/// The most queries in one search.
const MAX_QUERIES: usize = 16;
const DEFAULT_RESULTS: usize = 10;
const MAX_RESULTS: i64 = 50;

/// A search whose every field is in range.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SearchRequest {
    /// What to look for; a passage's score is its best over all of them.
    pub(crate) queries: Vec<String>,
    /// How many passages to give.
    pub(crate) max_results: usize,
    /// Passages below this score are left out.
    pub(crate) score_threshold: f32,
    /// Which files to search.
    pub(crate) filter: Option<Filter>,
    /// By what they are found.
    pub(crate) method: Method,
}

impl SearchRequest {
    /// Reads the body.
    pub(crate) fn read(body: &Object<'_>, limits: &Limits) -> Result<Self, ApiError> {
        let max_results =
            body.optional("max_num_results", |place| place.integer(1..=MAX_RESULTS))?;
        let ranking = body
            .optional("ranking_options", read_ranking)?
            .unwrap_or_default();
        let mode = body.optional("mode", read_mode)?.unwrap_or_default();
        Ok(Self {
            queries: read_queries(&body.require("query")?, limits)?,
            max_results: max_results.map_or(DEFAULT_RESULTS, |number| number as usize),
            score_threshold: ranking.score_threshold,
            method: Method {
                mode,
                fusion: ranking.fusion,
                diversity: body
                    .optional("diversity", |place| place.number(0.0..=1.0))?
                    .map(|d| d as f32),
            },
            filter: body.optional("filters", read_filter)?,
        })
    }
}

fn read_queries(place: &Place<'_>, limits: &Limits) -> Result<Vec<String>, ApiError> {
    let items = place.one_or_more()?;
    if !(1..=MAX_QUERIES).contains(&items.len()) {
        let why = format!("must hold 1 to {MAX_QUERIES} queries");
        return Err(place.refuse(ErrorKind::InvalidValue, why));
    }
    items.iter().map(|item| read_query(item, limits)).collect()
}

fn read_query(place: &Place<'_>, limits: &Limits) -> Result<String, ApiError> {
    let query = place.string()?;
    if query.trim().is_empty() {
        return Err(place.refuse(ErrorKind::InvalidValue, "must not be empty"));
    }
    if query.len() > limits.query_bytes {
        let why = format!(
            "may have at most {} bytes, but has {}",
            limits.query_bytes,
            query.len()
        );
        return Err(place.refuse(ErrorKind::InvalidValue, why));
    }
    Ok(query.to_owned())
}

/// The field `ranking_options`.
#[derive(Default)]
struct Ranking {
    score_threshold: f32,
    fusion: Fusion,
}

fn read_ranking(place: &Place<'_>) -> Result<Ranking, ApiError> {
    let options = place.object()?;
    let threshold = options.optional("score_threshold", |place| place.number(0.0..=1.0))?;
    let fusion = options.optional("hybrid_search", read_hybrid_search)?;
    Ok(Ranking {
        score_threshold: threshold.unwrap_or(0.0) as f32,
        fusion: fusion.unwrap_or_default(),
    })
}

/// OpenAI's weights of reciprocal rank fusion.
fn read_hybrid_search(place: &Place<'_>) -> Result<Fusion, ApiError> {
    let weights = place.object()?;
    let weight = |name| -> Result<f32, ApiError> {
        let weight = weights.optional(name, |place| place.number(0.0..=1000.0))?;
        Ok(weight.unwrap_or(1.0) as f32)
    };
    let (embedding_weight, text_weight) = (weight("embedding_weight")?, weight("text_weight")?);
    if embedding_weight + text_weight == 0.0 {
        let why = "must give one of 'embedding_weight' and 'text_weight' more than 0";
        return Err(place.refuse(ErrorKind::InvalidValue, why));
    }
    Ok(Fusion::ReciprocalRank {
        embedding_weight,
        text_weight,
    })
}

/// The passages that were found.
#[derive(Serialize)]
pub(crate) struct SearchPage {
    object: &'static str,
    search_query: Vec<String>,
    data: Vec<SearchItem>,
    has_more: bool,
    next_page: Option<String>,
    /// "rebuilding" while only a part of the collection can be found.
    index: &'static str,
    /// For want of time, not all passages were looked at.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cut_short: bool,
}

/// One passage. Strict clients allow no further fields here, so the passage's place travels
/// in `attributes`, under reserved keys.
#[derive(Serialize)]
pub(crate) struct SearchItem {
    file_id: String,
    filename: String,
    score: f32,
    attributes: Map<String, Value>,
    content: [TextContent; 1],
}

#[derive(Serialize)]
struct TextContent {
    r#type: &'static str,
    text: String,
}

impl SearchPage {
    /// The page of `items`, best first; there is only one.
    pub(crate) fn new(
        search_query: Vec<String>,
        data: Vec<SearchItem>,
        rebuilding: bool,
        cut_short: bool,
    ) -> Self {
        Self {
            object: "vector_store.search_results.page",
            search_query,
            data,
            has_more: false,
            next_page: None,
            index: index_state(rebuilding),
            cut_short,
        }
    }
}

impl SearchItem {
    /// A hit, with the attributes that the user gave its file.
    pub(crate) fn new(hit: Hit, attributes: &Attributes) -> Self {
        let passage = hit.passage;
        let noted = attributes
            .iter()
            .map(|(key, value)| (key.to_owned(), json!(value)));
        let end = passage.start_char + passage.text.chars().count();
        let place = [
            ("title", Some(json!(passage.title))),
            ("heading", passage.heading.map(Value::from)),
            ("page", passage.page.map(Value::from)),
            ("start", Some(json!(passage.start_char))),
            ("end", Some(json!(end))),
        ];
        let place = place.into_iter().filter_map(|(name, value)| {
            let key = format!("{RESERVED_PREFIX}{name}");
            value.map(|value| (key, value))
        });
        Self {
            file_id: passage.file_id,
            filename: passage.filename,
            score: hit.score,
            attributes: noted.chain(place).collect(),
            content: [TextContent {
                r#type: "text",
                text: passage.text,
            }],
        }
    }
}
