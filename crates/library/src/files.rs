//! Files: added, listed, read, deleted.

use crate::store::{answers, contents, documents, files, memberships};
use crate::{Document, File, Library, LibraryError, Listing, NewFile, Page, Purged};

impl Library {
    /// Stores a file. When this returns, it survives a power failure.
    ///
    /// # Errors
    ///
    /// [`LibraryError::Invalid`] for a bad name or purpose, [`LibraryError::TooLarge`],
    /// [`LibraryError::StorageFull`].
    pub fn add_file(&self, file: NewFile) -> Result<File, LibraryError> {
        let file = file.checked(self.core.settings.max_file_bytes)?;
        let record = file.record(file.content.sha256());
        self.core.store.write(|connection| {
            let added = files::insert(connection, &record)?;
            contents::put(connection, &added.id, &mut file.content.reader()?)?;
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
            .read(|connection| contents::whole(connection, file_id))
    }

    /// The bytes of a file piece by piece, for what may be large; `None` behind the last piece,
    /// and where [`Library::content`] has none.
    pub fn content_part(
        &self,
        file_id: &str,
        number: u32,
    ) -> Result<Option<Vec<u8>>, LibraryError> {
        self.core
            .store
            .read(|connection| contents::part(connection, file_id, number))
    }

    /// The text of a file. `None` until it has been extracted, which happens when the file
    /// is first attached to a collection.
    pub fn document(&self, file_id: &str) -> Result<Option<Document>, LibraryError> {
        self.core
            .store
            .read(|connection| documents::get(connection, file_id))
    }

    /// Deletes the file everywhere: its bytes, its text, its place in collections, its
    /// passages in their indexes. `None` when there is no such file.
    ///
    /// When this returns, none of it can be found or read any more, whatever happens to the
    /// power. Its space on the disk is given back when the ingest thread next rests.
    pub fn delete_file(&self, id: &str) -> Result<Option<Purged>, LibraryError> {
        let core = &self.core;
        let changing = core.indexes.lock_changes();
        let outcome = core.store.delete(|connection| {
            let Some(file) = files::get(connection, id)? else {
                return Ok(None);
            };
            let mut purged = Purged {
                bytes: file.bytes,
                text_bytes: documents::text_bytes(connection, id)?,
                answers: answers::resting_on(connection, id)?,
                ..Purged::default()
            };
            let mut removed = Vec::new();
            for collection_id in memberships::collections_of(connection, id)? {
                purged.passages += core.passages_of(&collection_id, id);
                purged.collections.push(collection_id.clone());
                removed.push(core.remove_members(
                    connection,
                    collection_id,
                    vec![id.to_string()],
                )?);
            }
            files::delete(connection, &file.id)?;
            Ok(Some((purged, removed)))
        })?;
        let Some((purged, removed)) = outcome else {
            return Ok(None);
        };
        for removed in &removed {
            core.forget(removed, &changing);
        }
        // For the ingest thread to tidy up.
        core.signal.work_arrived();
        Ok(Some(purged))
    }
}
