//! `POST /v1/chat/completions`: read, answer, reply whole or in pieces.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use engine::OutputFormat;
use futures_core::Stream;
use library::{DEFAULT_COLLECTION, Library};
use rag::{Answer, AnswerEvent, AnsweredBy, Method, Question};
use retrieval::{Fusion, Index};

use super::base_url::base_url;
use super::input::JsonBody;
use super::models::unknown_model;
use super::off_thread::off_thread;
use crate::app::App;
use crate::error::ApiError;
use crate::sse::stream_answer;
use crate::wire::chat_request::ChatRequest;
use crate::wire::chunk::Chunks;
use crate::wire::completion::{Completion, Content, Ending, Form, Grounds};
use crate::wire::retrieval::{Collections, NamedCollection, RetrievalOptions};
use crate::wire::tools::ToolCallObject;

/// Answers a question. If the client leaves, this future or the stream it returned is
/// dropped, and the answer with it, which cancels the generation.
pub(super) async fn complete(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<Response, ApiError> {
    let mut request = ChatRequest::read(&body.object(), &app.limits)?;
    let named = request.model.clone();
    let resolved = app.models.resolve(&named);
    let (model, collection) = resolved.ok_or_else(|| unknown_model(&app, &named))?;
    request.retrieval.collections.prefer(collection);

    let (pipeline, library) = (model.pipeline.clone(), app.library.clone());
    let (stream, include_usage) = (request.stream, request.include_usage);
    let is_json = request.format != OutputFormat::Text;
    let answer = off_thread(move || {
        let indexes = open_indexes(&library, &request.retrieval.collections)?;
        let files = files(&library, &request.retrieval)?;
        let question = Question {
            files: files.map(Arc::new),
            ..question(request)
        };
        Ok(pipeline.answer(&indexes, question)?)
    })
    .await?;

    let form = Form {
        model: model.info.name.clone(),
        base_url: base_url(&headers),
        include_usage,
        several: answer.choices() > 1,
        as_refusal: is_json && answer.answered_by == AnsweredBy::Refusal,
    };
    if stream {
        return Ok(stream_answer(&app, answer, Chunks::new(form)));
    }
    let grounds = Grounds::from(&answer);
    let (contents, ending) = collect(answer).await?;
    Ok(Json(Completion::new(&form, grounds, contents, &ending)).into_response())
}

/// The files that the filters let through, of all collections that are searched.
fn files(
    library: &Library,
    retrieval: &RetrievalOptions,
) -> Result<Option<BTreeSet<String>>, ApiError> {
    let Some(filter) = &retrieval.filter else {
        return Ok(None);
    };
    let names = match &retrieval.collections {
        Collections::None => Vec::new(),
        Collections::Default => vec![DEFAULT_COLLECTION],
        Collections::Named(names) => names.iter().map(|named| named.name.as_str()).collect(),
    };
    let mut files = BTreeSet::new();
    for name in names {
        files.extend(library.matching(name, filter)?);
    }
    Ok(Some(files))
}

fn question(request: ChatRequest) -> Question {
    Question {
        messages: request.messages,
        mode: request.answer,
        citations: request.citations,
        top_k: request.retrieval.top_k,
        choices: request.choices,
        method: Method {
            mode: request.retrieval.mode,
            fusion: Fusion::default(),
        },
        sampling: request.sampling,
        max_tokens: request.max_tokens,
        stop: request.stop,
        logit_bias: request.logit_bias,
        logprobs: request.logprobs,
        format: request.format,
        tools: request.tools.tools,
        tool_choice: request.tools.choice,
        ..Question::default()
    }
}

/// The indexes to search; none means a chat without documents.
fn open_indexes(library: &Library, collections: &Collections) -> Result<Vec<Arc<Index>>, ApiError> {
    match collections {
        Collections::None => Ok(Vec::new()),
        Collections::Default => {
            let index = library.index(DEFAULT_COLLECTION)?;
            let holds_documents = index.passage_count() > 0;
            Ok(holds_documents.then_some(index).into_iter().collect())
        }
        Collections::Named(names) => names
            .iter()
            .map(|named| open_index(library, named))
            .collect(),
    }
}

fn open_index(library: &Library, named: &NamedCollection) -> Result<Arc<Index>, ApiError> {
    let index = library.index(&named.name);
    index.map_err(|error| ApiError::from(error).at(named.param.clone()))
}

/// Waits for the whole answer.
async fn collect(mut answer: Answer) -> Result<(Vec<Content>, Ending), ApiError> {
    let mut contents = Vec::from_iter((0..answer.choices()).map(|_| Content::default()));
    while let Some(event) = poll_fn(|context| Pin::new(&mut answer).poll_next(context)).await {
        match event? {
            AnswerEvent::Text {
                choice,
                text,
                citations,
                logprobs,
            } => {
                let content = &mut contents[choice];
                content.text.push_str(&text);
                content.citations.extend(citations);
                content.logprobs.extend(logprobs);
            }
            AnswerEvent::ToolCall { choice, call, .. } => {
                contents[choice].tool_calls.push(ToolCallObject::new(&call));
            }
            AnswerEvent::Finished {
                choice,
                finish_reason,
            } => contents[choice].finish_reason = Some(finish_reason),
            AnswerEvent::Done { usage, ledger } => {
                return Ok((contents, Ending { usage, ledger }));
            }
        }
    }
    Err(ApiError::internal("the answer stopped without an end"))
}
