//! A named set of documents that are searched together.

use std::collections::BTreeMap;

use crate::LibraryError;

/// What users note about a collection: texts by name.
pub type Metadata = BTreeMap<String, String>;

/// As OpenAI has it: pairs, and characters of a name and of a text.
const MOST_METADATA: (usize, usize, usize) = (16, 64, 512);

/// The collection that always exists.
pub const DEFAULT_COLLECTION: &str = "default";

const MAX_NAME_CHARS: usize = 128;

/// A collection; `vector_store` on OpenAI's wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collection {
    /// "vs_" and 24 hexadecimal digits.
    pub id: String,
    /// The name, unique among collections.
    pub name: String,
    /// Seconds since 1970.
    pub created_at: i64,
    /// When its contents last changed, in seconds since 1970.
    pub last_active_at: i64,
    /// How its files stand.
    pub counts: FileCounts,
    /// Bytes of text that can be searched.
    pub usage_bytes: u64,
    /// What its users note about it.
    pub metadata: Metadata,
    /// Whether its index is being built again, so that searches find only a part of it, or what
    /// the index before it held.
    pub rebuilding: bool,
}

/// Files of a collection by status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileCounts {
    /// Waiting or being indexed.
    pub in_progress: u64,
    /// Searchable.
    pub completed: u64,
    /// Could not be read.
    pub failed: u64,
    /// Given up on request.
    pub cancelled: u64,
    /// All of them.
    pub total: u64,
}

/// Refuses more metadata than a collection takes.
pub(crate) fn check_metadata(metadata: &Metadata) -> Result<(), LibraryError> {
    let (pairs, name, text) = MOST_METADATA;
    let fits = |(key, value): (&String, &String)| {
        (1..=name).contains(&key.chars().count()) && value.chars().count() <= text
    };
    if metadata.len() <= pairs && metadata.iter().all(fits) {
        return Ok(());
    }
    Err(LibraryError::Invalid {
        param: "metadata",
        message: format!(
            "metadata takes at most {pairs} texts of {text} characters under names of {name}"
        ),
    })
}

/// The name as it may be stored. It must not look like an id, so that a name and an id can
/// be given in the same place.
pub(crate) fn checked_name(name: &str) -> Result<&str, LibraryError> {
    let name = name.trim();
    let chars = name.chars().count();
    let message = if chars == 0 || chars > MAX_NAME_CHARS {
        format!("the name of a collection has 1 to {MAX_NAME_CHARS} characters")
    } else if name.chars().any(char::is_control) {
        "the name of a collection has no control characters".to_string()
    } else if name.starts_with("vs_") {
        "the name of a collection does not begin with `vs_`".to_string()
    } else {
        return Ok(name);
    };
    Err(LibraryError::Invalid {
        param: "name",
        message,
    })
}
