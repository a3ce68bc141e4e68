//! The embedding thread: gives every passage its vector, behind the index and at its own pace.
//!
//! A file is searchable by words as soon as it is indexed; its vectors follow. Vectors carry the
//! generation of their collection like the index does, and are made of the texts in SQLite like
//! it: a crash costs at most the vectors since the last commit. Those of another model, and of
//! passages that were cut otherwise, are made again; until all are there, search goes by words,
//! and then by both from one query to the next.
//!
//! Without an embedder the thread only lets go of the vectors of files that are gone.

mod page;
mod texts;

pub use texts::texts_to_embed;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use engine::{Embedder, EngineError, Side};
use retrieval::{Index, Origin, VectorChange, Vectors};
use tracing::warn;

use crate::LibraryError;
use crate::library::Core;
use crate::signal::Signal;
use crate::store::collections::{self, IndexState};
use crate::store::{memberships, removals};

/// How long to wait before trying again after a failure.
const RETRY_PAUSE: Duration = Duration::from_secs(5);

/// While files are being indexed there is news all the time; it is looked at so often.
const NEWS_PAUSE: Duration = Duration::from_millis(100);

/// What the vector of tells a model from another.
const PROBE: &str = "The same place: ibidem. 같은 곳에서, 1998년. Café, naïve; x = 3.14";

/// The embedder, and what its vectors are marked with.
struct Model {
    embedder: Arc<dyn Embedder>,
    origin: Origin,
}

/// Works until the library is closed.
pub(crate) fn run(core: &Core) {
    let _stopped = StoppedOnDrop(&core.signal);
    let mut model = None;
    while !core.signal.is_stopping() {
        let seen = core.signal.changes();
        match work(core, &mut model) {
            Ok(()) => {
                core.signal.embedding_goes_on();
                core.signal.wait_past(seen);
                core.signal.pause(NEWS_PAUSE);
            }
            Err(error) => {
                warn!(error = error.with_causes(), "embedding is stalled");
                // Who finds the embedder busy only has to wait for others.
                if !matches!(error, LibraryError::Embedder(EngineError::Busy { .. })) {
                    core.signal.embedding_stalled(&error);
                }
                core.signal.pause(RETRY_PAUSE);
            }
        }
    }
}

/// Tells those who wait that the thread has ended, even by a panic.
struct StoppedOnDrop<'a>(&'a Signal);

impl Drop for StoppedOnDrop<'_> {
    fn drop(&mut self) {
        self.0.embedding_stopped();
    }
}

/// Does all there is to do.
fn work(core: &Core, known: &mut Option<Model>) -> Result<(), LibraryError> {
    core.vectors
        .delete_strays(&core.store.read(collections::ids)?)?;
    let Some(embedder) = &core.embedder else {
        return forget_everywhere(core);
    };
    let model = match known {
        Some(model) => model,
        None => known.insert(Model::of(embedder, core)?),
    };
    // Every collection is searched by what vectors it has before any gets more.
    for id in core.store.read(collections::ids)? {
        opened(core, model, &id)?;
    }
    // The collections take turns, page by page, so that a large one does not keep the others
    // waiting.
    let mut more = true;
    while more && !core.signal.is_stopping() {
        more = false;
        for id in core.store.read(collections::ids)? {
            more |= step(core, model, &id)?;
        }
    }
    Ok(())
}

impl Model {
    fn of(embedder: &Arc<dyn Embedder>, core: &Core) -> Result<Model, LibraryError> {
        let probe = embedder.embed(&[PROBE], Side::Passage)?.remove(0);
        Ok(Model {
            embedder: Arc::clone(embedder),
            origin: Origin {
                model: embedder.model().name.clone(),
                probe,
                passages: core.indexes.passages().to_string(),
            },
        })
    }
}

/// The vectors of a collection, attached to its index, and the state they were opened in; `None`
/// when the collection is gone.
fn opened(
    core: &Core,
    model: &Model,
    id: &str,
) -> Result<Option<(Arc<Vectors>, IndexState)>, LibraryError> {
    let state = core
        .store
        .read(|connection| collections::index_state(connection, id))?;
    let Some(state) = state else { return Ok(None) };
    let vectors = core.vectors.of_origin(id, &state, &model.origin)?;
    let index = match core.indexes.get(&core.store, id) {
        Err(LibraryError::NotFound { .. }) => return Ok(None),
        opened => opened?,
    };
    attach(core, &index, &vectors);
    Ok(Some((vectors, state)))
}

/// Lets searches go through the vectors, and tells those who wait for them: when the last run of
/// the program made all of them, nothing else will happen. Vectors that are attached already are
/// no news, or this thread would wake itself for ever.
fn attach(core: &Core, index: &Index, vectors: &Arc<Vectors>) {
    let attached = index.vectors();
    if attached.is_some_and(|attached| Arc::ptr_eq(&attached, vectors)) {
        return;
    }
    index.attach(Some(Arc::clone(vectors)));
    core.signal.embedded();
}

/// Brings the vectors of a collection nearer to what the database says; whether they are not
/// there yet.
fn step(core: &Core, model: &Model, id: &str) -> Result<bool, LibraryError> {
    let Some((vectors, state)) = opened(core, model, id)? else {
        return Ok(false);
    };
    if vectors.generation() == state.generation && vectors.is_complete() {
        return Ok(false);
    }
    forget(core, id, &vectors, &state)?;
    let page = page::embed(core, &*model.embedder, id, &vectors, &state)?;
    vectors.apply(page.changes, page.generation, page.is_last)?;
    core.signal.embedded();
    Ok(!page.is_last)
}

/// Lets go of the vectors of files that are gone, in all collections.
fn forget_everywhere(core: &Core) -> Result<(), LibraryError> {
    for id in core.store.read(collections::ids)? {
        let state = core
            .store
            .read(|connection| collections::index_state(connection, &id))?;
        if let (Some(state), Some(vectors)) = (state, core.vectors.existing(&id)?) {
            forget(core, &id, &vectors, &state)?;
        }
    }
    Ok(())
}

/// Lets go of the vectors of files that are gone.
fn forget(
    core: &Core,
    id: &str,
    vectors: &Vectors,
    state: &IndexState,
) -> Result<(), LibraryError> {
    let reached = vectors.generation();
    let gone: Vec<String> = if reached < state.removals_since {
        // The record of removals does not go back so far.
        let members = core
            .store
            .read(|connection| memberships::files_of(connection, id))?;
        let members: HashSet<String> = members.into_iter().collect();
        let mut known = vectors.file_ids();
        known.retain(|file_id| !members.contains(file_id));
        known
    } else {
        let mut removed = core
            .store
            .read(|connection| removals::since(connection, id, reached))?;
        removed.retain(|file_id| vectors.has_file(file_id));
        removed
    };
    if gone.is_empty() {
        return Ok(());
    }
    let delete = |file_id| VectorChange::Delete { file_id };
    let is_complete = false;
    vectors.apply(gone.into_iter().map(delete).collect(), reached, is_complete)?;
    Ok(())
}
