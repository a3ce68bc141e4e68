//! All routes in one list. Each handler parses, calls, and replies; the work is elsewhere.

mod answers;
mod attention;
mod base_url;
mod batches;
mod body;
mod chat;
mod content;
mod embeddings;
mod events;
mod files;
mod form;
mod health;
mod home;
mod input;
mod middleware;
mod models;
mod off_thread;
mod rerank;
mod responses;
mod search;
mod vector_store_files;
mod vector_stores;

use std::sync::Arc;

use axum::Router;
use axum::extract::OriginalUri;
use axum::http::Method;
use axum::routing::{get, post};

use crate::app::App;
use crate::error::{ApiError, ErrorKind};

pub(crate) use models::unknown_model;

/// The whole HTTP interface over `app`.
pub fn router(app: Arc<App>) -> Router {
    let routes = Router::new()
        .route("/", get(home::show))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/v1/chat/completions", post(chat::complete))
        .route("/v1/answers", get(answers::list))
        .route(
            "/v1/answers/{id}",
            get(answers::retrieve).delete(answers::delete),
        )
        .route("/v1/answers/{id}/replay", post(answers::replay))
        .route("/v1/answers/{id}/signed", get(answers::signed))
        .route("/.well-known/jwks.json", get(answers::public_keys))
        .route("/v1/responses", post(responses::create))
        .route("/v1/embeddings", post(embeddings::embed))
        .route("/v1/rerank", post(rerank::rerank))
        .route("/v1/attention", post(attention::show))
        .route("/v1/models", get(models::list))
        .route("/v1/models/{*name}", get(models::retrieve))
        .route("/v1/files", get(files::list).post(files::upload))
        .route(
            "/v1/files/{file}",
            get(files::retrieve).delete(files::delete),
        )
        .route("/v1/files/{file}/content", get(files::content))
        .route("/v1/files/{file}/text", get(files::text))
        .route(
            "/v1/vector_stores",
            get(vector_stores::list).post(vector_stores::create),
        )
        .route(
            "/v1/vector_stores/{collection}",
            get(vector_stores::retrieve)
                .post(vector_stores::modify)
                .delete(vector_stores::delete),
        )
        .route(
            "/v1/vector_stores/{collection}/search",
            post(search::search),
        )
        .route(
            "/v1/vector_stores/{collection}/files",
            get(vector_store_files::list).post(vector_store_files::attach),
        )
        .route(
            "/v1/vector_stores/{collection}/files/{file}",
            get(vector_store_files::retrieve)
                .post(vector_store_files::update)
                .delete(vector_store_files::detach),
        )
        .route("/v1/vector_stores/{collection}/events", get(events::follow))
        .route(
            "/v1/vector_stores/{collection}/file_batches",
            post(batches::create),
        )
        .route(
            "/v1/vector_stores/{collection}/file_batches/{batch}",
            get(batches::retrieve),
        )
        .route(
            "/v1/vector_stores/{collection}/file_batches/{batch}/cancel",
            post(batches::cancel),
        )
        .route(
            "/v1/vector_stores/{collection}/file_batches/{batch}/files",
            get(batches::files),
        )
        .fallback(unknown_route)
        .method_not_allowed_fallback(wrong_method)
        .with_state(app);
    middleware::around(routes)
}

async fn unknown_route(method: Method, OriginalUri(uri): OriginalUri) -> ApiError {
    let message = format!(
        "there is no {method} {}; GET / lists what there is",
        uri.path()
    );
    ApiError::new(ErrorKind::UnknownRoute, message)
}

async fn wrong_method(method: Method, OriginalUri(uri): OriginalUri) -> ApiError {
    let message = format!("{} does not take {method}", uri.path());
    ApiError::new(ErrorKind::MethodNotAllowed, message)
}
