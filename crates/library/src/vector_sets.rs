//! The vectors of all collections: opened, compared with the database and the model, thrown away
//! when they cannot be used.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use retrieval::{Origin, RetrievalError, Vectors};
use tracing::warn;

use crate::LibraryError;
use crate::indexes::delete_directory;
use crate::store::collections::IndexState;
use crate::store::unpoisoned;

/// The vectors, each set in a directory named by its collection's id.
pub(crate) struct VectorSets {
    root: PathBuf,
    open: Mutex<HashMap<String, Arc<Vectors>>>,
}

impl VectorSets {
    /// Nothing is opened yet.
    pub(crate) fn new(root: PathBuf) -> VectorSets {
        VectorSets {
            root,
            open: Mutex::default(),
        }
    }

    /// The vectors of a collection; `None` when it has none that can be used.
    pub(crate) fn existing(&self, id: &str) -> Result<Option<Arc<Vectors>>, LibraryError> {
        if let Some(vectors) = unpoisoned(&self.open).get(id) {
            return Ok(Some(Arc::clone(vectors)));
        }
        let directory = self.root.join(id);
        match Vectors::open(&directory) {
            Ok(Some(vectors)) => Ok(Some(self.keep(id, vectors))),
            Ok(None) => Ok(None),
            Err(RetrievalError::Damaged { reason }) => {
                warn!(collection = id, reason, "making the vectors again");
                delete_directory(&directory)?;
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The vectors of a collection by this model, new ones when there are none that fit.
    pub(crate) fn of_origin(
        &self,
        id: &str,
        state: &IndexState,
        origin: &Origin,
    ) -> Result<Arc<Vectors>, LibraryError> {
        if let Some(vectors) = self.existing(id)? {
            let known = vectors.origin();
            let reason = if !known.same_as(origin) {
                format!("they are of {} and not of {}", known.model, origin.model)
            } else if vectors.generation() > state.generation {
                // As with an index that is ahead, nobody can tell what is in them.
                "they do not belong to the library's state".to_string()
            } else {
                return Ok(vectors);
            };
            warn!(collection = id, reason, "making the vectors again");
            self.delete(id)?;
        }
        let vectors = Vectors::create(&self.root.join(id), origin.clone())?;
        Ok(self.keep(id, vectors))
    }

    /// Closes and deletes the vectors of a collection.
    pub(crate) fn delete(&self, id: &str) -> Result<(), LibraryError> {
        unpoisoned(&self.open).remove(id);
        delete_directory(&self.root.join(id))
    }

    /// Deletes the vectors of collections that are gone.
    pub(crate) fn delete_strays(&self, ids: &[String]) -> Result<(), LibraryError> {
        let Ok(entries) = fs::read_dir(&self.root) else {
            return Ok(());
        };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with("vs_") && !ids.contains(&name) {
                self.delete(&name)?;
            }
        }
        Ok(())
    }

    fn keep(&self, id: &str, vectors: Vectors) -> Arc<Vectors> {
        let vectors = Arc::new(vectors);
        unpoisoned(&self.open).insert(id.to_string(), Arc::clone(&vectors));
        vectors
    }
}
