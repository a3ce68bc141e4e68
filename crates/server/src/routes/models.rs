//! `GET /v1/models`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::input::InPath;
use crate::app::App;
use crate::error::{ApiError, ErrorKind};
use crate::wire::models::{ModelList, ModelObject};

/// `GET /v1/models`: what can be asked for, the default first.
pub(super) async fn list(State(app): State<Arc<App>>) -> Json<ModelList> {
    Json(ModelList::from(&app.models))
}

/// `GET /v1/models/{name}`; the name may hold slashes, as those of Hugging Face do.
pub(super) async fn retrieve(
    State(app): State<Arc<App>>,
    InPath(name): InPath<String>,
) -> Result<Json<ModelObject>, ApiError> {
    let model = app
        .models
        .get(&name)
        .ok_or_else(|| unknown_model(&app, &name))?;
    Ok(Json(ModelObject::new(model, &app.models)))
}

/// The refusal of a model that is not served, with the names of those that are.
pub(crate) fn unknown_model(app: &App, name: &str) -> ApiError {
    let served: Vec<_> = app
        .models
        .iter()
        .map(|model| model.info.name.as_str())
        .collect();
    let served = served.join(", ");
    let message = format!("no model is called '{name}'; this server has: {served}");
    ApiError::new(ErrorKind::ModelNotFound, message).at("model")
}
