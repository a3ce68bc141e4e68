//! How alike in meaning a sentence and sentences of the sources are, by an embedder.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use engine::{Embedder, EngineError, Side};
use retrieval::LEAST_COVERAGE;

/// Questions and sentences of which no two have anything to do with one another.
const UNRELATED: ([&str; 3], [&str; 3]) = (
    [
        "How is green tea brewed?",
        "Who painted the ceiling of the chapel?",
        "When does the last train leave?",
    ],
    [
        "The volcano has been quiet for two centuries.",
        "Parliament passed the budget by a narrow majority.",
        "A hash table finds an entry in constant time.",
    ],
);

/// An embedder, and the cosine from which its likeness counts.
///
/// Some embedders give any two texts a cosine of 0.7, and others of 0. What two texts have in common
/// begins above what unrelated ones reach.
pub(crate) struct Scale {
    embedder: Arc<dyn Embedder>,
    unrelated: OnceLock<f32>,
}

impl Scale {
    pub(crate) fn new(embedder: Arc<dyn Embedder>) -> Self {
        Self {
            embedder,
            unrelated: OnceLock::new(),
        }
    }

    /// The mean cosine of unrelated texts; measured once.
    fn unrelated(&self) -> Result<f32, EngineError> {
        if let Some(known) = self.unrelated.get() {
            return Ok(*known);
        }
        let (questions, sentences) = UNRELATED;
        let questions = self.embedder.embed(&questions, Side::Query)?;
        let sentences = self.embedder.embed(&sentences, Side::Passage)?;
        let pairs = questions
            .iter()
            .flat_map(|q| sentences.iter().map(move |s| cosine(q, s)));
        let cosines: Vec<f32> = pairs.collect();
        let mean = cosines.iter().sum::<f32>() / cosines.len() as f32;
        Ok(*self.unrelated.get_or_init(|| mean.clamp(0.0, 0.95)))
    }
}

/// Compares sentences by their vectors. That of a source sentence is made when it is first needed,
/// and kept for the answer.
pub(crate) struct Likeness {
    scale: Arc<Scale>,
    vectors: Mutex<HashMap<String, Vec<f32>>>,
}

impl Likeness {
    pub(crate) fn new(scale: Arc<Scale>) -> Self {
        Self {
            scale,
            vectors: Mutex::default(),
        }
    }

    /// How alike `text` and each of the `sentences` are: their cosine, on a scale where unrelated
    /// texts have 0 and equal ones 1; 0 for one that the embedder cannot judge: it is too long, or
    /// in a language that it does not know. `side` says whether the text asks or tells. `None` when
    /// it cannot judge the text, or most of the sentences, or is too busy: an answer does not wait
    /// for a vote.
    pub(crate) fn to(&self, text: &str, side: Side, sentences: &[&str]) -> Option<Vec<f32>> {
        let embedder = &self.scale.embedder;
        if !self.can_judge(text) {
            return None;
        }
        let mut vectors = self.vectors.lock().unwrap_or_else(PoisonError::into_inner);
        self.learn(sentences, &mut vectors).ok()?;
        let judged = sentences
            .iter()
            .filter(|sentence| vectors.contains_key(**sentence));
        if judged.count() * 2 < sentences.len() {
            return None;
        }
        let asked = embedder.embed(&[text], side).ok()?.pop()?;
        let unrelated = self.scale.unrelated().ok()?;
        let alike = |sentence: &&str| {
            let vector = vectors.get(*sentence);
            vector.map_or(0.0, |vector| {
                (cosine(&asked, vector) - unrelated) / (1.0 - unrelated)
            })
        };
        Some(sentences.iter().map(alike).collect())
    }

    fn learn(
        &self,
        sentences: &[&str],
        vectors: &mut HashMap<String, Vec<f32>>,
    ) -> Result<(), EngineError> {
        let is_new = |sentence: &&str| !vectors.contains_key(*sentence) && self.can_judge(sentence);
        let new: Vec<&str> = sentences.iter().copied().filter(is_new).collect();
        if !new.is_empty() {
            let made = self.scale.embedder.embed(&new, Side::Passage)?;
            vectors.extend(new.iter().map(|sentence| (*sentence).to_owned()).zip(made));
        }
        Ok(())
    }

    fn can_judge(&self, text: &str) -> bool {
        let embedder = &self.scale.embedder;
        embedder.coverage(text) > LEAST_COVERAGE
            && embedder.count_tokens(text) <= embedder.model().max_tokens
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
