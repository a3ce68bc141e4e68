//! The search indexes of all collections: opened, compared with the database, thrown away
//! when they cannot be used.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use retrieval::{Index, Query, RetrievalError};
use rusqlite::Connection;
use tracing::warn;

use crate::store::collections::{self, IndexState};
use crate::store::{Store, memberships, unpoisoned};
use crate::{LibraryError, Page, Status};

/// Searches that a damaged index must survive to be searched on, and passages of each.
const PROBES: usize = 50;

/// The indexes, each in a directory named by its collection's id.
pub(crate) struct Indexes {
    root: PathBuf,
    /// The passage settings indexes are built with.
    passages: String,
    open: Mutex<HashMap<String, Arc<Index>>>,
    /// Indexes that are being replaced and are searched until the new ones are complete. What is
    /// open stays readable when its files are gone.
    outgoing: Mutex<HashMap<String, Arc<Index>>>,
    /// Held while an index is opened, so that none is opened twice. `open` is locked only
    /// for a moment, also by those who hold the database's writer.
    opening: Mutex<()>,
    /// Collections whose index holds less than the database says.
    behind: Mutex<BTreeSet<String>>,
    /// Collections whose index was read whole since the library was opened.
    verified: Mutex<BTreeSet<String>>,
    changing: Mutex<()>,
}

/// Leave to change the contents of collections. Whoever changes both the database and an
/// index holds it across the two, so that their generations move together.
pub(crate) struct Changing<'a> {
    _guard: MutexGuard<'a, ()>,
}

/// How an index stands to the database.
#[derive(Debug, PartialEq, Eq)]
enum Standing {
    Equal,
    Behind,
    Useless,
}

impl Indexes {
    /// No index is opened yet.
    pub(crate) fn new(root: PathBuf, passages: String) -> Indexes {
        Indexes {
            root,
            passages,
            open: Mutex::default(),
            outgoing: Mutex::default(),
            opening: Mutex::default(),
            behind: Mutex::default(),
            verified: Mutex::default(),
            changing: Mutex::default(),
        }
    }

    /// The passage settings, as the database notes them.
    pub(crate) fn passages(&self) -> &str {
        &self.passages
    }

    /// Opens the index of every collection, and deletes those of collections that are gone.
    ///
    /// A collection whose index cannot be opened does not keep the others from starting; it
    /// is tried again when it is asked for.
    pub(crate) fn open_all(&self, store: &Store) -> Result<(), LibraryError> {
        let ids = store.read(collections::ids)?;
        self.delete_strays(&ids)?;
        for id in &ids {
            if let Err(error) = self.get(store, id) {
                warn!(
                    collection = id,
                    error = error.with_causes(),
                    "cannot open the index"
                );
            }
        }
        Ok(())
    }

    /// The index of the collection with that id.
    pub(crate) fn get(&self, store: &Store, id: &str) -> Result<Arc<Index>, LibraryError> {
        if let Some(index) = self.opened(id) {
            return Ok(index);
        }
        let _opening = unpoisoned(&self.opening);
        if let Some(index) = self.opened(id) {
            return Ok(index);
        }
        let index = Arc::new(self.open_checked(store, id)?);
        unpoisoned(&self.open).insert(id.to_string(), Arc::clone(&index));
        Ok(index)
    }

    /// The index of the collection with that id, as searches should see it: while it is built
    /// again, the one before it, if that can be read and holds nothing that was deleted.
    pub(crate) fn to_search(&self, store: &Store, id: &str) -> Result<Arc<Index>, LibraryError> {
        let outgoing = unpoisoned(&self.outgoing).get(id).map(Arc::clone);
        outgoing.map_or_else(|| self.get(store, id), Ok)
    }

    /// Lets go of what is being replaced: its successor is complete, or a file was deleted that
    /// must not be found any more.
    pub(crate) fn dismiss_outgoing(&self, id: &str) {
        unpoisoned(&self.outgoing).remove(id);
    }

    /// The generation of an index that is open.
    pub(crate) fn generation(&self, id: &str) -> Option<u64> {
        Some(self.opened(id)?.generation())
    }

