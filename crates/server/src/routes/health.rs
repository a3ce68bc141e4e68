//! For load balancers and supervisors.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use crate::app::{App, Stage};

/// `GET /healthz`: the process answers.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: the documents are indexed and the model is loaded.
pub(super) async fn ready(State(app): State<Arc<App>>) -> (StatusCode, &'static str) {
    match app.stage() {
        Stage::Starting => (StatusCode::SERVICE_UNAVAILABLE, "starting\n"),
        Stage::Ready => (StatusCode::OK, "ready\n"),
        Stage::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "stopping\n"),
    }
}
