//! `POST /v1/rerank`: documents in the order in which they fit a query.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use engine::{EngineError, Reranker};

use super::input::JsonBody;
use super::off_thread::off_thread;
use crate::app::{App, Models};
use crate::error::{ApiError, ErrorKind};
use crate::wire::rerank::{RerankPage, RerankRequest};

/// Documents that are read in one go. In between, the work ends if the client has left, and
/// others have their turn.
const TOGETHER: usize = 16;

/// Scores every document.
pub(super) async fn rerank(
    State(app): State<Arc<App>>,
    body: JsonBody,
) -> Result<Json<RerankPage>, ApiError> {
    let request = Arc::new(RerankRequest::read(&body.object(), &app.limits)?);
    let reranker = reranker(&app, &request.model)?;
    let (mut scores, mut tokens) = (Vec::with_capacity(request.documents.len()), 0);
    while scores.len() < request.documents.len() {
        let (reranker, request, from) = (reranker.clone(), request.clone(), scores.len());
        let (more, counted) = off_thread(move || score_some(&*reranker, &request, from)).await?;
        scores.extend(more);
        tokens += counted;
    }
    let request = Arc::unwrap_or_clone(request);
    Ok(Json(RerankPage::new(
        reranker.name(),
        request,
        &scores,
        tokens,
    )))
}

/// The reranker, if that is what `name` means.
fn reranker(app: &App, name: &str) -> Result<Arc<dyn Reranker>, ApiError> {
    let refuse = |message| Err(ApiError::new(ErrorKind::ModelNotFound, message).at("model"));
    let Some(reranker) = &app.encoders.reranker else {
        return refuse(
            "this server has no reranker: set retrieval.reranker in the configuration, or start \
             with --reranker PATH"
                .to_owned(),
        );
    };
    let known = reranker.name();
    if name != known && name != Models::DEFAULT {
        return refuse(format!(
            "the reranker is called '{known}', and not '{name}'"
        ));
    }
    Ok(reranker.clone())
}

/// The scores, from 0 to 1, of the documents from the place `from` on, and the tokens read.
fn score_some(
    reranker: &dyn Reranker,
    request: &RerankRequest,
    from: usize,
) -> Result<(Vec<f32>, usize), ApiError> {
    let documents = request.documents[from..].iter().take(TOGETHER);
    let texts: Vec<&str> = documents.map(String::as_str).collect();
    let counts: Vec<usize> = texts
        .iter()
        .map(|text| reranker.count_tokens(text))
        .collect();
    let of_query = reranker.count_tokens(&request.query);
    let scores = reranker.rerank(&request.query, &texts).map_err(|error| {
        let EngineError::PromptTooLong { .. } = error else {
            return error.into();
        };
        let longest = (0..counts.len()).max_by_key(|&index| counts[index]);
        let param = format!("documents[{}]", from + longest.unwrap_or(0));
        let message = format!("'{param}' is too long: with the query, {error}");
        ApiError::new(ErrorKind::ContextLengthExceeded, message).at(param)
    })?;
    let tokens = counts.iter().map(|count| count + of_query).sum();
    Ok((scores.into_iter().map(rag::probability).collect(), tokens))
}
