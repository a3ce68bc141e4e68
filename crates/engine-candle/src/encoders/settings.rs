//! What whoever runs an encoder decides.

use crate::LoadError;

/// How an encoder runs.
#[derive(Clone, Debug)]
pub struct EncoderSettings {
    /// The name clients ask for.
    pub name: String,
    /// Threads to compute with, 1 to 1024; `None` takes one for each physical core.
    pub threads: Option<usize>,
    /// Tokens that go through the model together, padding included, 1 to 1048576. A longer text
    /// goes alone.
    pub batch_tokens: usize,
    /// The most tokens of one text, 2 to 1048576; never more than the model was made for. The
    /// memory of a batch grows with the square of it: 2048 tokens and twelve heads take 200 MB
    /// for the scores of attention alone.
    pub max_tokens: usize,
    /// Callers that may wait for the model at the same time, 1 to 65536; further ones are refused.
    pub queue: usize,
}

/// How an embedder runs.
#[derive(Clone, Debug, Default)]
pub struct EmbedderSettings {
    /// What it has in common with a reranker.
    pub encoder: EncoderSettings,
    /// What to put before queries, in place of what the model's files say.
    pub query_prefix: Option<String>,
    /// What to put before passages, in place of what the model's files say.
    pub passage_prefix: Option<String>,
}

impl Default for EncoderSettings {
    fn default() -> Self {
        Self {
            name: "model".into(),
            threads: None,
            batch_tokens: 2048,
            max_tokens: 2048,
            queue: 64,
        }
    }
}

impl EncoderSettings {
    /// Every number is in its range.
    pub(super) fn check(&self) -> Result<(), LoadError> {
        let refuse = |name, range| Err(LoadError::Setting { name, range });
        if !(1..=1024).contains(&self.threads.unwrap_or(1)) {
            return refuse("threads", "1 to 1024");
        }
        if !(1..=1 << 20).contains(&self.batch_tokens) {
            return refuse("batch_tokens", "1 to 1048576");
        }
        if !(2..=1 << 20).contains(&self.max_tokens) {
            return refuse("max_tokens", "2 to 1048576");
        }
        if !(1..=1 << 16).contains(&self.queue) {
            return refuse("queue", "1 to 65536");
        }
        Ok(())
    }
}
