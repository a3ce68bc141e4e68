//! What can go wrong in a search index, in this crate's own words.

use std::error::Error;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum RetrievalError {
    /// The caller asked for something impossible; nothing was changed.
    #[error("invalid {parameter}: {reason}")]
    Invalid {
        /// The name of the offending value, as in [`crate::Query`].
        parameter: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The index on disk cannot be used: truncated, foreign, or written by another version.
    /// Nothing in it is unique, so the answer is to empty the directory and index again.
    #[error("the search index is damaged: {reason}")]
    Damaged {
        /// What was found.
        reason: String,
    },
    /// Another index object, here or in another process, is writing to the same directory.
    #[error("the search index is being written by somebody else")]
    Busy,
    /// Reading or writing failed: full disk, missing permission, broken device.
    /// The last committed state is untouched and the call may be repeated.
    #[error("the search index could not be read or written")]
    Storage(#[source] Box<dyn Error + Send + Sync>),
}
