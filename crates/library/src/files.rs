//! Files: added, listed, read, deleted.

use sha2::{Digest, Sha256};

use crate::store::files::Record;
use crate::store::{documents, files, memberships};
use crate::{Document, File, Library, LibraryError, Listing, NewFile, Page};

impl Library {
    /// Stores a file. When this returns, it survives a power failure.
    ///
    /// # Errors
    ///
    /// [`LibraryError::Invalid`] for a bad name or purpose, [`LibraryError::TooLarge`],
    /// [`LibraryError::StorageFull`].
    pub fn add_file(&self, file: NewFile) -> Result<File, LibraryError> {
        let file = file.checked(self.core.settings.max_file_bytes)?;
        let record = Record {
            filename: &file.filename,
            purpose: &file.purpose,
            bytes: file.bytes.len() as u64,
            sha256: &Sha256::digest(&file.bytes).into(),
            source: file.source.as_deref(),
        };
        self.core.store.write(|connection| {
            let added = files::insert(connection, &record)?;
            files::put_content(connection, &added.id, &file.bytes)?;
            Ok(added)
        })
    }

    /// The file with that id.
    pub fn file(&self, id: &str) -> Result<Option<File>, LibraryError> {
        self.core
            .store
            .read(|connection| files::get(connection, id))
    }

    /// All files, page by page.
    ///
    /// # Errors
    ///
    /// [`LibraryError::Invalid`] when the page begins behind a file that does not exist.
    pub fn files(&self, page: &Page) -> Result<Listing<File>, LibraryError> {
        self.core
            .store
            .read(|connection| files::list(connection, page))
    }

    /// The bytes of a file. `None` when there is no such file, and for a file under a path
    /// until it has been read for the first time.
    pub fn content(&self, file_id: &str) -> Result<Option<Vec<u8>>, LibraryError> {
        self.core
            .store
            .read(|connection| files::content(connection, file_id))
    }

    /// The text of a file. `None` until it has been extracted, which happens when the file
    /// is first attached to a collection.
    pub fn document(&self, file_id: &str) -> Result<Option<Document>, LibraryError> {
        self.core
            .store
            .read(|connection| documents::get(connection, file_id))
    }

    /// Deletes the file everywhere: its bytes, its text, its place in collections, its
    /// passages in their indexes. `false` when there is no such file.
    pub fn delete_file(&self, id: &str) -> Result<bool, LibraryError> {
        let core = &self.core;
        let changing = core.indexes.lock_changes();
        let removed = core.store.write(|connection| {
            let Some(file) = files::get(connection, id)? else {
                return Ok(None);
            };
            let mut removed = Vec::new();
            for collection_id in memberships::collections_of(connection, id)? {
                removed.push(core.remove_members(
                    connection,
                    collection_id,
                    vec![id.to_string()],
                )?);
            }
            files::delete(connection, &file.id)?;
            Ok(Some(removed))
        })?;
        let existed = removed.is_some();
        for removed in removed.iter().flatten() {
            core.forget(removed, &changing);
        }
        Ok(existed)
    }
}
