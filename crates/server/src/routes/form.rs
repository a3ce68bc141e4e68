//! Uploads: a multipart form with a part `file` and a few small fields.

use std::sync::Arc;

use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request};
use axum::http::StatusCode;
use library::{Content, NewFile, Received};

use super::body::{Patience, check_declared_size, has_content_type, too_large, wrong_content_type};
use super::off_thread::off_thread;
use crate::app::App;
use crate::error::{ApiError, ErrorKind};

/// The content type of forms with files.
pub(super) const FORM: &str = "multipart/form-data";

/// What a form's delimiters and small fields may add to the file.
const OVERHEAD_BYTES: usize = 1 << 20;

/// The most bytes of a field that is not the file, and the most fields.
const MAX_FIELD_BYTES: usize = 64 << 10;
const MAX_FIELDS: usize = 16;

/// What a file is for unless the form says; OpenAI's word for "anything".
pub(super) const DEFAULT_PURPOSE: &str = "user_data";

/// Bytes of a file that are held in memory before they go to the disk.
const BUFFER_BYTES: usize = 256 << 10;

/// An upload, its bytes on the disk.
pub(super) struct Upload {
    pub(super) file: NewFile,
    /// The field `attributes`, which holds JSON.
    pub(super) attributes: Option<String>,
}

/// The fields of a form that we know.
#[derive(Default)]
struct Fields {
    file: Option<NamedBytes>,
    purpose: Option<String>,
    attributes: Option<String>,
    replace: bool,
}

struct NamedBytes {
    filename: String,
    bytes: Received,
}

impl Upload {
    /// Reads the body of `request`.
    pub(super) async fn read(request: Request, app: &Arc<App>) -> Result<Self, ApiError> {
        if !has_content_type(request.headers(), FORM) {
            return Err(wrong_content_type(FORM));
        }
        let limit = app.limits.upload_bytes + OVERHEAD_BYTES;
        let mut request = check_declared_size(request, limit, app.limits.stall).await?;
        DefaultBodyLimit::max(limit).apply(&mut request);
        let multipart = Multipart::from_request(request, &()).await;
        let multipart = multipart.map_err(|error| invalid_form(&error.body_text()))?;
        let patience = Patience::new(app.limits.stall);
        let fields = Form { app, patience }.read(multipart).await?;
        let missing = || {
            let message = "'file' is required: send the file as a part of the form";
            ApiError::new(ErrorKind::MissingParameter, message).at("file")
        };
        let file = fields.file.ok_or_else(missing)?;
        Ok(Self {
            file: NewFile {
                source: fields.replace.then(|| format!("upload:{}", file.filename)),
                filename: file.filename,
                purpose: fields.purpose.unwrap_or_else(|| DEFAULT_PURPOSE.to_owned()),
                content: Content::Received(file.bytes),
            },
            attributes: fields.attributes,
        })
    }
}

/// A form that is being received.
struct Form<'a> {
    app: &'a Arc<App>,
    patience: Patience,
}

impl Form<'_> {
    async fn read(&mut self, mut multipart: Multipart) -> Result<Fields, ApiError> {
        let mut fields = Fields::default();
        for _ in 0..MAX_FIELDS {
            let field = self.patience.wait(multipart.next_field()).await?;
            let Some(mut field) = field.map_err(|error| self.broken(&error))? else {
                return Ok(fields);
            };
            match field.name().unwrap_or_default() {
                "file" => fields.file = Some(self.read_file(&mut field).await?),
                "purpose" => fields.purpose = Some(self.read_text(&mut field).await?),
                "attributes" => fields.attributes = Some(self.read_text(&mut field).await?),
                "replace" => fields.replace = self.read_flag(&mut field).await?,
                _ => drop(self.read_bytes(&mut field, MAX_FIELD_BYTES).await?),
            }
        }
        Err(invalid_form(&format!(
            "it has more than {MAX_FIELDS} fields"
        )))
    }

    async fn read_file(&mut self, field: &mut Field<'_>) -> Result<NamedBytes, ApiError> {
        let invalid = |message: &str| ApiError::new(ErrorKind::InvalidValue, message).at("file");
        let filename = field.file_name().unwrap_or_default().to_owned();
        if filename.is_empty() {
            return Err(invalid("'file' must be sent as a file, with a file name"));
        }
        let bytes = self.receive(field).await?;
        if bytes.bytes() == 0 {
            return Err(invalid("'file' is empty"));
        }
        Ok(NamedBytes { filename, bytes })
    }

    /// Takes the bytes of a file to the disk as they come.
    async fn receive(&mut self, field: &mut Field<'_>) -> Result<Received, ApiError> {
        let app = self.app.clone();
        let mut received = off_thread(move || Ok(app.library.receive()?)).await?;
        let mut buffer = Vec::new();
        loop {
            let chunk = self.patience.wait(field.chunk()).await?;
            let chunk = chunk.map_err(|error| self.broken(&error))?;
            let ended = chunk.is_none();
            if let Some(chunk) = chunk {
                self.patience.received(chunk.len());
                buffer.extend_from_slice(&chunk);
            }
            if ended || buffer.len() >= BUFFER_BYTES {
                let piece = std::mem::take(&mut buffer);
                received = off_thread(move || {
                    received.write(&piece)?;
                    Ok(received)
                })
                .await?;
            }
            if ended {
                return Ok(received);
            }
        }
    }

    async fn read_flag(&mut self, field: &mut Field<'_>) -> Result<bool, ApiError> {
        let name = field.name().unwrap_or_default().to_owned();
        match self.read_text(field).await?.as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => {
                let message = format!("'{name}' must be true or false");
                Err(ApiError::new(ErrorKind::InvalidValue, message).at(name))
            }
        }
    }

    async fn read_text(&mut self, field: &mut Field<'_>) -> Result<String, ApiError> {
        let name = field.name().unwrap_or_default().to_owned();
        let bytes = self.read_bytes(field, MAX_FIELD_BYTES).await?;
        String::from_utf8(bytes).map_err(|_| {
            let message = format!("'{name}' is not UTF-8 text");
            ApiError::new(ErrorKind::InvalidValue, message).at(name)
        })
    }

    async fn read_bytes(
        &mut self,
        field: &mut Field<'_>,
        limit: usize,
    ) -> Result<Vec<u8>, ApiError> {
        let name = field.name().unwrap_or_default().to_owned();
        let mut bytes = Vec::new();
        loop {
            let chunk = self.patience.wait(field.chunk()).await?;
            let Some(chunk) = chunk.map_err(|error| self.broken(&error))? else {
                return Ok(bytes);
            };
            self.patience.received(chunk.len());
            if chunk.len() > limit - bytes.len() {
                return Err(too_large(limit).at(name));
            }
            bytes.extend_from_slice(&chunk);
        }
    }

    fn broken(&self, error: &MultipartError) -> ApiError {
        match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => too_large(self.app.limits.upload_bytes).at("file"),
            _ => invalid_form(&error.body_text()),
        }
    }
}

fn invalid_form(why: &str) -> ApiError {
    let message = format!("the form cannot be read: {why}");
    ApiError::new(ErrorKind::InvalidForm, message)
}
