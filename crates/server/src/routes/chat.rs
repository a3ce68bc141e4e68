//! `POST /v1/chat/completions`: read, answer, reply whole or in pieces.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use engine::OutputFormat;
use futures_core::Stream;
use rag::{Answer, AnswerEvent, AnsweredBy};

use super::base_url::base_url;
use super::input::JsonBody;
use super::off_thread::off_thread;
use crate::answering::{Asking, Record, Whole};
use crate::app::App;
use crate::chat_stream::ChatTelling;
use crate::error::ApiError;
use crate::sse::stream_answer;
use crate::wire::chunk::Chunks;
use crate::wire::completion::{Completion, Ending, Form};
use crate::wire::context::Context;
use crate::wire::id::random_id;

/// Says in the head of the reply what `disclosure` says in its body.
const AI_GENERATED: HeaderName = HeaderName::from_static("x-ai-generated");

/// Answers a question. If the client leaves, this future or the stream it returned is
/// dropped, and the answer with it, which cancels the generation.
pub(super) async fn complete(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<Response, ApiError> {
    let asking = Asking::read(&app, body.into_fields())?;
    let (stream, include_usage) = (asking.request.stream, asking.request.include_usage);
    let is_json = asking.request.format != OutputFormat::Text;
    let model = asking.model.clone();
    let asked = asking.request.include_context.then(|| asking.asked());
    let id = random_id("chatcmpl-");
    let (answer, record) = begin(&app, asking, id.clone()).await?;

    let base_url = base_url(&headers);
    let results = &answer.search_results;
    let form = Form {
        id,
        context: asked.map(|asked| Context::new(&asked, results, &base_url)),
        model,
        provider: app.receipts.provider.clone(),
        base_url,
        include_usage,
        several: answer.choices() > 1,
        as_refusal: is_json && answer.answered_by == AnsweredBy::Refusal,
        rebuilding: record.asked.rebuilding,
    };
    let head = disclosed(&answer);
    let reply = if stream {
        stream_answer(&app, answer, record, ChatTelling::new(Chunks::new(form)))
    } else {
        let whole = collect(&app, answer, record).await?;
        Json(Completion::new(
            &form,
            whole.grounds,
            whole.record,
            &whole.ending,
        ))
        .into_response()
    };
    Ok((head, reply).into_response())
}

/// The header that says whether a model writes the answer.
pub(super) fn disclosed(answer: &Answer) -> [(HeaderName, HeaderValue); 1] {
    let by_model = answer.answered_by == AnsweredBy::Model;
    let value = if by_model { "true" } else { "false" };
    [(AI_GENERATED, HeaderValue::from_static(value))]
}

/// Searches and starts the answer, off the async threads.
pub(super) async fn begin(
    app: &Arc<App>,
    asking: Asking,
    id: String,
) -> Result<(Answer, Record), ApiError> {
    let app = app.clone();
    off_thread(move || asking.answer(&app, id)).await
}

/// Waits for the whole answer, and keeps it.
pub(super) async fn collect(
    app: &Arc<App>,
    answer: Answer,
    record: Record,
) -> Result<Whole, ApiError> {
    collect_with(app, answer, record, |_| ()).await
}

/// The same; `see` is shown every event.
pub(super) async fn collect_with(
    app: &Arc<App>,
    mut answer: Answer,
    mut record: Record,
    mut see: impl FnMut(&AnswerEvent),
) -> Result<Whole, ApiError> {
    while let Some(event) = poll_fn(|context| Pin::new(&mut answer).poll_next(context)).await {
        let event = event?;
        record.note(&event);
        see(&event);
        let AnswerEvent::Done { usage, ledger } = event else {
            continue;
        };
        let grounds = record.grounds(&answer);
        let ending = Ending { usage, ledger };
        let app = app.clone();
        return off_thread(move || Ok(record.finish(&app, grounds, ending))).await;
    }
    Err(ApiError::internal("the answer stopped without an end"))
}
