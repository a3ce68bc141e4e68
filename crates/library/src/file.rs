//! What was uploaded or found: bytes with a name.

use crate::store::files::{Digest, Record};
use crate::{Content, LibraryError};

const MAX_FILENAME_CHARS: usize = 255;
const MAX_PURPOSE_CHARS: usize = 64;

/// A file in the library. Its bytes are at [`Library::content`](crate::Library::content).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// "file-" and 24 hexadecimal digits.
    pub id: String,
    /// The name without control characters; may hold folders, as in "guide/intro.md".
    pub filename: String,
    /// What the uploader said it is for, in OpenAI's words: "assistants", "user_data".
    pub purpose: String,
    /// The size.
    pub bytes: u64,
    /// Seconds since 1970.
    pub created_at: i64,
    /// Where it was found: an absolute path, or "example:NAME" for what the binary brings
    /// along, or "upload:NAME" for an upload that replaces earlier ones of its name. `None`
    /// for any other upload.
    pub source: Option<String>,
}

/// A file to be added.
pub struct NewFile {
    /// See [`File::filename`]. At most 255 characters.
    pub filename: String,
    /// See [`File::purpose`]. At most 64 characters.
    pub purpose: String,
    /// The content, at most the configured size.
    pub content: Content,
    /// See [`File::source`]. In a collection, a file replaces an earlier one of its source.
    pub source: Option<String>,
}

impl NewFile {
    /// The file as it may be stored: name cleaned, sizes checked.
    pub(crate) fn checked(mut self, max_bytes: u64) -> Result<NewFile, LibraryError> {
        self.filename = clean_filename(&self.filename)?;
        if self.purpose.chars().count() > MAX_PURPOSE_CHARS {
            return Err(LibraryError::Invalid {
                param: "purpose",
                message: format!("the purpose has more than {MAX_PURPOSE_CHARS} characters"),
            });
        }
        let bytes = self.content.bytes();
        if bytes > max_bytes {
            return Err(LibraryError::TooLarge {
                bytes,
                limit: max_bytes,
            });
        }
        Ok(self)
    }

    /// What is recorded of it, with the digest of its content.
    pub(crate) fn record(&self, sha256: Digest) -> Record<'_> {
        Record {
            filename: &self.filename,
            purpose: &self.purpose,
            bytes: self.content.bytes(),
            sha256,
            source: self.source.as_deref(),
        }
    }
}

/// The name without what would disturb a terminal, a header or a prompt.
pub(crate) fn clean_filename(filename: &str) -> Result<String, LibraryError> {
    let cleaned: String = filename
        .chars()
        .filter(|&character| !is_disturbing(character))
        .collect();
    let cleaned = cleaned.trim();
    let chars = cleaned.chars().count();
    if chars == 0 || chars > MAX_FILENAME_CHARS {
        return Err(LibraryError::Invalid {
            param: "filename",
            message: format!("a file name has 1 to {MAX_FILENAME_CHARS} characters"),
        });
    }
    Ok(cleaned.to_string())
}

/// Control characters, and the marks that turn the direction of the text around them, with
/// which "exe.txt" can be made to look like "txt.exe".
fn is_disturbing(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{feff}')
}
