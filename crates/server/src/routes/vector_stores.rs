//! `/v1/vector_stores`: our collections, by id or by name.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::input::{InPath, InQuery, JsonBody};
use super::off_thread::off_thread;
use crate::app::App;
use crate::error::{ApiError, ErrorKind};
use crate::wire::files::Deleted;
use crate::wire::list::{ListLimits, ListObject, ListQuery};
use crate::wire::vector_stores::{CreateRequest, VectorStoreObject};

/// `POST /v1/vector_stores`.
pub(super) async fn create(
    State(app): State<Arc<App>>,
    body: JsonBody,
) -> Result<Json<VectorStoreObject>, ApiError> {
    let request = CreateRequest::read(&body.object())?;
    let collection = off_thread(move || Ok(app.library.create_collection(&request.name)?)).await?;
    Ok(Json(VectorStoreObject::from(&collection)))
}

/// `GET /v1/vector_stores`.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    InQuery(query): InQuery<ListQuery>,
) -> Result<Json<ListObject<VectorStoreObject>>, ApiError> {
    let page = query.page(&ListLimits::VECTOR_STORES)?;
    let listing = off_thread(move || Ok(app.library.collections(&page)?)).await?;
    Ok(Json(ListObject::new(&listing)))
}

/// `GET /v1/vector_stores/{collection}`.
pub(super) async fn retrieve(
    State(app): State<Arc<App>>,
    InPath(name): InPath<String>,
) -> Result<Json<VectorStoreObject>, ApiError> {
    let wanted = name.clone();
    let object = off_thread(move || {
        let collection = app.library.collection(&wanted)?;
        let collection = collection.ok_or_else(|| unknown_collection(&name))?;
        let status = app.library.vector_status(&collection.id)?;
        Ok(VectorStoreObject::from(&collection).with_embedding(status))
    });
    Ok(Json(object.await?))
}

/// `DELETE /v1/vector_stores/{collection}`: the collection; its files stay.
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    InPath(name): InPath<String>,
) -> Result<Json<Deleted>, ApiError> {
    let unwanted = name.clone();
    match off_thread(move || Ok(app.library.delete_collection(&unwanted)?)).await? {
        true => Ok(Json(Deleted::new("vector_store.deleted", name))),
        false => Err(unknown_collection(&name)),
    }
}

/// The refusal of a collection that is not there.
pub(super) fn unknown_collection(name: &str) -> ApiError {
    let message = format!("no collection has the id or name '{name}'");
    ApiError::new(ErrorKind::CollectionNotFound, message).at("vector_store_id")
}
