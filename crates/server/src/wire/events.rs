//! What happens to the files of a collection, as JSON.

use library::{Collection, FileEvent};
use serde::Serialize;

use super::vector_stores::{LastErrorObject, VectorStoreObject};

/// How a collection stands.
#[derive(Serialize)]
pub(crate) struct CollectionEvent {
    r#type: &'static str,
    vector_store: VectorStoreObject,
}

/// How a file of a collection stands now: its `type` is `vector_store.file.` and a status, or
/// "removed".
#[derive(Serialize)]
pub(crate) struct FileEventObject {
    r#type: String,
    vector_store_id: String,
    file_id: String,
    filename: Option<String>,
    last_error: Option<LastErrorObject>,
}

impl CollectionEvent {
    pub(crate) fn new(collection: &Collection) -> Self {
        Self {
            r#type: "vector_store.updated",
            vector_store: VectorStoreObject::from(collection),
        }
    }
}

impl FileEventObject {
    pub(crate) fn new(event: &FileEvent) -> Self {
        let status = event.status.map_or("removed", |status| status.as_str());
        Self {
            r#type: format!("vector_store.file.{status}"),
            vector_store_id: event.collection_id.clone(),
            file_id: event.file_id.clone(),
            filename: event.filename.clone(),
            last_error: event.last_error.as_ref().map(LastErrorObject::from),
        }
    }
}
