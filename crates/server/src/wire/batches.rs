//! `vector_store.files_batch` objects: files that were attached in one call.

use library::{Batch, BatchFile, MAX_BATCH_FILES};
use serde::Serialize;

use super::files::FSYNC;
use super::place::{Object, Place};
use super::vector_stores::{FileCountsObject, read_attributes};
use crate::error::{ApiError, ErrorKind};

/// A batch and how its files stand.
#[derive(Serialize)]
pub(crate) struct BatchObject {
    id: String,
    object: &'static str,
    created_at: i64,
    vector_store_id: String,
    status: &'static str,
    file_counts: FileCountsObject,
    durability: &'static str,
}

/// Reads the body of `POST /v1/vector_stores/{id}/file_batches`: `file_ids` with `attributes`
/// for all of them, or `files` with attributes for each.
pub(crate) fn read_batch(body: &Object<'_>) -> Result<Vec<BatchFile>, ApiError> {
    if let Some(place) = body.get("chunking_strategy") {
        let why = "is not supported; passages are cut as the configuration says";
        return Err(place.refuse(ErrorKind::UnsupportedParameter, why));
    }
    let files = body.get("files");
    let Some(place) = files else {
        let attributes = body.optional("attributes", read_attributes)?;
        let attributes = attributes.unwrap_or_default();
        let file_ids = body.require("file_ids")?;
        let read = |id: &Place<'_>| -> Result<BatchFile, ApiError> {
            Ok(BatchFile {
                file_id: id.string()?.to_owned(),
                attributes: attributes.clone(),
            })
        };
        return items(&file_ids)?.iter().map(read).collect();
    };
    for field in ["file_ids", "attributes"] {
        if let Some(place) = body.get(field) {
            let why = "cannot be given together with 'files'";
            return Err(place.refuse(ErrorKind::InvalidValue, why));
        }
    }
    items(&place)?.iter().map(read_file).collect()
}

fn read_file(place: &Place<'_>) -> Result<BatchFile, ApiError> {
    let file = place.object()?;
    Ok(BatchFile {
        file_id: file.require("file_id")?.string()?.to_owned(),
        attributes: file
            .optional("attributes", read_attributes)?
            .unwrap_or_default(),
    })
}

fn items<'a>(place: &Place<'a>) -> Result<Vec<Place<'a>>, ApiError> {
    let items = place.items()?;
    if !(1..=MAX_BATCH_FILES).contains(&items.len()) {
        let why = format!("must hold 1 to {MAX_BATCH_FILES} files");
        return Err(place.refuse(ErrorKind::InvalidValue, why));
    }
    Ok(items)
}

impl From<&Batch> for BatchObject {
    fn from(batch: &Batch) -> Self {
        Self {
            id: batch.id.clone(),
            object: "vector_store.files_batch",
            created_at: batch.created_at,
            vector_store_id: batch.collection_id.clone(),
            status: batch.status().as_str(),
            file_counts: FileCountsObject::from(&batch.counts),
            durability: FSYNC,
        }
    }
}
