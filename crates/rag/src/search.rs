//! The best passages of all collections asked.

use std::sync::Arc;

use retrieval::{Hit, Index};

use crate::distinct::{CHOICE, distinct};
use crate::encoders::Encoders;
use crate::error::RagError;
use crate::lexicon::{Lexicon, Words};
use crate::likeness::Likeness;
use crate::question::{Query, Question};
use crate::reading::Reading;
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
    /// How many passages there are in all collections searched.
    pub(crate) searched: u64,
    /// For want of time, not all of them were looked at.
    pub(crate) cut_short: bool,
    /// What tells whether sentences answer; none without a reader.
    pub(crate) reading: Option<Reading>,
    /// What tells how near in meaning sentences are; none without an embedder.
    pub(crate) likeness: Option<Arc<Likeness>>,
}

/// Searches `indexes` for what `question` asks.
pub(crate) fn search(
    encoders: &Encoders,
    indexes: &[Arc<Index>],
    question: &Question,
    settings: &Settings,
    likeness: Option<Arc<Likeness>>,
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
    let diversity = question.method.diversity.unwrap_or(encoders.diversity);
    let choice = if diversity > 0.0 { CHOICE } else { 1 };
    let wider = (top_k * choice + COPIES).min(retrieval::MAX_TOP_K);
    let budget = encoders.time.begin();
    let looked_up = retrieval::Query {
        files: question.files.clone(),
        budget: Some(budget.clone()),
        ..retrieval::Query::new(&query.text, wider)
    };
    let hits = encoders.search(indexes, &looked_up, question.method)?;
    let reader = encoders.reader.clone();
    Ok(Found {
        reading: reader.and_then(|reader| Reading::new(reader, &query.text)),
        words: lexicon.words(&query.text),
        hits: distinct(hits, &lexicon, top_k, diversity),
        query,
        lexicon,
        searched: indexes.iter().map(|index| index.passage_count()).sum(),
        cut_short: budget.was_short(),
        likeness,
    })
}