    /// Waits for leave to change contents.
    pub(crate) fn lock_changes(&self) -> Changing<'_> {
        Changing {
            _guard: unpoisoned(&self.changing),
        }
    }

    /// Closes and deletes the index of a collection that is gone.
    pub(crate) fn delete(&self, id: &str) -> Result<(), LibraryError> {
        self.dismiss_outgoing(id);
        unpoisoned(&self.open).remove(id);
        unpoisoned(&self.behind).remove(id);
        delete_directory(&self.root.join(id))
    }

    /// Whether the index holds less than the database says.
    pub(crate) fn is_behind(&self, id: &str) -> bool {
        unpoisoned(&self.behind).contains(id)
    }

    /// Notes that the index holds less than the database says.
    pub(crate) fn note_behind(&self, id: &str) {
        unpoisoned(&self.behind).insert(id.to_string());
    }

    /// Notes that the index holds what the database says.
    pub(crate) fn note_caught_up(&self, id: &str) {
        self.dismiss_outgoing(id);
        unpoisoned(&self.behind).remove(id);
    }

    /// A collection whose index is behind, but none that is to be passed over.
    pub(crate) fn next_behind(&self, pass_over: impl Fn(&String) -> bool) -> Option<String> {
        let behind = unpoisoned(&self.behind);
        behind.iter().find(|id| !pass_over(id)).cloned()
    }

    /// Replaces an index that turned out to be damaged by an empty one, and notes that it is
    /// behind. Until the new one has caught up, the damaged one is searched, if it still can be.
    pub(crate) fn build_again(
        &self,
        store: &Store,
        id: &str,
        reason: &str,
    ) -> Result<(), LibraryError> {
        let _opening = unpoisoned(&self.opening);
        let damaged = unpoisoned(&self.open).remove(id);
        if let Some(damaged) = &damaged {
            damaged.retire_writer();
        }
        let index = Arc::new(self.start_over(store, id, reason)?);
        let names = store.read(|connection| some_names(connection, id))?;
        if let Some(damaged) = damaged.filter(|damaged| still_answers(damaged, &names)) {
            unpoisoned(&self.outgoing).insert(id.to_string(), damaged);
        }
        unpoisoned(&self.open).insert(id.to_string(), index);
        self.note_behind(id);
        Ok(())
    }

    /// Whether the index has not been verified since it was opened; asked once.
    pub(crate) fn wants_verifying(&self, id: &str) -> bool {
        unpoisoned(&self.verified).insert(id.to_string())
    }

    /// The indexes that are open, by the ids of their collections.
    pub(crate) fn opened_ones(&self) -> Vec<(String, Arc<Index>)> {
        let open = unpoisoned(&self.open);
        open.iter()
            .map(|(id, index)| (id.clone(), Arc::clone(index)))
            .collect()
    }

    /// The index of a collection, if it is open.
    pub(crate) fn opened(&self, id: &str) -> Option<Arc<Index>> {
        unpoisoned(&self.open).get(id).map(Arc::clone)
    }

    fn open_checked(&self, store: &Store, id: &str) -> Result<Index, LibraryError> {
        let state = store.read(|connection| collections::index_state(connection, id))?;
        let state = state.ok_or_else(|| LibraryError::NotFound {
            what: "collection",
            id: id.to_string(),
        })?;
        let directory = self.root.join(id);
        let index = match Index::open(&directory) {
            Ok(index) if self.standing(&index, &state) != Standing::Useless => index,
            Ok(index) => {
                let reason = "it does not belong to the library's state";
                let new = self.start_over(store, id, reason)?;
                // Cut otherwise, and else as it should be: it serves until the new one is there.
                let is_distrusted = state.passages.is_empty();
                if !is_distrusted && standing(index.generation(), &state) == Standing::Equal {
                    unpoisoned(&self.outgoing).insert(id.to_string(), Arc::new(index));
                }
                new
            }
            Err(RetrievalError::Damaged { reason }) => self.start_over(store, id, &reason)?,
            // A full disk or a missing permission is no reason to delete anything.
            Err(error) => return Err(error.into()),
        };
        if index.generation() < state.generation {
            self.note_behind(id);
        }
        Ok(index)
    }

    fn standing(&self, index: &Index, state: &IndexState) -> Standing {
        if state.passages != self.passages {
            return Standing::Useless;
        }
        standing(index.generation(), state)
    }

    /// Replaces the index by an empty one, for the ingest thread to fill: everything in an
    /// index is derived.
    fn start_over(&self, store: &Store, id: &str, reason: &str) -> Result<Index, LibraryError> {
        warn!(collection = id, reason, "building the index again");
        let directory = self.root.join(id);
        delete_directory(&directory)?;
        let index = Index::open(&directory)?;
        // Only now: until the old index is gone, the note must say that it is of no use.
        store.write(|connection| collections::set_passages(connection, id, &self.passages))?;
        Ok(index)
    }

    /// Deletes what a crash left of collections that were deleted.
    fn delete_strays(&self, ids: &[String]) -> Result<(), LibraryError> {
        fs::create_dir_all(&self.root).map_err(LibraryError::io("create", &self.root))?;
        let entries = fs::read_dir(&self.root).map_err(LibraryError::io("read", &self.root))?;
        for entry in entries {
            let path = entry.map_err(LibraryError::io("read", &self.root))?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            // Only what bears the name of a collection is ours to delete.
            let stray = name
                .is_some_and(|name| name.starts_with("vs_") && !ids.iter().any(|id| id == name));
            if stray {
                delete_directory(&path)?;
            }
        }
        Ok(())
    }
}

