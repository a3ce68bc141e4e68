//! What can go wrong in the library.

use std::error::Error;
use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use retrieval::RetrievalError;
use rusqlite::ErrorCode;

/// Why the library refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// Another process holds the data directory.
    #[error(
        "the data directory {} is in use by another process: stop it or choose another directory",
        directory.display()
    )]
    InUse {
        /// The data directory.
        directory: PathBuf,
    },

    /// The data directory was written by a newer version of this program.
    #[error("the library has format {found} and this version reads at most {known}")]
    TooNew {
        /// The format found.
        found: i64,
        /// The newest format this version knows.
        known: i64,
    },

    /// The data directory was written by an older version of this program.
    #[error(
        "the library has format {found}: open it once with this version, which makes it format {known}"
    )]
    TooOld {
        /// The format found.
        found: i64,
        /// The format of this version.
        known: i64,
    },

    /// Nothing of that kind has that id, name or path.
    #[error("no {what} `{id}`")]
    NotFound {
        /// The kind of thing: "file", "collection", "path".
        what: &'static str,
        /// The id or name as it was given.
        id: String,
    },

    /// A thing of that kind has that name already.
    #[error("there is already a {what} `{name}`")]
    Exists {
        /// The kind of thing.
        what: &'static str,
        /// The name as it was given.
        name: String,
    },

    /// A value is outside what is allowed.
    #[error("{message}")]
    Invalid {
        /// The field at fault.
        param: &'static str,
        /// What is wrong and what is allowed.
        message: String,
    },

    /// A file is larger than the configured limit.
    #[error("the file has {bytes} bytes and the limit is {limit}")]
    TooLarge {
        /// The size of the file.
        bytes: u64,
        /// The largest size allowed.
        limit: u64,
    },

    /// A path given by the user holds no file to read.
    #[error("nothing to read in {}: {reason}", path.display())]
    NothingToRead {
        /// The path.
        path: PathBuf,
        /// Why not.
        reason: String,
    },

    /// No space is left. Reading goes on, and writing does when there is space again.
    #[error("no space is left on the disk")]
    StorageFull,

    /// The file system failed.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// What was tried, as a verb: "read", "create".
        doing: &'static str,
        /// With which file or directory.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },

    /// The database failed.
    #[error("the database failed")]
    Database(#[source] Box<dyn Error + Send + Sync>),

    /// The search index failed; it can be built again from the database.
    #[error("the index failed")]
    Index(#[source] RetrievalError),

    /// The embedder failed or is busy.
    #[error("embedding failed")]
    Embedder(#[from] engine::EngineError),

    /// Indexing or embedding cannot go on for now. It tries again by itself.
    #[error("indexing is stalled: {reason}")]
    Stalled {
        /// Why.
        reason: String,
    },

    /// The library was closed and takes no more work.
    #[error("the library is closed")]
    Closed,
}

impl LibraryError {
    /// For `map_err`: a failure of the file system while `doing` something with `path`.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LibraryError {
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => LibraryError::StorageFull,
            _ => LibraryError::Io {
                doing,
                path: path.to_path_buf(),
                source,
            },
        }
    }

    /// A failure to read back what was received a moment ago.
    pub(crate) fn received(source: io::Error) -> LibraryError {
        LibraryError::io("read back", Path::new("what was received"))(source)
    }

    /// The message with those of its causes, for one line of log.
    pub(crate) fn with_causes(&self) -> String {
        let mut line = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            // Writing to a string cannot fail.
            let _ = write!(line, ": {error}");
            cause = error.source();
        }
        line
    }
}

impl From<rusqlite::Error> for LibraryError {
    fn from(error: rusqlite::Error) -> LibraryError {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => LibraryError::StorageFull,
            _ => LibraryError::Database(Box::new(error)),
        }
    }
}

impl From<serde_json::Error> for LibraryError {
    /// What the library wrote as JSON into a column it can read again, so this is damage.
    fn from(error: serde_json::Error) -> LibraryError {
        LibraryError::Database(Box::new(error))
    }
}

impl From<RetrievalError> for LibraryError {
    fn from(error: RetrievalError) -> LibraryError {
        if is_storage_full(&error) {
            return LibraryError::StorageFull;
        }
        LibraryError::Index(error)
    }
}

/// Looks for "no space left" among the causes, whatever library wrapped them.
fn is_storage_full(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let shared = error.downcast_ref::<Arc<io::Error>>().map(Arc::as_ref);
        let io = error.downcast_ref::<io::Error>().or(shared);
        if io.is_some_and(|io| io.kind() == io::ErrorKind::StorageFull) {
            return true;
        }
        cause = error.source();
    }
    false
}
