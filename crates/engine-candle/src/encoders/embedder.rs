//! Texts to vectors.

use std::path::Path;

use engine::{Embedder, EmbedderInfo, EngineError, Side};

use super::EmbedderSettings;
use super::encoder::Encoder;
use super::pooling::{Pooling, normalise};
use super::sentence_files::SentenceFiles;
use super::tokens::TokenSequence;
use super::turns::Urgency;
use crate::{LoadError, ModelSource};

/// An embedder on the CPU.
///
/// It computes on the thread that calls it and on its own; calls at the same time take turns,
/// batch by batch, queries before passages.
pub struct CandleEmbedder {
    info: EmbedderInfo,
    encoder: Encoder,
    pooling: Pooling,
    normalise: bool,
    query_prefix: String,
    passage_prefix: String,
}

impl CandleEmbedder {
    /// Reads a Hugging Face folder: `config.json`, `*.safetensors`, `tokenizer.json`, and what
    /// sentence-transformers puts beside them.
    ///
    /// # Errors
    ///
    /// When a file is missing or damaged, when the model or one of its steps is of a kind that
    /// is not supported, or when a setting is out of its range.
    pub fn load(folder: &Path, settings: EmbedderSettings) -> Result<Self, LoadError> {
        Self::open(&ModelSource::Path(folder.to_owned()), settings)
    }

    /// The same of a folder that may be part of the program.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn open(source: &ModelSource, settings: EmbedderSettings) -> Result<Self, LoadError> {
        let files = SentenceFiles::read(source)?;
        let encoder = Encoder::open(source, &settings.encoder, files.max_tokens)?.encoder;
        Ok(Self {
            info: EmbedderInfo {
                name: settings.encoder.name,
                dimensions: encoder.width(),
                max_tokens: encoder.max_tokens(),
            },
            encoder,
            pooling: files.pooling,
            normalise: files.normalise,
            query_prefix: settings.query_prefix.unwrap_or(files.query_prefix),
            passage_prefix: settings.passage_prefix.unwrap_or(files.passage_prefix),
        })
    }

    fn with_prefix(&self, text: &str, side: Side) -> String {
        let prefix = match side {
            Side::Query => &self.query_prefix,
            Side::Passage => &self.passage_prefix,
        };
        format!("{prefix}{text}")
    }

    fn vectors(
        &self,
        sequences: &[TokenSequence],
        urgency: Urgency,
    ) -> Result<Vec<Vec<f32>>, EngineError> {
        let mut vectors = self.encoder.vectors(sequences, self.pooling, urgency)?;
        if self.normalise {
            vectors.iter_mut().for_each(|vector| normalise(vector));
        }
        Ok(vectors)
    }
}

impl Embedder for CandleEmbedder {
    fn model(&self) -> &EmbedderInfo {
        &self.info
    }

    /// Counts `text` as a passage.
    fn count_tokens(&self, text: &str) -> usize {
        let passage = self.with_prefix(text, Side::Passage);
        // A tokenizer that cannot encode a text fails in `embed` too, and says why there.
        self.encoder.tokens.count(&passage).unwrap_or(text.len())
    }

    fn embed(&self, texts: &[&str], side: Side) -> Result<Vec<Vec<f32>>, EngineError> {
        let sequences = texts
            .iter()
            .map(|text| self.encoder.tokens.of_text(&self.with_prefix(text, side)))
            .collect::<Result<Vec<_>, _>>()?;
        let urgency = match side {
            Side::Query => Urgency::Search,
            Side::Passage => Urgency::Bulk,
        };
        self.vectors(&sequences, urgency)
    }

    fn embed_tokens(&self, texts: &[&[u32]]) -> Result<Vec<Vec<f32>>, EngineError> {
        let prefix = match self.passage_prefix.as_str() {
            "" => Vec::new(),
            prefix => self.encoder.tokens.content_of(prefix)?,
        };
        let sequences = texts
            .iter()
            .map(|tokens| self.encoder.tokens.of_tokens(&prefix, tokens))
            .collect::<Result<Vec<_>, _>>()?;
        self.vectors(&sequences, Urgency::Bulk)
    }

    fn coverage(&self, text: &str) -> f32 {
        self.encoder.tokens.coverage(text)
    }
}
