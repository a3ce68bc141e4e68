//! The library as its users hold it: opening and closing.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use engine::Embedder;
use extract::Extractor;
use retrieval::Index;

use crate::events::{Listener, Listeners};
use crate::hashes::Hashes;
use crate::indexes::Indexes;
use crate::lock::{self, Lock};
use crate::signal::Signal;
use crate::store::{Store, collections, unpoisoned};
use crate::vector_sets::VectorSets;
use crate::{DEFAULT_COLLECTION, LibraryError, Progress, embedding, ingest};

/// Counts the tokens of a text as the model that will read it does.
pub type CountTokens = Arc<dyn Fn(&str) -> usize + Send + Sync>;

/// Where the library is and what it accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The directory that holds everything; created when missing.
    pub data_dir: PathBuf,
    /// The most tokens of a passage, at least 1. Another value builds the indexes again.
    pub passage_tokens: usize,
    /// The tokens neighbouring passages share, less than `passage_tokens`. Another value
    /// builds the indexes again.
    pub passage_overlap_tokens: usize,
    /// The largest file accepted, in bytes; at most 1,000,000,000.
    pub max_file_bytes: u64,
}

/// Files, collections and their indexes in one data directory.
///
/// All methods may be called from any thread, and may wait for the disk. Dropping the
/// library closes it.
pub struct Library {
    pub(crate) core: Arc<Core>,
    /// The ingest thread and the embedding thread.
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// What the callers' threads and the ingest thread share.
pub(crate) struct Core {
    pub(crate) settings: Settings,
    pub(crate) count_tokens: CountTokens,
    pub(crate) extractor: Extractor,
    pub(crate) store: Store,
    pub(crate) indexes: Indexes,
    pub(crate) vectors: VectorSets,
    pub(crate) embedder: Option<Arc<dyn Embedder>>,
    pub(crate) signal: Signal,
    pub(crate) hashes: Hashes,
    pub(crate) listeners: Listeners,
    _lock: Lock,
}

/// The largest value SQLite stores in one column.
const MAX_BLOB_BYTES: u64 = 1_000_000_000;

impl Library {
    /// Opens the library, creating it when missing, and starts the ingest thread, which goes
    /// on with interrupted jobs and repairs indexes.
    ///
    /// Searches are answered meanwhile from what the indexes hold;
    /// [`wait_until_idle`](Library::wait_until_idle) tells when they are complete.
    ///
    /// # Errors
    ///
    /// [`LibraryError::InUse`] when another process has the directory open,
    /// [`LibraryError::TooNew`] when a newer version wrote it, [`LibraryError::Invalid`] for
    /// impossible settings.
    pub fn open(
        settings: Settings,
        count_tokens: CountTokens,
        extractor: Extractor,
    ) -> Result<Arc<Library>, LibraryError> {
        Library::open_with(settings, count_tokens, extractor, None)
    }

    /// As [`Library::open`], with an embedder that gives every passage a vector, in the
    /// background; [`wait_until_embedded`](Library::wait_until_embedded) tells when all have one.
    ///
    /// # Errors
    ///
    /// As [`Library::open`].
    pub fn open_with(
        settings: Settings,
        count_tokens: CountTokens,
        extractor: Extractor,
        embedder: Option<Arc<dyn Embedder>>,
    ) -> Result<Arc<Library>, LibraryError> {
        check(&settings)?;
        create_directory(&settings.data_dir)?;
        let lock = Lock::take(&settings.data_dir)?;
        // Of an earlier process that did not end well.
        let _ = lock::announce(&settings.data_dir, None);
        let store = Store::open(settings.data_dir.join("library.sqlite"))?;
        let indexes = Indexes::new(settings.data_dir.join("index"), passages(&settings));
        let vectors = VectorSets::new(settings.data_dir.join("vectors"));
        let core = Arc::new(Core {
            settings,
            count_tokens,
            extractor,
            store,
            indexes,
            vectors,
            embedder,
            signal: Signal::default(),
            hashes: Hashes::default(),
            listeners: Listeners::default(),
            _lock: lock,
        });
        core.ensure_default_collection()?;
        core.indexes.open_all(&core.store)?;
        let threads = vec![
            start(&core, "ingest", ingest::run)?,
            start(&core, "embedding", embedding::run)?,
        ];
        Ok(Arc::new(Library {
            core,
            threads: Mutex::new(threads),
        }))
    }

