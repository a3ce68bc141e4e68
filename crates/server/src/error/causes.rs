//! What the failures of the crates below mean to a client.

use std::error::Error;
use std::time::Duration;

use engine::EngineError;
use library::LibraryError;
use rag::RagError;
use retrieval::RetrievalError;

use super::{ApiError, ErrorKind};
use crate::fetch::FetchError;

impl From<EngineError> for ApiError {
    fn from(error: EngineError) -> Self {
        match &error {
            EngineError::Busy { retry_after } => {
                Self::new(ErrorKind::Busy, error.to_string()).retry_after(*retry_after)
            }
            EngineError::PromptTooLong { .. } => {
                Self::new(ErrorKind::ContextLengthExceeded, error.to_string()).at("messages")
            }
            EngineError::InvalidRequest { param, message } => {
                Self::new(ErrorKind::InvalidValue, message).at(*param)
            }
            EngineError::Failed(_) => Self::internal(error),
            EngineError::ShuttingDown => Self::new(ErrorKind::Stopping, error.to_string()),
        }
    }
}

impl From<RagError> for ApiError {
    fn from(error: RagError) -> Self {
        let message = error.to_string();
        match error {
            RagError::Invalid { param, .. } => {
                Self::new(ErrorKind::InvalidValue, message).at(param)
            }
            RagError::PromptTooLong { param, .. } => {
                Self::new(ErrorKind::ContextLengthExceeded, message).at(param)
            }
            RagError::Prompt(_) => Self::internal(message),
            RagError::NotEmbedded => {
                Self::new(ErrorKind::Busy, message).retry_after(Duration::from_secs(10))
            }
            RagError::Engine(error) => error.into(),
            RagError::Retrieval(error) => error.into(),
        }
    }
}

impl From<RetrievalError> for ApiError {
    fn from(error: RetrievalError) -> Self {
        match &error {
            RetrievalError::Invalid { parameter, .. } => {
                Self::new(ErrorKind::InvalidValue, error.to_string()).at(*parameter)
            }
            RetrievalError::Busy => {
                Self::new(ErrorKind::Busy, error.to_string()).retry_after(Duration::from_secs(1))
            }
            _ => Self::internal(with_causes(&error)),
        }
    }
}

impl From<LibraryError> for ApiError {
    fn from(error: LibraryError) -> Self {
        let message = error.to_string();
        match error {
            LibraryError::NotFound { what: "file", .. } => {
                Self::new(ErrorKind::FileNotFound, message).at("file_id")
            }
            LibraryError::NotFound { .. } => {
                Self::new(ErrorKind::CollectionNotFound, message).at("vector_store_id")
            }
            LibraryError::Exists { .. } => Self::new(ErrorKind::InvalidValue, message).at("name"),
            LibraryError::Invalid { param, .. } => {
                Self::new(ErrorKind::InvalidValue, message).at(on_the_wire(param))
            }
            LibraryError::TooLarge { .. } => Self::new(ErrorKind::TooLarge, message).at("file"),
            LibraryError::StorageFull => Self::new(ErrorKind::StorageFull, message),
            LibraryError::Closed => Self::new(ErrorKind::Stopping, message),
            LibraryError::Index(error) => error.into(),
            LibraryError::Embedder(error) => error.into(),
            _ => Self::internal(with_causes(&error)),
        }
    }
}

impl From<FetchError> for ApiError {
    fn from(error: FetchError) -> Self {
        let kind = match error {
            FetchError::Refused(_) => ErrorKind::InvalidValue,
            FetchError::Failed(_) => ErrorKind::FetchFailed,
            FetchError::TooLarge => ErrorKind::TooLarge,
        };
        Self::new(kind, error.to_string()).at("url")
    }
}

/// What the wire calls a parameter of the library's.
fn on_the_wire(param: &'static str) -> &'static str {
    match param {
        "collection" => "vector_store_id",
        "filename" => "file",
        same => same,
    }
}

/// The message with those of its causes, for one line of the log.
fn with_causes(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        line.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    line
}
