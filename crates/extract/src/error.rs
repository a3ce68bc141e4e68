//! Why a file gave no document.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Why a file gave no document. The messages are sentences for the person who brought the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum ExtractError {
    /// Nothing, white space or markup without words.
    #[error("the file holds no text")]
    Empty,

    /// Pages, but no text on them.
    #[error(
        "the {pages} pages of this file are pictures without text, as a scanner makes them; \
         run text recognition (OCR) on it first"
    )]
    Scanned {
        /// How many pages it has.
        pages: usize,
    },

    /// It cannot be read without its password.
    #[error("this file is protected by a password; save a copy without one")]
    Protected,

    /// A known kind of file that no reader exists for.
    #[error("this is {found}, which this version does not read yet")]
    Unsupported {
        /// What the content is, with its article: "a PNG image".
        found: Cow<'static, str>,
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

    /// A small file that unfolds into a huge one.
    #[error(
        "this file unpacks to more than {limit} bytes, or a part of it to over {ratio} times its \
         size; no document needs that"
    )]
    Bomb {
        /// Bytes allowed in all.
        limit: u64,
        /// Times that a part may grow.
        ratio: u64,
    },

    /// The content breaks the rules of its format where they cannot be bent.
    #[error("this is not valid {format}: {reason}")]
    Malformed {
        /// The format as people write it: "JSON".
        format: Cow<'static, str>,
        /// What is wrong and where.
        reason: String,
    },

    /// Its parser has a fault that this file meets.
    #[error(
        "this file made its reader crash and is probably damaged; open it in the program it comes \
         from and save it again"
    )]
    Crashed,

    /// It took too long, or for ever.
    #[error(
        "reading this file took more than {seconds} seconds; it is damaged, or should be split \
         into smaller files"
    )]
    TimedOut {
        /// The limit it reached first.
        seconds: u64,
    },

    /// It took too much memory.
    #[error(
        "reading this file needs more than {mebibytes} MiB of memory; it is damaged, or should be \
         split into smaller files"
    )]
    OutOfMemory {
        /// The limit.
        mebibytes: u64,
    },

    /// Parts within parts within parts.
    #[error("the parts of this file are nested too deeply to be read")]
    TooDeep,

    /// No child could be started to read it.
    #[error("the reader could not be started: {reason}")]
    Unavailable {
        /// What the system said.
        reason: String,
    },
}

impl ExtractError {
    /// The stable code for the wire: `"unsupported_file"` when another version might read the
    /// file, `"invalid_file"` when the file itself has to change, `"server_error"` when neither
    /// is at fault.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unsupported { .. } | Self::Binary => "unsupported_file",
            Self::Unavailable { .. } => "server_error",
            _ => "invalid_file",
        }
    }

    /// For `map_err`: what a parser says is wrong with a file of a format.
    pub(crate) fn malformed(format: &'static str, reason: impl ToString) -> Self {
        Self::Malformed {
            format: Cow::Borrowed(format),
            reason: reason.to_string(),
        }
    }
}
