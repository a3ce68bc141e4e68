//! The one way from a handler to what blocks: the library, the search, starting the model.

use crate::error::ApiError;

/// Runs `work` on a thread that may block and waits for it. Once begun, the work goes on even
/// if the client leaves; what it returns is then dropped, which cancels a started answer.
pub(super) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let span = tracing::Span::current();
    let joined = tokio::task::spawn_blocking(move || span.in_scope(work)).await;
    joined.unwrap_or_else(|error| Err(ApiError::internal(error)))
}
