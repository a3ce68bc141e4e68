//! Every failure as a client sees it: OpenAI's error object, and one table of statuses.
//!
//! The policy: what the client can change is a 4xx that names the field (`param`) and says
//! what to do; what only we can change is a 5xx whose cause goes to the log, once, and not
//! to the client. 503 means that this server is busy; 429 is kept for limits of a key.

mod causes;

use std::fmt;
use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// A refused or failed request.
#[derive(Clone, Debug, thiserror::Error, PartialEq)]
#[error("{message}")]
pub(crate) struct ApiError {
    kind: ErrorKind,
    message: String,
    param: Option<String>,
    retry_after: Option<Duration>,
}

/// What kind of failure it is; [`ErrorKind::row`] says how it is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    /// The body is not JSON, or not a JSON object.
    InvalidJson,
    /// The body is not the multipart form it says it is.
    InvalidForm,
    /// The body broke off.
    IncompleteBody,
    /// A field holds another type than it must.
    InvalidType,
    /// A field's value is out of its range.
    InvalidValue,
    /// A required field is absent.
    MissingParameter,
    /// A standard field that this server cannot honour.
    UnsupportedParameter,
    /// The conversation leaves the model no room to answer.
    ContextLengthExceeded,
    /// No such model.
    ModelNotFound,
    /// No such file.
    FileNotFound,
    /// No such collection.
    CollectionNotFound,
    /// No such batch of files.
    BatchNotFound,
    /// No such answer is kept.
    AnswerNotFound,
    /// Answers are not signed here.
    NotSigned,
    /// What was asked and answered went with a deleted file.
    AnswerForgotten,
    /// No such route.
    UnknownRoute,
    /// The route exists, with other methods.
    MethodNotAllowed,
    /// The client stopped sending in the middle of a body.
    RequestTimeout,
    /// The body is larger than the limit.
    TooLarge,
    /// What a URL names could not be had.
    FetchFailed,
    /// The body's content type is not one the route reads.
    UnsupportedMediaType,
    /// A fault of ours.
    Internal,
    /// All places are taken for the moment.
    Busy,
    /// The server is stopping.
    Stopping,
    /// There is no room on the disk.
    StorageFull,
}

impl ErrorKind {
    /// The table: status, `type` and `code`.
    fn row(self) -> (u16, &'static str, &'static str) {
        const CLIENT: &str = "invalid_request_error";
        const SERVER: &str = "server_error";
        match self {
            Self::InvalidJson => (400, CLIENT, "invalid_json"),
            Self::InvalidForm => (400, CLIENT, "invalid_form"),
            Self::IncompleteBody => (400, CLIENT, "incomplete_body"),
            Self::InvalidType => (400, CLIENT, "invalid_type"),
            Self::InvalidValue => (400, CLIENT, "invalid_value"),
            Self::MissingParameter => (400, CLIENT, "missing_required_parameter"),
            Self::UnsupportedParameter => (400, CLIENT, "unsupported_parameter"),
            Self::ContextLengthExceeded => (400, CLIENT, "context_length_exceeded"),
            Self::ModelNotFound => (404, CLIENT, "model_not_found"),
            Self::FileNotFound => (404, CLIENT, "file_not_found"),
            Self::CollectionNotFound => (404, CLIENT, "collection_not_found"),
            Self::BatchNotFound => (404, CLIENT, "batch_not_found"),
            Self::AnswerNotFound => (404, CLIENT, "answer_not_found"),
            Self::NotSigned => (404, CLIENT, "not_signed"),
            Self::AnswerForgotten => (410, CLIENT, "answer_forgotten"),
            Self::UnknownRoute => (404, CLIENT, "unknown_url"),
            Self::MethodNotAllowed => (405, CLIENT, "method_not_allowed"),
            Self::RequestTimeout => (408, CLIENT, "request_timeout"),
            Self::TooLarge => (413, CLIENT, "request_too_large"),
            Self::UnsupportedMediaType => (415, CLIENT, "unsupported_media_type"),
            Self::FetchFailed => (422, CLIENT, "fetch_failed"),
            Self::Internal => (500, SERVER, "internal_error"),
            Self::Busy => (503, SERVER, "server_busy"),
            Self::Stopping => (503, SERVER, "server_stopping"),
            Self::StorageFull => (507, SERVER, "storage_full"),
        }
    }
}

impl ApiError {
    /// A failure of this kind; `message` is a sentence for the person who reads it.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            param: None,
            retry_after: None,
        }
    }

    /// Names the field at fault, such as `messages[2].content`.
    pub(crate) fn at(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    /// Names the field as another request calls it, if `rename` knows it.
    pub(crate) fn renamed(mut self, rename: fn(&str) -> Option<String>) -> Self {
        let renamed = self.param.as_deref().and_then(rename);
        if let (Some(param), Some(renamed)) = (&self.param, renamed) {
            // The message names it, too.
            self.message = self.message.replace(param.as_str(), &renamed);
            self.param = Some(renamed);
        }
        self
    }

    /// Says when to try again.
    pub(crate) fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// A fault of ours: the cause goes to the log, here and nowhere else.
    pub(crate) fn internal(cause: impl fmt::Display) -> Self {
        tracing::error!(%cause, "request failed");
        let message = "the server failed to answer this request; its log says why";
        Self::new(ErrorKind::Internal, message)
    }

    /// The error object, as the body of a reply or as an event in a stream.
    pub(crate) fn body(&self) -> Value {
        let (_, kind, code) = self.kind.row();
        json!({
            "error": {
                "message": self.message,
                "type": kind,
                "param": self.param,
                "code": code,
            }
        })
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, _, _) = self.kind.row();
        let status = StatusCode::from_u16(status).expect("the table holds statuses of HTTP");
        let mut response = (status, Json(self.body())).into_response();
        if let Some(wait) = self.retry_after {
            let seconds = wait.as_secs_f64().ceil().max(1.0) as u64;
            let headers = response.headers_mut();
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
