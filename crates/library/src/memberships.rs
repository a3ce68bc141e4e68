//! Files in collections: attached, listed, detached.

use crate::store::{collections, files, memberships};
use crate::{Attributes, Library, LibraryError, Listing, Membership, Page, Status};

impl Library {
    /// Puts a file into a collection. When this returns, the job survives a power failure;
    /// the file is searchable when the membership is [`Status::Completed`].
    ///
    /// Attaching it again changes its attributes, and tries again if it had failed. When the
    /// collection holds another file of the same name and content, nothing is added and that
    /// file's membership is returned: its `file_id` differs from the one given. When the
    /// collection holds an older file of the same source, that one is searchable until the
    /// new one is, and is removed then.
    ///
    /// # Errors
    ///
    /// [`LibraryError::NotFound`] for an unknown file or collection.
    pub fn attach(
        &self,
        collection: &str,
        file_id: &str,
        attributes: Attributes,
    ) -> Result<Membership, LibraryError> {
        let membership = self.core.store.write(|connection| {
            let collection_id = collections::require(connection, collection)?;
            files::require(connection, file_id)?;
            let twin = memberships::twin(connection, &collection_id, file_id)?;
            let member = twin.as_deref().unwrap_or(file_id);
            if twin.is_none() {
                memberships::put(connection, &collection_id, file_id, &attributes)?;
                collections::touch(connection, &collection_id)?;
            }
            memberships::get(connection, &collection_id, member)
        })?;
        self.core.signal.work_arrived();
        Ok(membership.expect("it was just attached"))
    }

    /// The membership of a file in a collection.
    ///
    /// # Errors
    ///
    /// [`LibraryError::NotFound`] for an unknown collection.
    pub fn membership(
        &self,
        collection: &str,
        file_id: &str,
    ) -> Result<Option<Membership>, LibraryError> {
        self.core.store.read(|connection| {
            let collection_id = collections::require(connection, collection)?;
            memberships::get(connection, &collection_id, file_id)
        })
    }

    /// The memberships of a collection, all or those of one status, page by page.
    ///
    /// # Errors
    ///
    /// [`LibraryError::NotFound`] for an unknown collection, [`LibraryError::Invalid`] when
    /// the page begins behind a file that is not in it.
    pub fn memberships(
        &self,
        collection: &str,
        status: Option<Status>,
        page: &Page,
    ) -> Result<Listing<Membership>, LibraryError> {
        self.core.store.read(|connection| {
            let collection_id = collections::require(connection, collection)?;
            memberships::list(connection, &collection_id, status, page)
        })
    }

    /// Takes a file out of a collection; the file itself stays. `false` when it was not in.
    ///
    /// # Errors
    ///
    /// [`LibraryError::NotFound`] for an unknown collection.
    pub fn detach(&self, collection: &str, file_id: &str) -> Result<bool, LibraryError> {
        let core = &self.core;
        let changing = core.indexes.lock_changes();
        let removed = core.store.write(|connection| {
            let collection_id = collections::require(connection, collection)?;
            if memberships::get(connection, &collection_id, file_id)?.is_none() {
                return Ok(None);
            }
            let file_ids = vec![file_id.to_string()];
            Ok(Some(core.remove_members(
                connection,
                collection_id,
                file_ids,
            )?))
        })?;
        if let Some(removed) = &removed {
            core.forget(removed, &changing);
        }
        Ok(removed.is_some())
    }
}
