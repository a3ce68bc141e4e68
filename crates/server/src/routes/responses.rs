//! `POST /v1/responses`: the same answers as in a chat, told in OpenAI's newer form.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use engine::OutputFormat;
use rag::Answer;
use serde_json::Value;

use super::chat::{begin, collect_with, disclosed};
use super::input::JsonBody;
use super::off_thread::off_thread;
use crate::answering::{Asking, Record};
use crate::app::{App, unix_seconds};
use crate::error::{ApiError, ErrorKind};
use crate::sse::stream_answer;
use crate::wire::id::random_id;
use crate::wire::responses::{Responder, ResponseForm, ResponsesRequest, in_our_words};

/// Answers. Dropping this future or the stream it returned cancels the generation.
pub(super) async fn create(
    State(app): State<Arc<App>>,
    body: JsonBody,
) -> Result<Response, ApiError> {
    let mut request = ResponsesRequest::read(&body.object())?;
    if let Some(previous) = request.previous.clone() {
        go_on_from(&app, &mut request, previous).await?;
    }
    let named = |error: ApiError| error.renamed(in_our_words);
    let asking = Asking::read(&app, request.chat).map_err(named)?;
    let id = random_id("resp_");
    let form = ResponseForm {
        id: id.clone(),
        created: unix_seconds(),
        model: asking.model.clone(),
        provider: app.receipts.provider.clone(),
        echo: request.echo,
        include_results: request.include_results,
        query: asking.asked(),
        is_json: asking.request.format != OutputFormat::Text,
    };
    let (answer, record) = begin(&app, asking, id).await.map_err(named)?;
    let record = if request.store {
        record
    } else {
        record.unkept()
    };
    let head = disclosed(&answer);
    let reply = match request.stream {
        true => {
            let telling = Responder::new(form, &answer);
            stream_answer(&app, answer, record, telling)
        }
        false => Json(whole(&app, form, answer, record).await?).into_response(),
    };
    Ok((head, reply).into_response())
}

async fn whole(
    app: &Arc<App>,
    form: ResponseForm,
    answer: Answer,
    record: Record,
) -> Result<Value, ApiError> {
    let mut responder = Responder::new(form, &answer);
    responder.begin();
    let told = &mut responder;
    let whole = collect_with(app, answer, record, |event| {
        told.push(event.clone());
    })
    .await?;
    Ok(responder.whole(&whole.record, &whole.grounds, &whole.ending))
}

/// Puts the conversation of an earlier response before this one's.
async fn go_on_from(
    app: &Arc<App>,
    request: &mut ResponsesRequest,
    id: String,
) -> Result<(), ApiError> {
    let (library, wanted) = (app.library.clone(), id.clone());
    let kept = off_thread(move || Ok(library.answer(&wanted)?)).await?;
    let content = kept.and_then(|kept| kept.content);
    let content: Option<Value> = content.and_then(|content| serde_json::from_str(&content).ok());
    let Some(content) = content else {
        let message = format!("no response is kept under the id '{id}'; send its items as input");
        return Err(ApiError::new(ErrorKind::AnswerNotFound, message).at("previous_response_id"));
    };
    let answer = content["choices"][0]["text"].as_str().unwrap_or("");
    request.go_on_from(&content["request"], answer);
    Ok(())
}
