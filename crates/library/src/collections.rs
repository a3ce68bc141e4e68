//! Collections: created, listed, deleted.

use tracing::warn;

use crate::collection::{check_metadata, checked_name};
use crate::store::{collections, files, memberships};
use crate::{Collection, DEFAULT_COLLECTION, Library, LibraryError, Listing, Metadata, Page};

impl Library {
    /// Creates an empty collection.
    ///
    /// # Errors
    ///
    /// [`LibraryError::Exists`] when there is one of that name, [`LibraryError::Invalid`]
    /// for a name that is empty, too long, or looks like an id.
    pub fn create_collection(&self, name: &str) -> Result<Collection, LibraryError> {
        let name = checked_name(name)?;
        let passages = self.core.indexes.passages();
        self.core.store.write(|connection| {
            if collections::get(connection, name)?.is_some() {
                return Err(LibraryError::Exists {
                    what: "collection",
                    name: name.to_string(),
                });
            }
            let id = collections::insert(connection, name, passages)?;
            Ok(collections::get(connection, &id)?.expect("it was just added"))
        })
    }

    /// Notes `metadata` about a collection, in place of what was noted before.
    ///
    /// # Errors
    ///
    /// [`LibraryError::NotFound`] for an unknown collection, [`LibraryError::Invalid`] for more
    /// than 16 pairs, or longer ones than OpenAI takes.
    pub fn set_metadata(
        &self,
        id_or_name: &str,
        metadata: &Metadata,
    ) -> Result<Collection, LibraryError> {
        check_metadata(metadata)?;
        let collection = self.core.store.write(|connection| {
            let id = collections::require(connection, id_or_name)?;
            collections::set_metadata(connection, &id, metadata)?;
            Ok(collections::get(connection, &id)?.expect("it was just there"))
        })?;
        Ok(self.with_index_state(collection))
    }

    /// What is noted about the collection with that id or name. [`Library::collection`] tells it
    /// too, but counts all of its files for that, which is too much for every question.
    pub fn metadata(&self, id_or_name: &str) -> Result<Option<Metadata>, LibraryError> {
        self.core
            .store
            .read(|connection| collections::metadata(connection, id_or_name))
    }

    /// The collection with that id or name.
    pub fn collection(&self, id_or_name: &str) -> Result<Option<Collection>, LibraryError> {
        let collection = self
            .core
            .store
            .read(|connection| collections::get(connection, id_or_name))?;
        Ok(collection.map(|collection| self.with_index_state(collection)))
    }

    /// Whether the collection's index is being built again, so that searches find only a part
    /// of it, or what the index before it held.
    ///
    /// # Errors
    ///
    /// [`LibraryError::NotFound`] for an unknown collection.
    pub fn is_rebuilding(&self, id_or_name: &str) -> Result<bool, LibraryError> {
        let id = self
            .core
            .store
            .read(|connection| collections::require(connection, id_or_name))?;
        Ok(self.core.indexes.is_behind(&id))
    }

    fn with_index_state(&self, mut collection: Collection) -> Collection {
        collection.rebuilding = self.core.indexes.is_behind(&collection.id);
        collection
    }

    /// All collections, page by page.
    ///
    /// # Errors
    ///
    /// [`LibraryError::Invalid`] when the page begins behind one that does not exist.
    pub fn collections(&self, page: &Page) -> Result<Listing<Collection>, LibraryError> {
        let Listing { data, has_more } = self
            .core
            .store
            .read(|connection| collections::list(connection, page))?;
        let data = data
            .into_iter()
            .map(|collection| self.with_index_state(collection))
            .collect();
        Ok(Listing { data, has_more })
    }

    /// Deletes a collection and its index. Files that were uploaded stay in the library, those
    /// that came from paths go with their last collection. `false` when there is no such
    /// collection.
    ///
    /// # Errors
    ///
    /// [`LibraryError::Invalid`] for the default collection, which always exists.
    pub fn delete_collection(&self, id_or_name: &str) -> Result<bool, LibraryError> {
        let core = &self.core;
        let _changing = core.indexes.lock_changes();
        let deleted = core.store.delete(|connection| {
            let Some(collection) = collections::get(connection, id_or_name)? else {
                return Ok(None);
            };
            if collection.name == DEFAULT_COLLECTION {
                return Err(LibraryError::Invalid {
                    param: "collection",
                    message: "the default collection cannot be deleted".into(),
                });
            }
            let members = memberships::files_of(connection, &collection.id)?;
            collections::delete(connection, &collection.id)?;
            files::delete_orphans(connection, &members)?;
            Ok(Some((collection.id, members)))
        })?;
        if let Some((id, _)) = &deleted
            && let Err(error) = core
                .indexes
                .delete(id)
                .and_then(|()| core.vectors.delete(id))
        {
            // The collection is gone all the same; the next opening deletes what is left.
            warn!(
                collection = id,
                error = error.with_causes(),
                "cannot delete the index"
            );
        }
        if let Some((id, members)) = &deleted {
            core.listeners.removed(id, members);
        }
        // For the ingest thread to tidy up.
        core.signal.work_arrived();
        Ok(deleted.is_some())
    }
}
