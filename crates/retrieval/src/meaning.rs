//! Searching by meaning: what a query's vector finds, alone or together with its words.

use std::collections::HashMap;
use std::sync::Arc;

use crate::budget::Budget;
use crate::error::RetrievalError;
use crate::fusion::{self, Candidate, Fusion};
use crate::index::Index;
use crate::passage::Passage;
use crate::query::{Hit, MAX_TOP_K, Query};
use crate::vectors::{Nearest, Vectors};

/// Of a query of which the model has words for no more than this share, a vector says nothing: the
/// model spells it out letter by letter. Such a query is searched by words alone.
pub const LEAST_COVERAGE: f32 = 0.5;

/// What a query means, as an embedder says.
#[derive(Debug, Clone, PartialEq)]
pub struct Meaning {
    /// The query's vector, by the model that made the vectors of the passages.
    pub vector: Vec<f32>,
    /// How much of the query the model has words for, 0 to 1. What it has none for, its vector
    /// does not say.
    pub coverage: f32,
}

/// By what passages are found.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Mode {
    /// By words and by meaning; by words alone where there are no vectors.
    #[default]
    Hybrid,
    /// By words.
    Lexical,
    /// By meaning.
    Dense,
}

/// The least number of hits of each way that are put together.
const DEPTH: usize = 100;

impl Index {
    /// The best passages for `query` by words and by meaning, best first.
    ///
    /// Without vectors, with vectors of another model, and while the vectors of a collection are
    /// made for the first time, this is [`Index::search`].
    ///
    /// # Errors
    /// As [`Index::search`].
    pub fn search_hybrid(
        &self,
        query: &Query,
        meaning: &Meaning,
        fusion: Fusion,
    ) -> Result<Vec<Hit>, RetrievalError> {
        query.check()?;
        let Some(vectors) = self.complete_vectors(meaning) else {
            return self.search(query);
        };
        let depth = query.top_k.clamp(DEPTH, MAX_TOP_K);
        let words = self.search(&Query {
            top_k: depth,
            ..query.clone()
        })?;
        if query.budget.as_ref().is_some_and(Budget::is_spent) {
            let mut words = words;
            words.truncate(query.top_k);
            return Ok(words);
        }
        let nearest = nearest(&vectors, query, meaning, depth);
        let candidates = self.candidates(query, words, &nearest, &vectors, meaning)?;
        let mut hits = fusion::fuse(candidates, fusion, meaning.coverage);
        hits.truncate(query.top_k);
        Ok(hits)
    }

    /// The passages nearest in meaning, nearest first. Empty where there are no vectors of the
    /// query's model.
    ///
    /// # Errors
    /// As [`Index::search`].
    pub fn search_dense(
        &self,
        query: &Query,
        meaning: &Meaning,
    ) -> Result<Vec<Hit>, RetrievalError> {
        query.check()?;
        let Some(vectors) = self.vectors() else {
            return Ok(Vec::new());
        };
        if query.budget.as_ref().is_some_and(Budget::is_spent) {
            return Ok(Vec::new());
        }
        let depth = query.top_k.clamp(DEPTH, MAX_TOP_K);
        let nearest = nearest(&vectors, query, meaning, depth);
        let candidates = self.candidates(query, Vec::new(), &nearest, &vectors, meaning)?;
        let mut hits = fusion::by_meaning(candidates);
        hits.truncate(query.top_k);
        Ok(hits)
    }

    fn complete_vectors(&self, meaning: &Meaning) -> Option<Arc<Vectors>> {
        let vectors = self.vectors()?;
        let fits = vectors.origin().probe.len() == meaning.vector.len();
        (vectors.is_complete() && fits).then_some(vectors)
    }

    /// What either way found, each passage once, with what both say of it.
    fn candidates(
        &self,
        query: &Query,
        words: Vec<Hit>,
        nearest: &Nearest,
        vectors: &Vectors,
        meaning: &Meaning,
    ) -> Result<Vec<Candidate>, RetrievalError> {
        let places: Vec<_> = words.iter().map(|hit| place(&hit.passage)).collect();
        let cosines = vectors.cosines(&meaning.vector, &places);
        let mut by_place: HashMap<_, _> = places.iter().zip(1..).collect();
        let mut candidates = Vec::with_capacity(words.len() + nearest.neighbours.len());
        let mut new = Vec::new();
        for (rank, neighbour) in nearest.neighbours.iter().enumerate() {
            let place = (neighbour.file_id.as_str(), neighbour.start, neighbour.end);
            if by_place.remove(&place).is_some() {
                continue;
            }
            // What is not in the index any more, or not yet, is not found.
            let passage = self.passage(place.0, place.1, place.2)?;
            let passage = passage.filter(|passage| self.allows(query, passage));
            new.extend(passage.map(|passage| (rank, passage, neighbour.cosine)));
        }
        let ranks: HashMap<_, _> = nearest
            .neighbours
            .iter()
            .enumerate()
            .map(|(rank, near)| ((near.file_id.as_str(), near.start, near.end), rank))
            .collect();
        let dense_ranks: Vec<_> = places
            .iter()
            .map(|place| ranks.get(place).copied())
            .collect();
        let known = words.into_iter().zip(cosines).zip(dense_ranks);
        for (word_rank, ((hit, cosine), dense_rank)) in known.enumerate() {
            candidates.push(Candidate {
                hit: Hit { cosine, ..hit },
                word_rank: Some(word_rank),
                dense_rank,
                surprise: cosine.map(|cosine| nearest.surprise(cosine)),
            });
        }
        for (rank, passage, cosine) in new {
            candidates.push(Candidate {
                hit: Hit {
                    passage,
                    score: 0.0,
                    bm25: 0.0,
                    cosine: Some(cosine),
                },
                word_rank: None,
                dense_rank: Some(rank),
                surprise: Some(nearest.surprise(cosine)),
            });
        }
        Ok(candidates)
    }
}

/// The `depth` passages nearest in meaning, in the files that the query asks for.
fn nearest(vectors: &Vectors, query: &Query, meaning: &Meaning, depth: usize) -> Nearest {
    let files = query.files.as_deref();
    let allows = |file: &str| files.is_none_or(|files| files.contains(file));
    vectors.nearest(&meaning.vector, depth, &allows)
}

impl Nearest {
    /// How far a cosine lies above the mean of the collection, in standard deviations. Models
    /// differ much in their cosines, and little in this.
    fn surprise(&self, cosine: f32) -> f32 {
        (cosine - self.mean) / self.deviation.max(1e-3)
    }
}

impl Passage {
    /// The passage's text behind what it is about: its document's title and its headings.
    pub fn in_context(&self) -> String {
        format!("{}{}", self.context(), self.text)
    }

    /// Title and headings, each on its own line; empty when there are none.
    pub fn context(&self) -> String {
        let heading = self.heading.as_deref().unwrap_or_default();
        let title = match heading.starts_with(&self.title) {
            true => "",
            false => &self.title,
        };
        let lines = [title, heading].into_iter().filter(|line| !line.is_empty());
        lines.map(|line| format!("{line}\n")).collect()
    }
}

fn place(passage: &Passage) -> (&str, usize, usize) {
    (&passage.file_id, passage.start, passage.end)
}
