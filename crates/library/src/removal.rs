//! Taking files out of a collection: first out of the database, then out of its index.

use std::collections::BTreeSet;

use retrieval::Change;
use rusqlite::Connection;
use tracing::warn;

use crate::LibraryError;
use crate::indexes::Changing;
use crate::library::Core;
use crate::store::{collections, removals};

/// What a deletion took away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Bytes as they were uploaded or found.
    pub bytes: u64,
    /// Bytes of extracted text.
    pub text_bytes: u64,
    /// Passages in the indexes of all collections.
    pub passages: u64,
    /// Kept answers that repeated something of it, and tell nothing any more.
    pub answers: u64,
    /// The ids of the collections it was in.
    pub collections: Vec<String>,
}

/// Files that a collection does not hold any more.
pub(crate) struct Removed {
    collection_id: String,
    file_ids: Vec<String>,
    /// The collection's generation with them.
    before: u64,
    /// The collection's generation without them.
    after: u64,
}

impl Core {
    /// Ends the memberships of `file_ids` and moves the collection to its next generation,
    /// within the caller's transaction. The caller holds leave to change contents, and calls
    /// [`forget`](Core::forget) when the transaction is done.
    pub(crate) fn remove_members(
        &self,
        connection: &Connection,
        collection_id: String,
        file_ids: Vec<String>,
    ) -> Result<Removed, LibraryError> {
        let before = self.distrust_unrecorded(connection, &collection_id)?;
        let index_generation = self.indexes.generation(&collection_id);
        let after = before.max(index_generation.unwrap_or(0)) + 1;
        removals::remove_members(connection, &collection_id, &file_ids, after)?;
        collections::set_generation(connection, &collection_id, after)?;
        Ok(Removed {
            collection_id,
            file_ids,
            before,
            after,
        })
    }

    /// Asks for building the index again if files that are about to go may have had a part in a
    /// commit that was not recorded. Returns the collection's generation.
    pub(crate) fn distrust_unrecorded(
        &self,
        connection: &Connection,
        collection_id: &str,
    ) -> Result<u64, LibraryError> {
        let state = collections::index_state(connection, collection_id)?;
        let recorded = state.map_or(0, |state| state.generation);
        let index_generation = self.indexes.generation(collection_id);
        if index_generation.is_none_or(|generation| generation > recorded) {
            // Either the index could not be opened, and its generation might happen to be the
            // next one; or its last commit was not recorded. It serves for now, and the next
            // opening builds it again.
            collections::set_passages(connection, collection_id, "")?;
        }
        Ok(recorded)
    }

    /// How many passages of the file the collection's index holds, as far as it is open.
    pub(crate) fn passages_of(&self, collection_id: &str, file_id: &str) -> u64 {
        let index = self.indexes.opened(collection_id);
        index.map_or(0, |index| index.passage_count_of(file_id).unwrap_or(0))
    }

    /// Takes the files out of the index.
    ///
    /// This cannot fail, because the database has forgotten them already: an index that could
    /// not follow is noted as behind, and the ingest thread catches it up.
    pub(crate) fn forget(&self, removed: &Removed, _changing: &Changing) {
        let Removed {
            collection_id,
            file_ids,
            ..
        } = removed;
        if let Err(error) = self.try_forget(removed) {
            let collection = &removed.collection_id;
            warn!(
                collection,
                error = error.with_causes(),
                "cannot delete from the index"
            );
            self.indexes.note_behind(collection);
            self.signal.work_arrived();
        }
        // What is being replaced cannot forget them.
        self.indexes.dismiss_outgoing(collection_id);
        self.listeners.removed(collection_id, file_ids);
        // Their vectors go too.
        self.signal.contents_changed();
    }

    fn try_forget(&self, removed: &Removed) -> Result<(), LibraryError> {
        let index = self.indexes.get(&self.store, &removed.collection_id)?;
        let was_behind = index.generation() < removed.before;
        // An index that was behind stays so: the deletion takes effect, and what the index
        // lacks is still to come.
        let generation = if was_behind {
            index.generation()
        } else {
            removed.after
        };
        let delete = |file_id: &String| Change::Delete {
            file_id: file_id.clone(),
        };
        let file_ids: BTreeSet<&String> = removed.file_ids.iter().collect();
        index.apply(file_ids.into_iter().map(delete).collect(), generation)?;
        Ok(())
    }
}
