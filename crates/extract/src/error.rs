//! Why a file gave no document.

/// Why a file gave no document. The messages are sentences for the person who brought the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExtractError {
    /// Nothing, white space or markup without words.
    #[error("the file holds no text")]
    Empty,

    /// A known kind of file that no reader exists for.
    #[error("this is {found}, which this version does not read yet")]
    Unsupported {
        /// What the content is, with its article: "a PDF document".
        found: &'static str,
    },

    /// Not text, and of no kind we know.
    #[error("this is binary data of an unknown kind, not text")]
    Binary,

    /// More text than a document may have.
    #[error("the text of this file is longer than {limit} bytes; split it into smaller files")]
    TooLarge {
        /// Bytes of UTF-8 allowed.
        limit: usize,
    },

    /// The content breaks the rules of its format where they cannot be bent.
    #[error("this is not valid {format}: {reason}")]
    Malformed {
        /// The format as people write it: "JSON".
        format: &'static str,
        /// What is wrong and where.
        reason: String,
    },
}

impl ExtractError {
    /// The stable code for the wire: `"unsupported_file"` when another version might read the
    /// file, `"invalid_file"` when the file itself has to change.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unsupported { .. } | Self::Binary => "unsupported_file",
            Self::Empty | Self::TooLarge { .. } | Self::Malformed { .. } => "invalid_file",
        }
    }
}
