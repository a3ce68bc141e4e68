//! Files in collections: attached, listed, detached.

use crate::store::{collections, contents, files, memberships};
use crate::{Attributes, Library, LibraryError, Listing, Membership, NewFile, Page, Status};

impl Library {
    /// Puts a file into a collection. When this returns, the job survives a power failure;
    /// the file is searchable when the membership is [`Status::Completed`].
    ///
    /// Attaching it again changes its attributes, and tries again if it had failed. When the
    /// collection holds another file of the same name and content, nothing is added; that one
    /// gets the attributes, if there are any, another try if it failed, and its membership is returned: its `file_id`
    /// differs from the one given. When the
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
            let member = memberships::attach(connection, &collection_id, file_id, &attributes)?;
            if member == file_id {
                collections::touch(connection, &collection_id)?;
            }
            memberships::get(connection, &collection_id, &member)
        })?;
        let membership = membership.expect("it was just attached");
        self.core.listeners.attached(&membership);
        self.core.signal.work_arrived();
        Ok(membership)
    }

    /// Stores a file and puts it into a collection, both or neither: what
    /// [`Library::add_file`] and [`Library::attach`] do one after the other. When the
    /// collection holds another file of the same name and content, nothing is stored.
    ///
    /// # Errors
    ///
    /// Those of the two.
    pub fn add_to(
        &self,
        collection: &str,
        file: NewFile,
        attributes: &Attributes,
    ) -> Result<Membership, LibraryError> {
        let file = file.checked(self.core.settings.max_file_bytes)?;
        let record = file.record(file.content.sha256());
        let membership = self.core.store.write(|connection| {
            let collection_id = collections::require(connection, collection)?;
            let added = files::insert(connection, &record)?;
            let member = memberships::attach(connection, &collection_id, &added.id, attributes)?;
            if member == added.id {
                contents::put(connection, &added.id, &mut file.content.reader()?)?;
                collections::touch(connection, &collection_id)?;
            } else {
                files::delete(connection, &added.id)?;
            }
            memberships::get(connection, &collection_id, &member)
        })?;
        let membership = membership.expect("it was just attached");
        self.core.listeners.attached(&membership);
        self.core.signal.work_arrived();
        Ok(membership)
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
            let only = memberships::Only {
                status,
                batch: None,
            };
            memberships::list(connection, &collection_id, &only, page)
        })
    }

    /// Replaces what is noted about a file of the collection, durably. `None` when the file is
    /// not in it.
    ///
    /// # Errors
    ///
    /// [`LibraryError::NotFound`] for an unknown collection.
    pub fn set_attributes(
        &self,
        collection: &str,
        file_id: &str,
        attributes: &Attributes,
    ) -> Result<Option<Membership>, LibraryError> {
        self.core.store.write(|connection| {
            let collection_id = collections::require(connection, collection)?;
            memberships::set_attributes(connection, &collection_id, file_id, attributes)?;
            memberships::get(connection, &collection_id, file_id)
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
        let removed = core.store.delete(|connection| {
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
            // For the ingest thread to tidy up.
            core.signal.work_arrived();
        }
        Ok(removed.is_some())
    }
}
