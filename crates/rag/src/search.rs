//! The best passages of all collections asked.

use std::cmp::Ordering;
use std::sync::Arc;

use retrieval::{Hit, Index};

use crate::distinct::distinct;
use crate::error::RagError;
use crate::lexicon::{Lexicon, Words};
use crate::question::{Query, Question};
use crate::settings::Settings;

/// So many more passages are found than asked for, to fill the places of copies.
const COPIES: usize = 8;

/// What a search found, and what it was for.
pub(crate) struct Found {
    pub(crate) query: Query,
    /// The words of the query that carry meaning.
    pub(crate) words: Words,
    /// Best first, over all indexes.
    pub(crate) hits: Vec<Hit>,
    /// How rare words are in the collections searched.
    pub(crate) lexicon: Lexicon,
}

/// Searches `indexes` for what `question` asks.
pub(crate) fn search(
    indexes: &[Arc<Index>],
    question: &Question,
    settings: &Settings,
) -> Result<Found, RagError> {
    let top_k = question.top_k.unwrap_or(settings.top_k);
    if !(1..=retrieval::MAX_TOP_K).contains(&top_k) {
        return Err(RagError::Invalid {
            param: "retrieval.top_k",
            message: format!("top_k is {top_k} and must be 1 to {}", retrieval::MAX_TOP_K),
        });
    }
    let query = question.query()?;
    let lexicon = Lexicon::new(indexes);
    let wider = (top_k + COPIES).min(retrieval::MAX_TOP_K);
    let mut hits = Vec::new();
    for index in indexes {
        hits.extend(index.search(&retrieval::Query {
            files: question.files.clone(),
            ..retrieval::Query::new(&query.text, wider)
        })?);
    }
    Ok(Found {
        words: lexicon.words(&query.text),
        hits: distinct(merged(hits, wider), &lexicon, top_k),
        query,
        lexicon,
    })
}

/// The best `top_k`, each passage once though it may be in several collections.
fn merged(mut hits: Vec<Hit>, top_k: usize) -> Vec<Hit> {
    hits.sort_by(|a, b| b.score.partial_cmp(&a.score).unwrap_or(Ordering::Equal));
    let mut best: Vec<Hit> = Vec::new();
    for hit in hits {
        let is_same = |other: &Hit| {
            other.passage.file_id == hit.passage.file_id && other.passage.start == hit.passage.start
        };
        if best.len() < top_k && !best.iter().any(is_same) {
            best.push(hit);
        }
    }
    best
}
