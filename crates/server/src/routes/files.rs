//! `/v1/files`: what was uploaded, and its text.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::IntoResponse;

use super::content::Parts;
use super::form::Upload;
use super::input::{InPath, InQuery};
use super::off_thread::off_thread;
use crate::app::App;
use crate::error::{ApiError, ErrorKind};
use crate::wire::files::{Deleted, FileObject};
use crate::wire::list::{ListLimits, ListObject, ListQuery};

/// `POST /v1/files`: stores a file without attaching it to a collection.
pub(super) async fn upload(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<FileObject>, ApiError> {
    let upload = Upload::read(request, &app).await?;
    let file = off_thread(move || Ok(app.library.add_file(upload.file)?)).await?;
    Ok(Json(FileObject::from(&file)))
}

/// `GET /v1/files`.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    InQuery(query): InQuery<ListQuery>,
) -> Result<Json<ListObject<FileObject>>, ApiError> {
    if query.purpose.is_some() {
        let message = "'purpose' is not supported here; the list holds files of every purpose";
        return Err(ApiError::new(ErrorKind::UnsupportedParameter, message).at("purpose"));
    }
    let page = query.page(&ListLimits::FILES)?;
    let listing = off_thread(move || Ok(app.library.files(&page)?)).await?;
    Ok(Json(ListObject::new(&listing)))
}

/// `GET /v1/files/{id}`.
pub(super) async fn retrieve(
    State(app): State<Arc<App>>,
    InPath(id): InPath<String>,
) -> Result<Json<FileObject>, ApiError> {
    let wanted = id.clone();
    let file = off_thread(move || Ok(app.library.file(&wanted)?)).await?;
    let file = file.ok_or_else(|| unknown_file(&id))?;
    Ok(Json(FileObject::from(&file)))
}

/// `DELETE /v1/files/{id}`: its bytes, its text, and its place in every collection.
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    InPath(id): InPath<String>,
) -> Result<Json<Deleted>, ApiError> {
    let unwanted = id.clone();
    let deleted = off_thread(move || {
        let cached = app.models.cached_bytes();
        let purged = app.library.delete_file(&unwanted)?;
        Ok((purged, cached.saturating_sub(app.models.cached_bytes())))
    });
    match deleted.await? {
        (Some(purged), cached) => Ok(Json(Deleted::new("file", id).with(purged, cached))),
        (None, _) => Err(unknown_file(&id)),
    }
}

/// `GET /v1/files/{id}/content`: the bytes as they were uploaded. They come from anyone, so a
/// browser is told to keep them rather than to show them.
pub(super) async fn content(
    State(app): State<Arc<App>>,
    InPath(id): InPath<String>,
) -> Result<impl IntoResponse, ApiError> {
    let (library, wanted) = (app.library.clone(), id.clone());
    let first = off_thread(move || {
        let file = library.file(&wanted)?;
        let first = library.content_part(&wanted, 0)?;
        Ok(file.zip(first))
    });
    let (file, first) = first.await?.ok_or_else(|| unknown_file(&id))?;
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, "attachment".to_owned()),
        (header::CONTENT_LENGTH, file.bytes.to_string()),
    ];
    Ok((headers, Body::from_stream(Parts::new(&app, id, first))))
}

/// `GET /v1/files/{id}/text`: the text that all spans refer to.
pub(super) async fn text(
    State(app): State<Arc<App>>,
    InPath(id): InPath<String>,
) -> Result<impl IntoResponse, ApiError> {
    let text = off_thread(move || {
        if let Some(document) = app.library.document(&id)? {
            return Ok(document.text);
        }
        let exists = app.library.file(&id)?.is_some();
        Err(if exists {
            no_text(&id)
        } else {
            unknown_file(&id)
        })
    });
    Ok((
        [(header::CONTENT_TYPE, "text/plain; charset=utf-8")],
        text.await?,
    ))
}

/// The refusal of a file that is not there.
pub(super) fn unknown_file(id: &str) -> ApiError {
    ApiError::new(
        ErrorKind::FileNotFound,
        format!("no file has the id '{id}'"),
    )
    .at("file_id")
}

fn no_text(id: &str) -> ApiError {
    let message = format!(
        "the text of '{id}' has not been extracted; attach the file to a collection and wait \
         until its status there is \"completed\""
    );
    ApiError::new(ErrorKind::FileNotFound, message).at("file_id")
}
