//! What can go wrong between a question and its answer.

use engine::EngineError;
use retrieval::RetrievalError;

/// Why a question could not be answered, or an answer ended early.
#[derive(Debug, thiserror::Error)]
pub enum RagError {
    /// The question cannot be answered as it is asked.
    #[error("{message}")]
    Invalid {
        /// The field at fault, as it is named on the wire.
        param: &'static str,
        /// What is wrong.
        message: String,
    },

    /// The system message and the question do not fit the model together with an answer.
    /// They are never cut.
    #[error(
        "the system message and the question take {tokens} tokens; beside an answer of {reserved} \
         tokens the model has room for {room}"
    )]
    PromptTooLong {
        /// The field at fault, as it is named on the wire.
        param: &'static str,
        /// Tokens of what cannot be left out, with what the chat template adds.
        tokens: usize,
        /// Tokens the model can take beside the answer.
        room: usize,
        /// Tokens kept free for the answer.
        reserved: usize,
    },

    /// A search by meaning came before the passages had their vectors.
    #[error(
        "the documents are still being embedded; try again later, or search with mode \"hybrid\""
    )]
    NotEmbedded,

    /// A template for prompts failed.
    #[error("a prompt template failed: {0}")]
    Prompt(String),

    /// The engine refused or failed.
    #[error(transparent)]
    Engine(#[from] EngineError),

    /// The search failed.
    #[error(transparent)]
    Retrieval(#[from] RetrievalError),
}
