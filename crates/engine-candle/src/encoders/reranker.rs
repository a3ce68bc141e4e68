//! Pairs of a query and a passage to scores.

use std::path::Path;

use engine::{EngineError, Reranker};

use super::EncoderSettings;
use super::encoder::Encoder;
use super::head::Head;
use super::turns::Urgency;
use crate::{LoadError, ModelSource};

/// A cross-encoder on the CPU. Its scores are logits: any number, about 0 where the model is
/// undecided.
pub struct CandleReranker {
    name: String,
    encoder: Encoder,
    head: Head,
}

impl CandleReranker {
    /// Reads a Hugging Face folder of a model for sequence classification with one label.
    ///
    /// # Errors
    ///
    /// When a file is missing or damaged, when the model is of a kind that is not supported, or
    /// when a setting is out of its range.
    pub fn load(folder: &Path, settings: EncoderSettings) -> Result<Self, LoadError> {
        Self::open(&ModelSource::Path(folder.to_owned()), settings)
    }

    /// The same of a folder that may be part of the program.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn open(source: &ModelSource, settings: EncoderSettings) -> Result<Self, LoadError> {
        let opened = Encoder::open(source, &settings, None)?;
        let Some(head) = opened.family.head else {
            let family = &opened.source.config["model_type"];
            return Err(LoadError::Unsupported(format!(
                "a reranker of the family {family}"
            )));
        };
        Ok(Self {
            name: settings.name,
            head: head(&opened.source, opened.encoder.width())?,
            encoder: opened.encoder,
        })
    }
}

impl Reranker for CandleReranker {
    fn name(&self) -> &str {
        &self.name
    }

    fn max_tokens(&self) -> usize {
        self.encoder.max_tokens()
    }

    fn count_tokens(&self, text: &str) -> usize {
        // A tokenizer that cannot encode a text fails in `rerank` too, and says why there.
        self.encoder.tokens.count(text).unwrap_or(text.len())
    }

    fn coverage(&self, text: &str) -> f32 {
        self.encoder.tokens.coverage(text)
    }

    fn rerank(&self, query: &str, passages: &[&str]) -> Result<Vec<f32>, EngineError> {
        let pairs = passages
            .iter()
            .map(|passage| self.encoder.tokens.of_pair(query, passage))
            .collect::<Result<Vec<_>, _>>()?;
        let vectors = self
            .encoder
            .vectors(&pairs, self.head.pooling, Urgency::Search)?;
        let scores = self.head.score(vectors);
        scores.map_err(|error| EngineError::Failed(error.to_string()))
    }
}