/// The names of some files of a collection, as words to search for.
fn some_names(connection: &Connection, id: &str) -> Result<Vec<String>, LibraryError> {
    let only = memberships::Only {
        status: Some(Status::Completed),
        batch: None,
    };
    let page = Page {
        limit: PROBES,
        ..Page::default()
    };
    let files = memberships::list(connection, id, &only, &page)?.data;
    Ok(files.into_iter().map(|file| file.filename).collect())
}

/// Whether searching a damaged index comes to an end, for each of these words.
fn still_answers(damaged: &Index, names: &[String]) -> bool {
    // tantivy panics over some damage instead of refusing it.
    let answers = |name: &String| {
        let search = || damaged.search(&Query::new(name, PROBES)).is_ok();
        panic::catch_unwind(AssertUnwindSafe(search)).unwrap_or(false)
    };
    names.iter().all(answers)
}

fn standing(index_generation: u64, state: &IndexState) -> Standing {
    let misses_removals = index_generation > 0 && index_generation < state.removals_since;
    if index_generation > state.generation || misses_removals {
        // Ahead: a crash between the index's commit and the database's, or a database that
        // was put back. The index alone cannot tell which, so it is not trusted.
        Standing::Useless
    } else if index_generation < state.generation {
        Standing::Behind
    } else {
        Standing::Equal
    }
}

/// Deletes a directory with all that is in it; one that is not there is fine.
pub(crate) fn delete_directory(path: &Path) -> Result<(), LibraryError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(LibraryError::io("delete", path)(error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    //! What recovery rests on.

    use retrieval::{Change, PassageSettings, SourceDocument};

    use super::*;

    #[test]
    fn an_index_is_trusted_only_up_to_the_database() {
        let check = |index: u64, generation: u64, removals_since: u64, expected: Standing| {
            let state = IndexState {
                generation,
                removals_since,
                passages: String::new(),
            };
            assert_eq!(
                standing(index, &state),
                expected,
                "{index} against {state:?}"
            );
        };
        check(0, 0, 0, Standing::Equal);
        check(7, 7, 0, Standing::Equal);
        check(6, 7, 0, Standing::Behind);
        check(8, 7, 0, Standing::Useless);
        check(4, 7, 4, Standing::Behind);
        check(3, 7, 4, Standing::Useless);
        check(0, 7, 4, Standing::Behind);
    }

    #[test]
    fn a_damaged_index_is_searched_until_the_next_one_is_complete() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = Store::open(directory.path().join("library.sqlite")).expect("a database");
        let passages = "64 tokens";
        let indexes = Indexes::new(directory.path().join("index"), passages.into());
        let inserted = store.write(|connection| collections::insert(connection, "c", passages));
        let id = inserted.expect("a collection");
        let count = || {
            let index = indexes.to_search(&store, &id).expect("an index");
            let found = index.search(&Query::new("curlew", 10));
            found.expect("a valid query").len()
        };
        let document = SourceDocument {
            file_id: "f",
            filename: "f",
            title: "",
            text: "a curlew",
            headings: &[],
            pages: &[],
            markdown: false,
        };
        let settings = PassageSettings {
            max_tokens: 9,
            overlap_tokens: 0,
            count_tokens: &|text| text.len(),
        };
        let change = |file_id: &str| Change::Upsert {
            file_id: file_id.into(),
            passages: retrieval::split(&document, &settings),
        };
        let index = indexes.get(&store, &id).expect("an index");
        index
            .apply(vec![change("f"), change("g")], 1)
            .expect("a commit");
        assert_eq!(count(), 2);
        indexes
            .build_again(&store, &id, "for a test")
            .expect("a new one");
        assert!(indexes.is_behind(&id));
        assert_eq!(count(), 2, "the damaged one serves");
        let index = indexes.get(&store, &id).expect("an index");
        index.apply(vec![change("f")], 1).expect("a commit");
        assert_eq!(count(), 2, "the new one is not complete");
        indexes.note_caught_up(&id);
        assert_eq!(count(), 1, "the new one serves");
    }
}
