//! Reading request bodies within limits of size and patience.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use futures_core::Stream;
use tokio::time::timeout;

use crate::error::{ApiError, ErrorKind};

/// How much more than its limit a body may send before we hang up on it.
const LINGER_FACTOR: usize = 2;

/// A body that comes more slowly than this only holds what others wait for.
const MIN_BYTES_PER_SECOND: usize = 1024;

/// Gives the request back, unless it says itself that its body is larger than `limit`.
pub(super) async fn check_declared_size(
    request: Request,
    limit: usize,
    stall: Duration,
) -> Result<Request, ApiError> {
    let declared = header_text(request.headers(), header::CONTENT_LENGTH).parse::<u64>();
    if declared.is_ok_and(|bytes| bytes > limit as u64) {
        // A client that waits for "100 Continue" reads the refusal without sending anything.
        if !request.headers().contains_key(header::EXPECT) {
            linger(
                request.into_body(),
                limit.saturating_mul(LINGER_FACTOR),
                stall,
            )
            .await;
        }
        return Err(too_large(limit));
    }
    Ok(request)
}

/// The whole body, if it has no more than `limit` bytes.
pub(super) async fn read(body: Body, limit: usize, stall: Duration) -> Result<Vec<u8>, ApiError> {
    let mut chunks = body.into_data_stream();
    let mut patience = Patience::new(stall);
    let mut bytes = Vec::new();
    while let Some(chunk) = next(&mut chunks, &mut patience).await? {
        if chunk.len() > limit - bytes.len() {
            return Err(too_large(limit));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// How long we go on waiting for one body: never longer than `stall` for its next piece, and
/// never as long as it comes at less than [`MIN_BYTES_PER_SECOND`] on the whole.
pub(super) struct Patience {
    stall: Duration,
    started: Instant,
    received: usize,
}

impl Patience {
    /// Begins to wait.
    pub(super) fn new(stall: Duration) -> Self {
        Self {
            stall,
            started: Instant::now(),
            received: 0,
        }
    }

    /// Waits for the next piece.
    pub(super) async fn wait<T>(&self, piece: impl Future<Output = T>) -> Result<T, ApiError> {
        let earned = Duration::from_secs((self.received / MIN_BYTES_PER_SECOND) as u64);
        let left = (self.stall + earned).saturating_sub(self.started.elapsed());
        timeout(left.min(self.stall), piece).await.map_err(|_| {
            let message = "the body comes too slowly, or has stopped coming";
            ApiError::new(ErrorKind::RequestTimeout, message)
        })
    }

    /// Counts what came.
    pub(super) fn received(&mut self, bytes: usize) {
        self.received += bytes;
    }
}

/// The body's content type is `wanted`, whatever its parameters.
pub(super) fn has_content_type(headers: &HeaderMap, wanted: &str) -> bool {
    let content_type = header_text(headers, header::CONTENT_TYPE);
    let essence = content_type.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case(wanted)
}

/// The refusal of a body with another content type than `wanted`.
pub(super) fn wrong_content_type(wanted: &str) -> ApiError {
    let message = format!("send the body with the header 'content-type: {wanted}'");
    ApiError::new(ErrorKind::UnsupportedMediaType, message)
}

/// The refusal of a body of more than `limit` bytes.
pub(super) fn too_large(limit: usize) -> ApiError {
    let message = format!("the body is larger than the limit of {limit} bytes");
    ApiError::new(ErrorKind::TooLarge, message)
}

/// Reads for a while without keeping anything. Most clients look at the reply only when they
/// have sent everything, so hanging up at once would hide the reason from them.
async fn linger(body: Body, most: usize, stall: Duration) {
    let mut chunks = body.into_data_stream();
    let mut patience = Patience::new(stall);
    while patience.received <= most {
        let Ok(Some(_)) = next(&mut chunks, &mut patience).await else {
            return;
        };
    }
}

async fn next(
    chunks: &mut (impl Stream<Item = Result<Bytes, axum::Error>> + Unpin),
    patience: &mut Patience,
) -> Result<Option<Bytes>, ApiError> {
    let chunk = poll_fn(|context| Pin::new(&mut *chunks).poll_next(context));
    let chunk = patience.wait(chunk).await?.transpose();
    let chunk = chunk.map_err(|error| {
        let message = format!("the body broke off: {error}");
        ApiError::new(ErrorKind::IncompleteBody, message)
    })?;
    patience.received(chunk.as_ref().map_or(0, Bytes::len));
    Ok(chunk)
}

fn header_text(headers: &HeaderMap, name: header::HeaderName) -> &str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}
