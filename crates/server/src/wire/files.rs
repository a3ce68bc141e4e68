//! `file` objects.

use library::File;
use serde::Serialize;

use super::list::Identified;

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
}

/// The reply to a deletion or a detachment.
#[derive(Serialize)]
pub(crate) struct Deleted {
    id: String,
    object: &'static str,
    deleted: bool,
}

impl Deleted {
    /// `object` is gone, the one with this id.
    pub(crate) fn new(object: &'static str, id: String) -> Self {
        Self {
            id,
            object,
            deleted: true,
        }
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
        }
    }
}

impl Identified for FileObject {
    fn id(&self) -> &str {
        &self.id
    }
}
