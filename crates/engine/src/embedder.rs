//! The seams of models that read without writing: texts to vectors, and pairs to scores.

use crate::EngineError;

/// A model that turns texts into vectors whose closeness is closeness in meaning.
pub trait Embedder: Send + Sync {
    /// The model behind this embedder.
    fn model(&self) -> &EmbedderInfo;

    /// How many tokens `text` is, with those the model puts around it.
    fn count_tokens(&self, text: &str) -> usize;

    /// One vector of [`EmbedderInfo::dimensions`] numbers for each text, in order, normalised
    /// as the model's own configuration asks. The same text gives the same vector up to
    /// rounding, whatever stands beside it.
    ///
    /// # Errors
    ///
    /// [`EngineError::PromptTooLong`] when a text has more tokens than the model reads; nothing
    /// is cut silently.
    fn embed(&self, texts: &[&str], side: Side) -> Result<Vec<Vec<f32>>, EngineError>;
}

/// Which side of a search a text is on. Models that were trained with instructions in front of
/// queries or passages get them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// What is looked for.
    Query,
    /// What may be found.
    Passage,
}

/// The model behind an [`Embedder`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbedderInfo {
    /// The name clients ask for.
    pub name: String,
    /// Numbers in a vector.
    pub dimensions: usize,
    /// The most tokens of one text.
    pub max_tokens: usize,
}

/// A model that reads a query and a passage together and says how well they fit.
pub trait Reranker: Send + Sync {
    /// The name clients ask for.
    fn name(&self) -> &str;

    /// One score for each passage, in order; higher fits better. Scores compare only for the
    /// same model.
    ///
    /// # Errors
    ///
    /// [`EngineError::PromptTooLong`] when a pair has more tokens than the model reads.
    fn rerank(&self, query: &str, passages: &[&str]) -> Result<Vec<f32>, EngineError>;
}
