//! Why a model could not be loaded, in words its owner can act on.

use std::io;

/// Why a model could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be opened or read.
    #[error("cannot read {file}: {source}")]
    Read {
        /// The file's path.
        file: String,
        /// What the operating system said.
        source: io::Error,
    },

    /// The file is cut short, damaged, or made to mislead.
    #[error("{file} is damaged: {reason}")]
    Malformed {
        /// The file's path.
        file: String,
        /// What is wrong with it.
        reason: String,
    },

    /// A part that the model needs is not there.
    #[error("{0}")]
    Missing(String),

    /// The model asks for something this engine does not have.
    #[error("{0} is not supported")]
    Unsupported(String),

    /// The sizes of the configuration contradict themselves or the weights.
    #[error("the configuration does not fit: {0}")]
    Config(String),

    /// The tokenizer cannot be built.
    #[error("the tokenizer cannot be used: {0}")]
    Tokenizer(String),

    /// The chat template does not compile.
    #[error("the chat template cannot be used: {0}")]
    Template(String),

    /// A setting of the engine is out of its range.
    #[error("the setting {name} must be {range}")]
    Setting {
        /// The field of `Settings`.
        name: &'static str,
        /// What it may be.
        range: &'static str,
    },

    /// The operating system gives no more threads.
    #[error("cannot start a worker: {0}")]
    Worker(String),

    /// candle failed on a tensor that looked right.
    #[error("candle: {0}")]
    Compute(String),
}

impl From<candle_core::Error> for LoadError {
    fn from(error: candle_core::Error) -> Self {
        Self::Compute(error.to_string())
    }
}
