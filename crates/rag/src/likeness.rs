//! How alike in meaning a sentence and sentences of the sources are, by an embedder.

mod kept;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use engine::{Embedder, EngineError, Side};
use retrieval::LEAST_COVERAGE;

use kept::{Kept, Vector};

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

/// What tells how alike texts are: an embedder, and the cosine from which its likeness counts.
///
/// Some embedders give any two texts a cosine of 0.7, and others of 0. What two texts have in common
/// begins above what unrelated ones reach.
pub(crate) struct Likeness {
    embedder: Arc<dyn Embedder>,
    unrelated: OnceLock<f32>,
    kept: Mutex<Kept>,
}

impl Likeness {
    pub(crate) fn new(embedder: Arc<dyn Embedder>) -> Self {
        Self {
            embedder,
            unrelated: OnceLock::new(),
            kept: Mutex::default(),
        }
    }

    /// How alike `text` and each of the `sentences` are: their cosine, on a scale where unrelated
    /// texts have 0 and equal ones 1; 0 for one that the embedder cannot judge: it is too long, or
    /// in a language that it does not know. `side` says whether the text asks or tells. `None` when
    /// it cannot judge the text, or most of the sentences, or is too busy: an answer does not wait
    /// for a vote.
    pub(crate) fn to(&self, text: &str, side: Side, sentences: &[&str]) -> Option<Vec<f32>> {
        let asked = self.vectors(&[text], side).ok()?.pop()??;
        let told = self.vectors(sentences, Side::Passage).ok()?;
        if told.iter().flatten().count() * 2 < sentences.len() {
            return None;
        }
        let unrelated = self.unrelated().ok()?;
        let alike = |vector: Vector| (cosine(&asked, &vector) - unrelated) / (1.0 - unrelated);
        let alike = told.into_iter().map(|told| told.map_or(0.0, alike));
        Some(alike.collect())
    }

    /// Lets go of all vectors, because documents were deleted.
    pub(crate) fn forget(&self) {
        *self.kept() = Kept::default();
    }

    /// The vectors of texts, those kept or new ones; none for a text that the embedder cannot
    /// judge.
    fn vectors(&self, texts: &[&str], side: Side) -> Result<Vec<Option<Vector>>, EngineError> {
        let known = |text: &&str| self.kept().get(side, text);
        let mut vectors: Vec<Option<Vector>> = texts.iter().map(known).collect();
        let is_new = |at: &usize| vectors[*at].is_none() && self.can_judge(texts[*at]);
        let new: Vec<usize> = (0..texts.len()).filter(is_new).collect();
        if !new.is_empty() {
            let read: Vec<&str> = new.iter().map(|at| texts[*at]).collect();
            let made = self.embedder.embed(&read, side)?;
            for (at, vector) in new.into_iter().zip(made) {
                let vector = Vector::from(vector);
                self.kept().put(side, texts[at], vector.clone());
                vectors[at] = Some(vector);
            }
        }
        Ok(vectors)
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

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn can_judge(&self, text: &str) -> bool {
        let embedder = &self.embedder;
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
