//! What can go wrong between a request and its last token.

use std::time::Duration;

/// Why an engine refused a request, or ended one early.
#[derive(Clone, Debug, thiserror::Error, PartialEq)]
pub enum EngineError {
    /// Too much waits already; nothing was kept of the request.
    #[error("the model is busy")]
    Busy {
        /// When a place is likely to be free.
        retry_after: Duration,
    },

    /// The prompt leaves no room for an answer.
    #[error("the prompt has {prompt} tokens and the model reads at most {context}")]
    PromptTooLong {
        /// Tokens of the prompt with everything the template adds.
        prompt: usize,
        /// Tokens the model can take, prompt and answer together.
        context: usize,
    },

    /// The request asks for something this engine cannot do.
    #[error("{message}")]
    InvalidRequest {
        /// The field at fault, named as in [`Request`](crate::Request).
        param: &'static str,
        /// What is wrong and what to do.
        message: String,
    },

    /// The engine failed while working on this request; others go on.
    #[error("generation failed: {0}")]
    Failed(String),

    /// The engine is stopping and takes nothing new.
    #[error("the model is shutting down")]
    ShuttingDown,
}
