//! `POST /v1/embeddings`: vectors of texts, by the model that documents are searched with.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use engine::{Embedder, Side};

use super::input::JsonBody;
use super::off_thread::off_thread;
use crate::app::{App, Models};
use crate::error::{ApiError, ErrorKind};
use crate::wire::embeddings::{EmbeddingList, EmbeddingsRequest, Input};

/// Inputs that are embedded in one go. In between, the work ends if the client has left, and
/// others have their turn.
const TOGETHER: usize = 32;

/// Embeds every input.
pub(super) async fn embed(
    State(app): State<Arc<App>>,
    body: JsonBody,
) -> Result<Json<EmbeddingList>, ApiError> {
    let request = EmbeddingsRequest::read(&body.object())?;
    let embedder = embedder(&app, &request.model)?;
    let info = embedder.model().clone();
    if request
        .dimensions
        .is_some_and(|wanted| wanted != info.dimensions)
    {
        let message = format!(
            "'dimensions' must be {} or absent: {} makes vectors of that length, and shortened \
             ones would be wrong",
            info.dimensions, info.name
        );
        return Err(ApiError::new(ErrorKind::InvalidValue, message).at("dimensions"));
    }
    let (input, side) = (Arc::new(request.input), request.side);
    let (mut vectors, mut tokens) = (Vec::with_capacity(input.len()), 0);
    while vectors.len() < input.len() {
        let (embedder, input, from) = (embedder.clone(), input.clone(), vectors.len());
        let (more, counted) =
            off_thread(move || embed_some(&*embedder, &input, side, from)).await?;
        vectors.extend(more);
        tokens += counted;
    }
    Ok(Json(EmbeddingList::new(
        &info.name,
        vectors,
        request.format,
        tokens,
    )))
}

/// The embedder, if that is what `name` means.
fn embedder(app: &App, name: &str) -> Result<Arc<dyn Embedder>, ApiError> {
    let refuse = |message| Err(ApiError::new(ErrorKind::ModelNotFound, message).at("model"));
    let Some(embedder) = &app.encoders.embedder else {
        return refuse(
            "this server has no embedder: set retrieval.embedder in the configuration to \
             \"built-in\" or a folder, or start without --embedder none"
                .to_owned(),
        );
    };
    let known = &embedder.model().name;
    if name != known && name != Models::DEFAULT {
        return refuse(format!(
            "the embedder is called '{known}', and not '{name}'"
        ));
    }
    Ok(embedder.clone())
}

/// The vectors of the inputs from the place `from` on, and the tokens they have.
fn embed_some(
    embedder: &dyn Embedder,
    input: &Input,
    side: Side,
    from: usize,
) -> Result<(Vec<Vec<f32>>, usize), ApiError> {
    let most = embedder.model().max_tokens;
    let fits = |index: usize, tokens: usize| {
        if tokens <= most {
            return Ok(tokens);
        }
        let param = format!("input[{}]", from + index);
        let message = format!("'{param}' has {tokens} tokens and the model reads at most {most}");
        Err(ApiError::new(ErrorKind::ContextLengthExceeded, message).at(param))
    };
    match input {
        Input::Texts(texts) => {
            let texts: Vec<&str> = texts[from..].iter().take(TOGETHER).map(|t| &**t).collect();
            let counts = texts
                .iter()
                .map(|text| embedder.count_tokens(text))
                .enumerate();
            let tokens = counts.map(|(index, tokens)| fits(index, tokens));
            let tokens = tokens.sum::<Result<usize, _>>()?;
            Ok((embedder.embed(&texts, side).map_err(at_input)?, tokens))
        }
        Input::Tokens(texts) => {
            let texts: Vec<&[u32]> = texts[from..].iter().take(TOGETHER).map(|t| &**t).collect();
            let counts = texts.iter().map(|tokens| tokens.len()).enumerate();
            let tokens = counts.map(|(index, tokens)| fits(index, tokens));
            let tokens = tokens.sum::<Result<usize, _>>()?;
            Ok((embedder.embed_tokens(&texts).map_err(at_input)?, tokens))
        }
    }
}

fn at_input(error: engine::EngineError) -> ApiError {
    match error {
        engine::EngineError::PromptTooLong { .. } => {
            ApiError::new(ErrorKind::ContextLengthExceeded, error.to_string()).at("input")
        }
        other => other.into(),
    }
}