    /// The index of a collection, to be searched. While it is built again this is the one before
    /// it, if that can still be read.
    ///
    /// # Errors
    ///
    /// [`LibraryError::NotFound`] for an unknown collection.
    pub fn index(&self, id_or_name: &str) -> Result<Arc<Index>, LibraryError> {
        let store = &self.core.store;
        let id = store.read(|connection| collections::require(connection, id_or_name))?;
        self.core.indexes.to_search(store, &id)
    }

    /// Lets other processes know, through [`holder`](crate::holder), at which address this
    /// library is served. Where that cannot be written they have to be told otherwise.
    pub fn announce(&self, address: &str) {
        let _ = lock::announce(&self.core.settings.data_dir, Some(address));
    }

    /// Calls `listener` with every event from now on.
    pub fn listen(&self, listener: Listener) {
        self.core.listeners.add(listener);
    }

    /// How far indexing has come; `None` when there is nothing to do.
    pub fn progress(&self) -> Option<Progress> {
        self.core.signal.progress()
    }

    /// Waits until every file is indexed or has failed, and every index is complete.
    /// `report` is called on the way, and once at the end.
    ///
    /// # Errors
    ///
    /// [`LibraryError::StorageFull`] and [`LibraryError::Stalled`] when indexing cannot go
    /// on for now; it keeps trying, and waiting again is allowed. [`LibraryError::Closed`]
    /// when the library is closed with work left.
    pub fn wait_until_idle(&self, report: &mut dyn FnMut(Progress)) -> Result<(), LibraryError> {
        self.core.signal.wait_until_idle(report)
    }

    /// Stops the ingest thread after the file at hand, and the embedding thread after the texts at
    /// hand. What is left goes on at the next opening. Closing twice does nothing.
    pub fn close(&self) {
        self.core.signal.stop();
        let threads = std::mem::take(&mut *unpoisoned(&self.threads));
        for thread in threads {
            // A panic in the thread was reported when it happened.
            let _ = thread.join();
        }
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        self.close();
    }
}

impl Core {
    fn ensure_default_collection(&self) -> Result<(), LibraryError> {
        self.store.write(|connection| {
            if collections::get(connection, DEFAULT_COLLECTION)?.is_none() {
                collections::insert(connection, DEFAULT_COLLECTION, self.indexes.passages())?;
            }
            Ok(())
        })
    }
}

fn check(settings: &Settings) -> Result<(), LibraryError> {
    let invalid = |param, message: String| Err(LibraryError::Invalid { param, message });
    if settings.passage_tokens == 0 {
        return invalid("passage_tokens", "a passage has at least 1 token".into());
    }
    if settings.passage_overlap_tokens >= settings.passage_tokens {
        let message = "passages overlap by less than their length".into();
        return invalid("passage_overlap_tokens", message);
    }
    if settings.max_file_bytes > MAX_BLOB_BYTES {
        let message = format!("files have at most {MAX_BLOB_BYTES} bytes");
        return invalid("max_file_bytes", message);
    }
    Ok(())
}

/// The settings that decide where passages begin and end, as the database notes them.
fn passages(settings: &Settings) -> String {
    format!(
        "{} tokens, overlap {}",
        settings.passage_tokens, settings.passage_overlap_tokens
    )
}

/// Creates the directory so that it survives a power failure like what will be in it.
fn create_directory(directory: &Path) -> Result<(), LibraryError> {
    if directory.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(directory).map_err(LibraryError::io("create", directory))?;
    #[cfg(unix)]
    if let Some(parent) = directory
        .parent()
        .filter(|path| !path.as_os_str().is_empty())
    {
        let opened = fs::File::open(parent).map_err(LibraryError::io("open", parent))?;
        opened
            .sync_all()
            .map_err(LibraryError::io("sync", parent))?;
    }
    Ok(())
}

fn start(core: &Arc<Core>, name: &str, run: fn(&Core)) -> Result<JoinHandle<()>, LibraryError> {
    let shared = Arc::clone(core);
    thread::Builder::new()
        .name(name.into())
        .spawn(move || run(&shared))
        .map_err(LibraryError::io(
            "start a thread for",
            &core.settings.data_dir,
        ))
}
