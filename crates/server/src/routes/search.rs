//! `POST /v1/vector_stores/{collection}/search`: passages without an answer.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use library::{Attributes, Library};
use rag::RagError;
use retrieval::{Budget, Hit, Query};

use super::input::{InPath, JsonBody};
use super::off_thread::off_thread;
use crate::app::App;
use crate::error::{ApiError, ErrorKind};
use crate::wire::search::{SearchItem, SearchPage, SearchRequest};

/// The passages of a collection that match best.
pub(super) async fn search(
    State(app): State<Arc<App>>,
    InPath(collection): InPath<String>,
    body: JsonBody,
) -> Result<Json<SearchPage>, ApiError> {
    let request = SearchRequest::read(&body.object(), &app.limits)?;
    let page = off_thread(move || {
        let budget = app.encoders.time.begin();
        let hits = find(&app, &collection, &request, &budget)?;
        let item = |hit| item(&app.library, &collection, hit);
        let items = hits.into_iter().map(item).collect::<Result<_, _>>()?;
        let rebuilding = app.library.is_rebuilding(&collection)?;
        let cut_short = budget.was_short();
        Ok(SearchPage::new(
            request.queries,
            items,
            rebuilding,
            cut_short,
        ))
    });
    Ok(Json(page.await?))
}

/// The best hits of all queries, each passage once, with its best score.
fn find(
    app: &App,
    collection: &str,
    request: &SearchRequest,
    budget: &Budget,
) -> Result<Vec<Hit>, ApiError> {
    let index = [app.library.index(collection)?];
    let filter = request.filter.as_ref();
    let files = filter.map(|filter| app.library.matching(collection, filter));
    let files = files.transpose()?.map(Arc::new);
    let diversity = request.method.diversity.unwrap_or(0.0);
    let choice = if diversity > 0.0 { rag::CHOICE } else { 1 };
    let wanted = (request.max_results * choice).min(retrieval::MAX_TOP_K);
    let mut hits = Vec::new();
    for text in &request.queries {
        let query = Query {
            files: files.clone(),
            budget: Some(budget.clone()),
            ..Query::with_operators(text, wanted)
        };
        let found = app.encoders.search(&index, &query, request.method);
        hits.extend(found.map_err(on_this_route)?);
    }
    hits.retain(|hit| hit.score >= request.score_threshold);
    // With a single query this keeps the order: scores grow with what hits are ordered by.
    hits.sort_by(|one, other| other.score.total_cmp(&one.score));
    let mut best: Vec<Hit> = Vec::new();
    for hit in hits {
        if best.len() < wanted && !best.iter().any(|known| same_passage(known, &hit)) {
            best.push(hit);
        }
    }
    match diversity > 0.0 {
        true => Ok(rag::diverse_hits(
            &index,
            best,
            request.max_results,
            diversity,
        )),
        false => Ok(best),
    }
}

/// A chat names the mode in another place.
fn on_this_route(error: RagError) -> ApiError {
    match error {
        RagError::Invalid {
            param: "retrieval.mode",
            message,
        } => ApiError::new(ErrorKind::InvalidValue, message).at("mode"),
        other => other.into(),
    }
}

fn same_passage(one: &Hit, other: &Hit) -> bool {
    let (one, other) = (&one.passage, &other.passage);
    one.file_id == other.file_id && one.start == other.start && one.end == other.end
}

fn item(library: &Library, collection: &str, hit: Hit) -> Result<SearchItem, ApiError> {
    let membership = library.membership(collection, &hit.passage.file_id)?;
    // A file that was detached a moment ago may still be among the hits.
    let attributes = membership.map_or_else(Attributes::default, |found| found.attributes);
    Ok(SearchItem::new(hit, &attributes))
}
