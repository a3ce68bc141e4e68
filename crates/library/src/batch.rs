//! Files that are attached in one call, followed and cancelled together.

use crate::store::{batches, collections, files, memberships};
use crate::{Attributes, FileCounts, Library, LibraryError, Listing, Membership, Page, Status};

/// The most files of one batch, as OpenAI has it.
pub const MAX_BATCH_FILES: usize = 2000;

/// Some files of a collection; `vector_store.files_batch` on OpenAI's wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// "vsfb_" and 24 hexadecimal digits.
    pub id: String,
    /// The collection.
    pub collection_id: String,
    /// Seconds since 1970.
    pub created_at: i64,
    /// How its files stand; those detached meanwhile are not counted.
    pub counts: FileCounts,
    /// Whether it was cancelled.
    pub cancelled: bool,
}

/// A file to be attached, and what is noted about it.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchFile {
    /// The file.
    pub file_id: String,
    /// See [`Membership::attributes`].
    pub attributes: Attributes,
}

impl Batch {
    /// How the batch stands: in progress as long as one of its files is.
    pub fn status(&self) -> Status {
        match self.counts.in_progress {
            0 if self.cancelled => Status::Cancelled,
            0 => Status::Completed,
            _ => Status::InProgress,
        }
    }
}

impl Library {
    /// Puts files into a collection, all or none, each as [`Library::attach`] does. When this
    /// returns, the jobs survive a power failure.
    ///
    /// # Errors
    ///
    /// [`LibraryError::NotFound`] for an unknown file or collection, [`LibraryError::Invalid`]
    /// for no files or more than [`MAX_BATCH_FILES`].
    pub fn attach_batch(
        &self,
        collection: &str,
        batch_files: &[BatchFile],
    ) -> Result<Batch, LibraryError> {
        if batch_files.is_empty() || batch_files.len() > MAX_BATCH_FILES {
            return Err(LibraryError::Invalid {
                param: "file_ids",
                message: format!("a batch has 1 to {MAX_BATCH_FILES} files"),
            });
        }
        let batch = self.core.store.write(|connection| {
            let collection_id = collections::require(connection, collection)?;
            let id = batches::insert(connection, &collection_id)?;
            for file in batch_files {
                files::require(connection, &file.file_id)?;
                let attached = memberships::attach(
                    connection,
                    &collection_id,
                    &file.file_id,
                    &file.attributes,
                )?;
                batches::add(connection, &id, &attached)?;
            }
            collections::touch(connection, &collection_id)?;
            batches::get(connection, &collection_id, &id)
        })?;
        self.core.signal.work_arrived();
        Ok(batch.expect("it was just added"))
    }

    /// The batch of that id. `None` when the collection has none.
    ///
    /// # Errors
    ///
    /// [`LibraryError::NotFound`] for an unknown collection.
    pub fn batch(&self, collection: &str, id: &str) -> Result<Option<Batch>, LibraryError> {
        self.core.store.read(|connection| {
            let collection_id = collections::require(connection, collection)?;
            batches::get(connection, &collection_id, id)
        })
    }

    /// Gives up those files of a batch that have not been read yet. `None` when there is no
    /// such batch.
    ///
    /// # Errors
    ///
    /// [`LibraryError::NotFound`] for an unknown collection.
    pub fn cancel_batch(&self, collection: &str, id: &str) -> Result<Option<Batch>, LibraryError> {
        let core = &self.core;
        let _changing = core.indexes.lock_changes();
        core.store.write(|connection| {
            let collection_id = collections::require(connection, collection)?;
            if batches::get(connection, &collection_id, id)?.is_none() {
                return Ok(None);
            }
            core.distrust_unrecorded(connection, &collection_id)?;
            batches::cancel(connection, &collection_id, id)?;
            batches::get(connection, &collection_id, id)
        })
    }

    /// The memberships of a batch's files, all or those of one status, page by page. `None`
    /// when there is no such batch.
    ///
    /// # Errors
    ///
    /// Those of [`Library::memberships`].
    pub fn batch_memberships(
        &self,
        collection: &str,
        id: &str,
        status: Option<Status>,
        page: &Page,
    ) -> Result<Option<Listing<Membership>>, LibraryError> {
        self.core.store.read(|connection| {
            let collection_id = collections::require(connection, collection)?;
            if batches::get(connection, &collection_id, id)?.is_none() {
                return Ok(None);
            }
            let only = memberships::Only {
                status,
                batch: Some(id),
            };
            memberships::list(connection, &collection_id, &only, page).map(Some)
        })
    }
}
