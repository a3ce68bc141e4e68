//! `file` objects.

use library::{File, Purged};
use serde::Serialize;

use super::list::Identified;

/// How what a reply tells of is kept: synced to the disk before the reply was sent.
pub(crate) const FSYNC: &str = "fsync";

/// A file as it was uploaded.
#[derive(Serialize)]
pub(crate) struct FileObject {
    id: String,
    object: &'static str,
    bytes: u64,
    created_at: i64,
    filename: String,
    purpose: String,
    /// OpenAI keeps this field for old clients; a stored file is always ready to attach.
    status: &'static str,
    durability: &'static str,
}

/// The reply to a deletion or a detachment.
#[derive(Serialize)]
pub(crate) struct Deleted {
    id: String,
    object: &'static str,
    deleted: bool,
    durability: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    purged: Option<PurgedObject>,
}

/// What went with a deleted file.
#[derive(Serialize)]
struct PurgedObject {
    bytes: u64,
    text_bytes: u64,
    passages: u64,
    answers: u64,
    vector_store_ids: Vec<String>,
    cached_bytes: usize,
}

impl Deleted {
    /// `object` is gone, the one with this id.
    pub(crate) fn new(object: &'static str, id: String) -> Self {
        Self {
            id,
            object,
            deleted: true,
            durability: FSYNC,
            purged: None,
        }
    }

    /// Says what went with it, and so many bytes that models had kept of prompts.
    pub(crate) fn with(mut self, purged: Purged, cached_bytes: usize) -> Self {
        self.purged = Some(PurgedObject {
            bytes: purged.bytes,
            text_bytes: purged.text_bytes,
            passages: purged.passages,
            answers: purged.answers,
            vector_store_ids: purged.collections,
            cached_bytes,
        });
        self
    }
}

impl From<&File> for FileObject {
    fn from(file: &File) -> Self {
        Self {
            id: file.id.clone(),
            object: "file",
            bytes: file.bytes,
            created_at: file.created_at,
            filename: file.filename.clone(),
            purpose: file.purpose.clone(),
            status: "processed",
            durability: FSYNC,
        }
    }
}

impl Identified for FileObject {
    fn id(&self) -> &str {
        &self.id
    }
}
