//! `/v1/answers`: the receipts of answers that were given, and giving them again.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use library::KeptAnswer;
use serde::Deserialize;
use serde_json::Value;

use super::chat::{begin, collect};
use super::input::{InPath, InQuery};
use super::off_thread::off_thread;
use crate::answering::Asking;
use crate::app::App;
use crate::error::{ApiError, ErrorKind};
use crate::signing::Signer;
use crate::wire::files::Deleted;
use crate::wire::id::random_id;
use crate::wire::list::{ListLimits, ListObject, ListQuery};
use crate::wire::receipt::{AnswerObject, SignedAnswer};
use crate::wire::replay::{Replay, request_of};

/// Which answers to list.
#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    stale: Option<String>,
}

/// `GET /v1/answers`: the newest first; with `stale=true` those that rest on a document which
/// has changed or gone since.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    InQuery(query): InQuery<ListQuery>,
    InQuery(wanted): InQuery<Wanted>,
) -> Result<Json<ListObject<AnswerObject>>, ApiError> {
    let page = query.page(&ListLimits::VECTOR_STORES)?;
    let stale = wanted.stale_only()?;
    let listing = off_thread(move || Ok(app.library.answers(stale, &page)?)).await?;
    Ok(Json(ListObject::new(&listing)))
}

impl Wanted {
    fn stale_only(&self) -> Result<bool, ApiError> {
        match self.stale.as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => {
                let message = "'stale' must be true or false";
                Err(ApiError::new(ErrorKind::InvalidValue, message).at("stale"))
            }
        }
    }
}

/// `GET /v1/answers/{id}`.
pub(super) async fn retrieve(
    State(app): State<Arc<App>>,
    InPath(id): InPath<String>,
) -> Result<Json<AnswerObject>, ApiError> {
    Ok(Json(AnswerObject::from(&kept(&app, id).await?)))
}

/// `GET /v1/answers/{id}/signed`: what [`retrieve`] tells, with a signature.
pub(super) async fn signed(
    State(app): State<Arc<App>>,
    InPath(id): InPath<String>,
) -> Result<Json<SignedAnswer>, ApiError> {
    let signer = signer(&app)?;
    let answer = AnswerObject::from(&kept(&app, id).await?);
    let payload = serde_json::to_vec(&answer).expect("it has nothing that JSON has not");
    Ok(Json(SignedAnswer::new(&answer, signer.sign(&payload))))
}

/// `GET /.well-known/jwks.json`: the key that signatures are checked with.
pub(super) async fn public_keys(State(app): State<Arc<App>>) -> Result<Json<Value>, ApiError> {
    Ok(Json(signer(&app)?.public_keys()))
}

fn signer(app: &App) -> Result<&Signer, ApiError> {
    app.receipts.signer.as_ref().ok_or_else(|| {
        let message = "this server signs nothing: receipts.signing_key is not set";
        ApiError::new(ErrorKind::NotSigned, message)
    })
}

/// `DELETE /v1/answers/{id}`.
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    InPath(id): InPath<String>,
) -> Result<Json<Deleted>, ApiError> {
    let (library, unwanted) = (app.library.clone(), id.clone());
    match off_thread(move || Ok(library.delete_answer(&unwanted)?)).await? {
        true => Ok(Json(Deleted::new("answer.deleted", id))),
        false => Err(unknown_answer(&app, &id)),
    }
}

/// `POST /v1/answers/{id}/replay`: asks the same again, and compares. The new answer is not kept.
pub(super) async fn replay(
    State(app): State<Arc<App>>,
    InPath(id): InPath<String>,
) -> Result<Json<Replay>, ApiError> {
    let kept = kept(&app, id).await?;
    let asking = Asking::read(&app, request_of(&kept)?)?;
    let (answer, record) = begin(&app, asking, random_id("chatcmpl-")).await?;
    let whole = collect(&app, answer, record.unkept()).await?;
    let app = app.clone();
    let compare = move || {
        Ok(Replay::new(
            &kept,
            &whole.record,
            &app.receipts,
            &whole.grounds,
            &whole.ending,
        ))
    };
    Ok(Json(off_thread(compare).await?))
}

async fn kept(app: &Arc<App>, id: String) -> Result<KeptAnswer, ApiError> {
    let (library, wanted) = (app.library.clone(), id.clone());
    let kept = off_thread(move || Ok(library.answer(&wanted)?)).await?;
    kept.ok_or_else(|| unknown_answer(app, &id))
}

fn unknown_answer(app: &App, id: &str) -> ApiError {
    let why = match app.receipts.keep {
        Some(keep) => format!("answers are kept for {} days", keep.days),
        None => "this server keeps no answers (receipts.keep_days is 0)".to_owned(),
    };
    let message = format!("no answer is kept under the id '{id}'; {why}");
    ApiError::new(ErrorKind::AnswerNotFound, message)
}
