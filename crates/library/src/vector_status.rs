//! How far the vectors of a collection are.

use crate::store::collections;
use crate::{Library, LibraryError};

/// How far the vectors of a collection are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VectorStatus {
    /// The embedder's name.
    pub model: String,
    /// Vectors that there are.
    pub vectors: usize,
    /// Searchable files whose passages have no vectors yet.
    pub files_left: u64,
    /// Searches by meaning are answered. While the vectors are made for the first time, or again
    /// for another model, search goes by words.
    pub searchable: bool,
}

impl Library {
    /// How far the vectors of a collection are; `None` without an embedder.
    ///
    /// # Errors
    ///
    /// [`LibraryError::NotFound`] for an unknown collection.
    pub fn vector_status(&self, id_or_name: &str) -> Result<Option<VectorStatus>, LibraryError> {
        let core = &self.core;
        let Some(embedder) = &core.embedder else {
            return Ok(None);
        };
        let collection = core
            .store
            .read(|connection| collections::get(connection, id_or_name))?;
        let collection = collection.ok_or_else(|| LibraryError::NotFound {
            what: "collection",
            id: id_or_name.to_string(),
        })?;
        // Those that lie on the disk may still be another model's; what is attached is not.
        let vectors = core.indexes.get(&core.store, &collection.id)?.vectors();
        let files = vectors.as_ref().map_or(0, |vectors| vectors.file_count());
        Ok(Some(VectorStatus {
            model: embedder.model().name.clone(),
            vectors: vectors.as_ref().map_or(0, |vectors| vectors.count()),
            files_left: collection.counts.completed.saturating_sub(files as u64),
            searchable: vectors.is_some_and(|vectors| vectors.is_complete()),
        }))
    }

    /// Waits until every passage of every collection has its vector, reporting on the way how
    /// many files are left. Returns at once without an embedder.
    ///
    /// # Errors
    ///
    /// [`LibraryError::Stalled`] when embedding cannot go on for now; it keeps trying, and waiting
    /// again is allowed. [`LibraryError::Closed`] when the library is closed with work left.
    pub fn wait_until_embedded(&self, report: &mut dyn FnMut(u64)) -> Result<(), LibraryError> {
        let core = &self.core;
        while core.embedder.is_some() {
            let seen = core.signal.changes();
            let mut left = 0;
            let mut is_done = true;
            for id in core.store.read(collections::ids)? {
                match self.embedding_left(&id) {
                    // It was deleted since the ids were read, and has no passages any more.
                    Err(LibraryError::NotFound { .. }) => (),
                    found => {
                        let (files_left, is_embedded) = found?;
                        left += files_left;
                        is_done &= is_embedded;
                    }
                }
            }
            report(left);
            if is_done {
                break;
            }
            if let Some(trouble) = core.signal.embedding_trouble() {
                return Err(trouble);
            }
            core.signal.wait_past(seen);
        }
        Ok(())
    }

    /// The files of a collection that are left, and whether every passage has its vector.
    fn embedding_left(&self, id: &str) -> Result<(u64, bool), LibraryError> {
        let core = &self.core;
        let state = core
            .store
            .read(|connection| collections::index_state(connection, id))?;
        let generation = state.map_or(0, |state| state.generation);
        let files_left = self
            .vector_status(id)?
            .map_or(0, |status| status.files_left);
        let vectors = core.indexes.get(&core.store, id)?.vectors();
        let is_embedded = vectors
            .is_some_and(|vectors| vectors.is_complete() && vectors.generation() >= generation);
        Ok((files_left, is_embedded))
    }
}
