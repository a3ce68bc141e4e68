//! `/v1/vector_stores`: our collections, by id or by name.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use library::Metadata;

use super::input::{InPath, InQuery, JsonBody};
use super::off_thread::off_thread;
use crate::answering::PROFILE;
use crate::app::App;
use crate::error::{ApiError, ErrorKind};
use crate::wire::files::Deleted;
use crate::wire::list::{ListLimits, ListObject, ListQuery};
use crate::wire::vector_stores::{CreateRequest, VectorStoreObject, read_modification};

/// `POST /v1/vector_stores`.
pub(super) async fn create(
    State(app): State<Arc<App>>,
    body: JsonBody,
) -> Result<Json<VectorStoreObject>, ApiError> {
    let request = CreateRequest::read(&body.object())?;
    check_profile(&app, &request.metadata)?;
    let create = move || {
        let collection = app.library.create_collection(&request.name)?;
        if request.metadata.is_empty() {
            return Ok(collection);
        }
        Ok(app
            .library
            .set_metadata(&collection.id, &request.metadata)?)
    };
    let collection = off_thread(create).await?;
    Ok(Json(VectorStoreObject::from(&collection)))
}

/// `POST /v1/vector_stores/{collection}`: other metadata.
pub(super) async fn modify(
    State(app): State<Arc<App>>,
    InPath(name): InPath<String>,
    body: JsonBody,
) -> Result<Json<VectorStoreObject>, ApiError> {
    let metadata = read_modification(&body.object())?;
    check_profile(&app, &metadata)?;
    let set = move || Ok(app.library.set_metadata(&name, &metadata)?);
    let collection = off_thread(set).await?;
    Ok(Json(VectorStoreObject::from(&collection)))
}

/// A profile must be one that there is.
fn check_profile(app: &App, metadata: &Metadata) -> Result<(), ApiError> {
    let Some(wanted) = metadata.get(PROFILE) else {
        return Ok(());
    };
    let names = app.profiles.iter().map(|profile| profile.name.as_str());
    let names = names.collect::<Vec<_>>();
    if names.contains(&wanted.as_str()) {
        return Ok(());
    }
    let message = format!(
        "no profile is called '{wanted}'; this server has: {}",
        names.join(", ")
    );
    Err(ApiError::new(ErrorKind::InvalidValue, message).at("metadata.profile"))
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
