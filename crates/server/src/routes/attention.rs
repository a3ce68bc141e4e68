//! `POST /v1/attention`: which token of a short text attends to which.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::input::JsonBody;
use super::models::unknown_model;
use super::off_thread::off_thread;
use crate::app::App;
use crate::error::ApiError;
use crate::wire::attention::{AttentionBody, AttentionObject};

/// Reads the text and tells the weights. They can be many megabytes, so they are written where
/// writing them holds up nobody.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    body: JsonBody,
) -> Result<Response, ApiError> {
    let body = AttentionBody::read(&body.object(), &app.limits)?;
    let model = app.models.get(&body.model);
    let model = model.ok_or_else(|| unknown_model(&app, &body.model))?;
    let (engine, name) = (model.engine.clone(), model.info.name.clone());
    off_thread(move || {
        let inside = engine.inside()?;
        let attention = inside.attention(&body.request)?;
        let object = AttentionObject::new(name, inside.anatomy(), attention, body.value_norms);
        Ok(Json(object).into_response())
    })
    .await
}
