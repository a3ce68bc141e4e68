//! A file in a collection, and how its indexing stands.

use crate::Attributes;

/// One file of one collection; `vector_store.file` on OpenAI's wire.
#[derive(Clone, Debug, PartialEq)]
pub struct Membership {
    /// The file.
    pub file_id: String,
    /// The file's name.
    pub filename: String,
    /// The collection.
    pub collection_id: String,
    /// How indexing stands.
    pub status: Status,
    /// Why it failed; set when the status is [`Status::Failed`].
    pub last_error: Option<LastError>,
    /// Seconds since 1970.
    pub created_at: i64,
    /// Bytes of text that can be searched; 0 until completed.
    pub usage_bytes: u64,
    /// The language of its text, as ISO 639's two letters, once it was read and where that can be
    /// told.
    pub language: Option<String>,
    /// What the user noted about it.
    pub attributes: Attributes,
}

/// How indexing a file stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Recorded durably; waiting or being indexed.
    InProgress,
    /// Searchable.
    Completed,
    /// Could not be read.
    Failed,
    /// Given up on request.
    Cancelled,
}

impl Status {
    /// Every status.
    pub const ALL: [Status; 4] = [
        Status::InProgress,
        Status::Completed,
        Status::Failed,
        Status::Cancelled,
    ];

    /// The word on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::InProgress => "in_progress",
            Status::Completed => "completed",
            Status::Failed => "failed",
            Status::Cancelled => "cancelled",
        }
    }

    /// The status of that word.
    pub fn parse(word: &str) -> Option<Status> {
        Status::ALL
            .into_iter()
            .find(|status| status.as_str() == word)
    }
}

/// Why a file could not be indexed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastError {
    /// The kind.
    pub code: ErrorCode,
    /// A sentence for people.
    pub message: String,
}

/// The kinds of failure OpenAI's wire knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// Our fault.
    ServerError,
    /// A kind of file that is not read.
    UnsupportedFile,
    /// A kind of file that is read, but this one is damaged, empty or too large.
    InvalidFile,
}

impl ErrorCode {
    const ALL: [ErrorCode; 3] = [
        ErrorCode::ServerError,
        ErrorCode::UnsupportedFile,
        ErrorCode::InvalidFile,
    ];

    /// The word on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorCode::ServerError => "server_error",
            ErrorCode::UnsupportedFile => "unsupported_file",
            ErrorCode::InvalidFile => "invalid_file",
        }
    }

    /// The code of that word; an unknown word is our own fault.
    pub(crate) fn parse(word: &str) -> ErrorCode {
        ErrorCode::ALL
            .into_iter()
            .find(|code| code.as_str() == word)
            .unwrap_or(ErrorCode::ServerError)
    }
}
