//! `/v1/vector_stores/{collection}/files`: the files of a collection, and their status.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use library::{Attributes, Content, Membership, NewFile};

use super::body::has_content_type;
use super::files::unknown_file;
use super::form::{DEFAULT_PURPOSE, FORM, Upload};
use super::input::{InPath, InQuery, JsonBody};
use super::off_thread::off_thread;
use crate::app::App;
use crate::error::{ApiError, ErrorKind};
use crate::wire::files::Deleted;
use crate::wire::list::{ListLimits, ListObject, ListQuery};
use crate::wire::vector_stores::{
    AttachRequest, Attached, VectorStoreFileObject, parse_attributes, read_status, read_update,
};

/// `POST`: attaches a stored file or what is at a URL (JSON), or uploads and attaches one in one call (a form).
pub(super) async fn attach(
    State(app): State<Arc<App>>,
    InPath(collection): InPath<String>,
    request: Request,
) -> Result<Json<VectorStoreFileObject>, ApiError> {
    let membership = match has_content_type(request.headers(), FORM) {
        true => attach_upload(app, collection, request).await?,
        false => attach_stored(app, collection, request).await?,
    };
    Ok(Json(VectorStoreFileObject::from(&membership)))
}

async fn attach_stored(
    app: Arc<App>,
    collection: String,
    request: Request,
) -> Result<Membership, ApiError> {
    let body = JsonBody::read(request, &app).await?;
    let AttachRequest { what, attributes } = AttachRequest::read(&body.object())?;
    let file_id = match what {
        Attached::File(file_id) => file_id,
        Attached::Url(url) => return attach_fetched(app, collection, &url, attributes).await,
    };
    off_thread(move || Ok(app.library.attach(&collection, &file_id, attributes)?)).await
}

/// Gets what is at a URL, and attaches it in place of what was there the last time.
async fn attach_fetched(
    app: Arc<App>,
    collection: String,
    url: &str,
    attributes: Attributes,
) -> Result<Membership, ApiError> {
    let fetcher = app.fetcher.as_ref().ok_or_else(|| {
        let message = "this server fetches nothing: set 'enabled = true' in the section [fetch] of \
                       its configuration, or upload the file";
        ApiError::new(ErrorKind::UnsupportedParameter, message).at("url")
    })?;
    // Before anything is asked of others.
    let library = app.library.clone();
    let wanted = collection.clone();
    off_thread(move || Ok(library.index(&wanted)?)).await?;
    let fetched = fetcher.fetch(url).await?;
    let file = NewFile {
        filename: fetched.filename,
        purpose: DEFAULT_PURPOSE.to_owned(),
        source: Some(format!("upload:{}", fetched.url)),
        content: Content::Bytes(fetched.bytes),
    };
    off_thread(move || Ok(app.library.add_to(&collection, file, &attributes)?)).await
}

async fn attach_upload(
    app: Arc<App>,
    collection: String,
    request: Request,
) -> Result<Membership, ApiError> {
    let upload = Upload::read(request, &app).await?;
    let attributes = upload
        .attributes
        .as_deref()
        .map(parse_attributes)
        .transpose()?;
    let attributes = attributes.unwrap_or_default();
    off_thread(move || Ok(app.library.add_to(&collection, upload.file, &attributes)?)).await
}

/// `GET`: the files, all or those of one status.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    InPath(collection): InPath<String>,
    InQuery(query): InQuery<ListQuery>,
) -> Result<Json<ListObject<VectorStoreFileObject>>, ApiError> {
    let page = query.page(&ListLimits::VECTOR_STORES)?;
    let status = query.filter.as_deref().map(read_status).transpose()?;
    let memberships = move || Ok(app.library.memberships(&collection, status, &page)?);
    let listing = off_thread(memberships).await?;
    Ok(Json(ListObject::new(&listing)))
}

/// `GET …/{file}`: one file and its status.
pub(super) async fn retrieve(
    State(app): State<Arc<App>>,
    InPath((collection, file_id)): InPath<(String, String)>,
) -> Result<Json<VectorStoreFileObject>, ApiError> {
    let wanted = file_id.clone();
    let membership = move || Ok(app.library.membership(&collection, &wanted)?);
    let membership = off_thread(membership).await?;
    let membership = membership.ok_or_else(|| unknown_file(&file_id))?;
    Ok(Json(VectorStoreFileObject::from(&membership)))
}

/// `POST …/{file}`: replaces the file's attributes.
pub(super) async fn update(
    State(app): State<Arc<App>>,
    InPath((collection, file_id)): InPath<(String, String)>,
    body: JsonBody,
) -> Result<Json<VectorStoreFileObject>, ApiError> {
    let attributes = read_update(&body.object())?;
    let wanted = file_id.clone();
    let update = move || {
        let library = &app.library;
        Ok(library.set_attributes(&collection, &wanted, &attributes)?)
    };
    let membership = off_thread(update).await?;
    let membership = membership.ok_or_else(|| unknown_file(&file_id))?;
    Ok(Json(VectorStoreFileObject::from(&membership)))
}

/// `DELETE …/{file}`: takes the file out of the collection; the file itself stays.
pub(super) async fn detach(
    State(app): State<Arc<App>>,
    InPath((collection, file_id)): InPath<(String, String)>,
) -> Result<Json<Deleted>, ApiError> {
    let unwanted = file_id.clone();
    match off_thread(move || Ok(app.library.detach(&collection, &unwanted)?)).await? {
        true => Ok(Json(Deleted::new("vector_store.file.deleted", file_id))),
        false => Err(unknown_file(&file_id)),
    }
}
