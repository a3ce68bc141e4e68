//! An embedder and a reranker that need no model.

use crate::{Embedder, EmbedderInfo, EngineError, Reranker, Side};

/// Keeps the [`Embedder`] contract without a model: a token is a word, and a text's vector comes
/// from a function of it, scaled to the length 1.
pub struct ScriptedEmbedder {
    info: EmbedderInfo,
    script: Box<Script>,
    coverage: Box<Coverage>,
}

/// How much of a text the model knows.
type Coverage = dyn Fn(&str) -> f32 + Send + Sync;

/// The vector of a text.
type Script = dyn Fn(&str) -> Result<Vec<f32>, EngineError> + Send + Sync;

impl ScriptedEmbedder {
    /// An embedder of this name, whose vectors come from `script`.
    pub fn new(
        name: &str,
        script: impl Fn(&str) -> Result<Vec<f32>, EngineError> + Send + Sync + 'static,
    ) -> Self {
        let dimensions = script("").map_or(0, |vector| vector.len());
        Self {
            info: EmbedderInfo {
                name: name.to_owned(),
                dimensions,
                max_tokens: 256,
            },
            script: Box::new(script),
            coverage: Box::new(|_| 1.0),
        }
    }

    /// Reads at most this many tokens of a text.
    pub fn with_max_tokens(mut self, max_tokens: usize) -> Self {
        self.info.max_tokens = max_tokens;
        self
    }

    /// Knows this share of every text.
    pub fn with_coverage(self, coverage: f32) -> Self {
        self.with_coverage_of(move |_| coverage)
    }

    /// Knows as much of a text as this function says.
    pub fn with_coverage_of(
        mut self,
        coverage: impl Fn(&str) -> f32 + Send + Sync + 'static,
    ) -> Self {
        self.coverage = Box::new(coverage);
        self
    }

    fn vector(&self, text: &str) -> Result<Vec<f32>, EngineError> {
        let tokens = self.count_tokens(text);
        if tokens > self.info.max_tokens {
            return Err(EngineError::PromptTooLong {
                prompt: tokens,
                context: self.info.max_tokens,
            });
        }
        let mut vector = (self.script)(text)?;
        let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        if length > 0.0 {
            vector.iter_mut().for_each(|x| *x /= length);
        }
        Ok(vector)
    }
}

impl Embedder for ScriptedEmbedder {
    fn model(&self) -> &EmbedderInfo {
        &self.info
    }

    fn count_tokens(&self, text: &str) -> usize {
        text.split_whitespace().count()
    }

    fn embed(&self, texts: &[&str], _: Side) -> Result<Vec<Vec<f32>>, EngineError> {
        texts.iter().map(|text| self.vector(text)).collect()
    }

    fn embed_tokens(&self, texts: &[&[u32]]) -> Result<Vec<Vec<f32>>, EngineError> {
        let spelt = texts.iter().map(|tokens| {
            let words = tokens.iter().map(u32::to_string).collect::<Vec<_>>();
            self.vector(&words.join(" "))
        });
        spelt.collect()
    }

    fn coverage(&self, text: &str) -> f32 {
        (self.coverage)(text)
    }
}

/// Keeps the [`Reranker`] contract without a model: a token is a word, and a pair's score comes
/// from a function of query and passage.
pub struct ScriptedReranker {
    script: Box<Scores>,
    max_tokens: usize,
    coverage: Box<Coverage>,
}

/// The score of a query and a passage.
type Scores = dyn Fn(&str, &str) -> f32 + Send + Sync;

impl ScriptedReranker {
    /// A reranker whose scores come from `script`.
    pub fn new(script: impl Fn(&str, &str) -> f32 + Send + Sync + 'static) -> Self {
        Self {
            script: Box::new(script),
            max_tokens: 512,
            coverage: Box::new(|_| 1.0),
        }
    }

    /// Knows as much of a text as `coverage` says.
    pub fn with_coverage_of(
        mut self,
        coverage: impl Fn(&str) -> f32 + Send + Sync + 'static,
    ) -> Self {
        self.coverage = Box::new(coverage);
        self
    }

    /// Reads at most this many tokens of a query and a passage together.
    pub fn with_max_tokens(mut self, max_tokens: usize) -> Self {
        self.max_tokens = max_tokens;
        self
    }

    fn score(&self, query: &str, passage: &str) -> Result<f32, EngineError> {
        let tokens = self.count_tokens(query) + self.count_tokens(passage);
        if tokens > self.max_tokens {
            return Err(EngineError::PromptTooLong {
                prompt: tokens,
                context: self.max_tokens,
            });
        }
        Ok((self.script)(query, passage))
    }
}

impl Reranker for ScriptedReranker {
    fn name(&self) -> &str {
        "scripted-reranker"
    }

    fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    fn count_tokens(&self, text: &str) -> usize {
        text.split_whitespace().count()
    }

    fn coverage(&self, text: &str) -> f32 {
        (self.coverage)(text)
    }

    fn rerank(&self, query: &str, passages: &[&str]) -> Result<Vec<f32>, EngineError> {
        let scores = passages.iter().map(|passage| self.score(query, passage));
        scores.collect()
    }
}
