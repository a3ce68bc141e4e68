//! `/v1/vector_stores/{collection}/file_batches`: many files attached in one call.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::input::{InPath, InQuery, JsonBody};
use super::off_thread::off_thread;
use crate::app::App;
use crate::error::{ApiError, ErrorKind};
use crate::wire::batches::{BatchObject, read_batch};
use crate::wire::list::{ListLimits, ListObject, ListQuery};
use crate::wire::vector_stores::{VectorStoreFileObject, read_status};

/// `POST`: attaches all files, or none when one of them is unknown.
pub(super) async fn create(
    State(app): State<Arc<App>>,
    InPath(collection): InPath<String>,
    body: JsonBody,
) -> Result<Json<BatchObject>, ApiError> {
    let files = read_batch(&body.object())?;
    let batch = off_thread(move || Ok(app.library.attach_batch(&collection, &files)?)).await?;
    Ok(Json(BatchObject::from(&batch)))
}

/// `GET …/{batch}`: how its files stand.
pub(super) async fn retrieve(
    State(app): State<Arc<App>>,
    InPath((collection, id)): InPath<(String, String)>,
) -> Result<Json<BatchObject>, ApiError> {
    let wanted = id.clone();
    let batch = off_thread(move || Ok(app.library.batch(&collection, &wanted)?)).await?;
    let batch = batch.ok_or_else(|| unknown_batch(&id))?;
    Ok(Json(BatchObject::from(&batch)))
}

/// `POST …/{batch}/cancel`: gives up the files that have not been read yet.
pub(super) async fn cancel(
    State(app): State<Arc<App>>,
    InPath((collection, id)): InPath<(String, String)>,
) -> Result<Json<BatchObject>, ApiError> {
    let unwanted = id.clone();
    let cancel = move || Ok(app.library.cancel_batch(&collection, &unwanted)?);
    let batch = off_thread(cancel).await?;
    let batch = batch.ok_or_else(|| unknown_batch(&id))?;
    Ok(Json(BatchObject::from(&batch)))
}

/// `GET …/{batch}/files`: its files, all or those of one status.
pub(super) async fn files(
    State(app): State<Arc<App>>,
    InPath((collection, id)): InPath<(String, String)>,
    InQuery(query): InQuery<ListQuery>,
) -> Result<Json<ListObject<VectorStoreFileObject>>, ApiError> {
    let page = query.page(&ListLimits::VECTOR_STORES)?;
    let status = query.filter.as_deref().map(read_status).transpose()?;
    let wanted = id.clone();
    let memberships = move || {
        let library = &app.library;
        Ok(library.batch_memberships(&collection, &wanted, status, &page)?)
    };
    let listing = off_thread(memberships).await?;
    let listing = listing.ok_or_else(|| unknown_batch(&id))?;
    Ok(Json(ListObject::new(&listing)))
}

fn unknown_batch(id: &str) -> ApiError {
    let message = format!("no batch of this collection has the id '{id}'");
    ApiError::new(ErrorKind::BatchNotFound, message).at("batch_id")
}
