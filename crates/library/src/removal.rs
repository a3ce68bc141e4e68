//! Taking files out of a collection: first out of the database, then out of its index.

use std::collections::BTreeSet;

use retrieval::Change;
use rusqlite::Connection;
use tracing::warn;

use crate::LibraryError;
use crate::indexes::Changing;
use crate::library::Core;
use crate::store::{collections, removals};

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
        let state = collections::index_state(connection, &collection_id)?;
        let before = state.map_or(0, |state| state.generation);
        let index_generation = self.indexes.generation(&collection_id);
        if index_generation.is_none_or(|generation| generation > before) {
            // Either the index could not be opened, and its generation might happen to be the
            // next one; or its last commit was not recorded, and these files may have had a
            // part in it. It serves for now, and the next opening builds it again.
            collections::set_passages(connection, &collection_id, "")?;
        }
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

    /// Takes the files out of the index.
    ///
    /// This cannot fail, because the database has forgotten them already: an index that could
    /// not follow is noted as behind, and the ingest thread catches it up.
    pub(crate) fn forget(&self, removed: &Removed, _changing: &Changing) {
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
