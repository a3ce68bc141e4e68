//! Extractors whose refusals have OpenAI's shape.

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::body::{check_declared_size, has_content_type, read, wrong_content_type};
use crate::app::App;
use crate::error::{ApiError, ErrorKind};
use crate::wire::place::{Object, parse_object};

/// The content type of every body that is not an upload.
const JSON: &str = "application/json";

/// A body that is one JSON object.
pub(super) struct JsonBody(Map<String, Value>);

/// The parameters of the path.
pub(super) struct InPath<T>(pub(super) T);

/// The query string.
pub(super) struct InQuery<T>(pub(super) T);

impl JsonBody {
    /// The object, to be read field by field.
    pub(super) fn object(&self) -> Object<'_> {
        Object::root(&self.0)
    }

    /// The object itself.
    pub(super) fn into_fields(self) -> Map<String, Value> {
        self.0
    }

    /// Reads the body of `request`.
    pub(super) async fn read(request: Request, app: &App) -> Result<Self, ApiError> {
        if !has_content_type(request.headers(), JSON) {
            return Err(wrong_content_type(JSON));
        }
        let (limit, stall) = (app.limits.json_body_bytes, app.limits.stall);
        let request = check_declared_size(request, limit, stall).await?;
        let bytes = read(request.into_body(), limit, stall).await?;
        Ok(Self(parse_object(&bytes)?))
    }
}

impl FromRequest<Arc<App>> for JsonBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, ApiError> {
        Self::read(request, app).await
    }
}

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<App>> for InPath<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let path = Path::from_request_parts(parts, app).await;
        let Path(parameters) = path.map_err(|error| {
            ApiError::new(
                ErrorKind::InvalidValue,
                format!("the path: {}", error.body_text()),
            )
        })?;
        Ok(Self(parameters))
    }
}

impl<T: DeserializeOwned> FromRequestParts<Arc<App>> for InQuery<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let query = Query::from_request_parts(parts, app).await;
        let Query(parameters) = query.map_err(|error| {
            let message = format!("the query string: {}", error.body_text());
            ApiError::new(ErrorKind::InvalidValue, message)
        })?;
        Ok(Self(parameters))
    }
}
