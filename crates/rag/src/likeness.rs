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
    vectors: Mutex<Vectors>,
}

type Vectors = HashMap<(Side, String), Vec<f32>>;

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
        let mut vectors = self.vectors.lock().unwrap_or_else(PoisonError::into_inner);
        self.learn(side, &[text], &mut vectors).ok()?;
        if !vectors.contains_key(&(side, text.to_owned())) {
            return None;
        }
        self.learn(Side::Passage, sentences, &mut vectors).ok()?;
        let told = |sentence: &&str| vectors.get(&(Side::Passage, (*sentence).to_owned()));
        let told = sentences.iter().map(told).collect::<Vec<_>>();
        if told.iter().flatten().count() * 2 < sentences.len() {
            return None;
        }
        let asked = &vectors[&(side, text.to_owned())];
        let unrelated = self.scale.unrelated().ok()?;
        let alike = |vector: &Vec<f32>| (cosine(asked, vector) - unrelated) / (1.0 - unrelated);
        let alike = told.into_iter().map(|told| told.map_or(0.0, alike));
        Some(alike.collect())
    }

    /// Makes the vectors of these texts that are not known yet, as far as the embedder can judge
    /// them.
    fn learn(&self, side: Side, texts: &[&str], vectors: &mut Vectors) -> Result<(), EngineError> {
        let mut new = Vec::new();
        for text in texts {
            if !vectors.contains_key(&(side, (*text).to_owned())) && self.can_judge(text) {
                new.push(*text);
            }
        }
        if !new.is_empty() {
            let made = self.scale.embedder.embed(&new, side)?;
            let keys = new.iter().map(|text| (side, (*text).to_owned()));
            vectors.extend(keys.zip(made));
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
