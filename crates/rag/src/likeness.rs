//! How alike in meaning a sentence of the answer and sentences of the sources are, by an embedder.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use engine::{Embedder, EngineError, Side};
use retrieval::LEAST_COVERAGE;

/// Compares sentences by their vectors. That of a source sentence is made when it is first needed.
pub(crate) struct Likeness {
    embedder: Arc<dyn Embedder>,
    vectors: Mutex<HashMap<usize, Vec<f32>>>,
}

/// A source sentence: its place among the candidates, and its text.
pub(crate) type Numbered<'a> = (usize, &'a str);

impl Likeness {
    pub(crate) fn new(embedder: Arc<dyn Embedder>) -> Self {
        Self {
            embedder,
            vectors: Mutex::default(),
        }
    }

    /// The cosine, -1 to 1, between `claim` and each of the `sentences`; 0 for one that is too long
    /// for the embedder. `None` when it cannot judge: it does not know the language, has no room for
    /// the claim, or is too busy. An answer does not wait for a vote.
    pub(crate) fn cosines(&self, claim: &str, sentences: &[Numbered<'_>]) -> Option<Vec<f32>> {
        if self.embedder.coverage(claim) <= LEAST_COVERAGE || !self.fits(claim) {
            return None;
        }
        let mut vectors = self.vectors.lock().unwrap_or_else(PoisonError::into_inner);
        let new = sentences.iter().filter(|(at, _)| !vectors.contains_key(at));
        let new: Vec<Numbered<'_>> = new.copied().filter(|(_, text)| self.fits(text)).collect();
        let claim = self.embed(claim, &new, &mut vectors).ok()?;
        let cosine = |(at, _): &Numbered<'_>| vectors.get(at).map_or(0.0, |v| cosine(&claim, v));
        Some(sentences.iter().map(cosine).collect())
    }

    fn fits(&self, text: &str) -> bool {
        self.embedder.count_tokens(text) <= self.embedder.model().max_tokens
    }

    /// The vector of `claim`; those of `new` are kept.
    fn embed(
        &self,
        claim: &str,
        new: &[Numbered<'_>],
        vectors: &mut HashMap<usize, Vec<f32>>,
    ) -> Result<Vec<f32>, EngineError> {
        let texts: Vec<&str> = [claim]
            .into_iter()
            .chain(new.iter().map(|(_, text)| *text))
            .collect();
        // Both say what is; neither asks.
        let mut made = self.embedder.embed(&texts, Side::Passage)?.into_iter();
        let claim = made.next().unwrap_or_default();
        vectors.extend(new.iter().map(|(at, _)| *at).zip(made));
        Ok(claim)
    }
}

fn cosine(one: &[f32], other: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let lengths = (dot(one, one) * dot(other, other)).sqrt();
    if lengths > 0.0 {
        dot(one, other) / lengths
    } else {
        0.0
    }
}
