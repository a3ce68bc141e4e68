//! The index on disk: opening, checking, syncing, and what its errors mean.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::Path;

use serde::{Deserialize, Serialize};
use tantivy::TantivyError;
use tantivy::directory::MmapDirectory;
use tantivy::directory::error::{LockError, OpenReadError};
use tantivy::schema::Schema;

use crate::error::RetrievalError;

/// Raised whenever the analysis or the schema changes, so that old indexes are built again.
const FORMAT: u32 = 5;

/// Checksums of an index up to this size are verified when it is opened. Beyond, reading it all
/// would keep everyone waiting: every file still proves its end and its version, and
/// [`Index::verify`](super::Index::verify) reads the rest when there is time.
const MAX_VERIFIED_BYTES: u64 = 64 * 1024 * 1024;

/// What every commit says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    format: u32,
    /// The caller's count of states of the collection.
    pub(super) generation: u64,
}

impl Stamp {
    pub(super) fn new(generation: u64) -> Stamp {
        Stamp {
            format: FORMAT,
            generation,
        }
    }

    pub(super) fn to_payload(self) -> String {
        serde_json::to_string(&self).expect("two numbers have a JSON form")
    }

    /// The stamp of the last commit; generation 0 for an index that was just created.
    pub(super) fn read(index: &tantivy::Index) -> Result<Stamp, RetrievalError> {
        let meta = index.load_metas().map_err(damaged)?;
        let Some(payload) = meta.payload.as_deref() else {
            return if meta.segments.is_empty() {
                Ok(Stamp::new(0))
            } else {
                Err(damage("the last commit carries no stamp"))
            };
        };
        match serde_json::from_str::<Stamp>(payload) {
            Ok(stamp) if stamp.format == FORMAT => Ok(stamp),
            Ok(stamp) => Err(damage(format!("format {}, not {FORMAT}", stamp.format))),
            Err(_) => Err(damage("the last commit's stamp is unreadable")),
        }
    }
}

/// Opens what is in `directory`, or begins an index there when nothing is.
pub(super) fn open_or_create(
    directory: &Path,
    schema: &Schema,
) -> Result<tantivy::Index, RetrievalError> {
    fs::create_dir_all(directory).map_err(io_error)?;
    let bytes = visible_bytes(directory).map_err(io_error)?;
    let mmap = MmapDirectory::open(directory).map_err(|error| damaged(error.into()))?;
    let Some(bytes) = bytes else {
        let settings = tantivy::IndexSettings::default();
        let created = tantivy::Index::create(mmap, schema.clone(), settings);
        let index = created.map_err(storage_error)?;
        sync(directory)?;
        return Ok(index);
    };
    let index = tantivy::Index::open(mmap).map_err(damaged)?;
    if index.schema() != *schema {
        return Err(damage("its schema is another version's"));
    }
    if bytes <= MAX_VERIFIED_BYTES {
        verify(&index)?;
    }
    Ok(index)
}

/// tantivy syncs the directory before it renames a commit into place, not after; without this a
/// commit could be undone by a power failure.
pub(super) fn sync(directory: &Path) -> Result<(), RetrievalError> {
    // Directories cannot be opened, and need not be synced, elsewhere.
    if cfg!(unix) {
        File::open(directory)
            .and_then(|file| file.sync_all())
            .map_err(io_error)?;
    }
    Ok(())
}

/// An error while opening: nearly always the index's fault.
pub(super) fn damaged(error: TantivyError) -> RetrievalError {
    if let Some(kind) = io_kind(&error)
        && !matches!(
            kind,
            ErrorKind::UnexpectedEof | ErrorKind::InvalidData | ErrorKind::NotFound
        )
    {
        return storage_error(error);
    }
    damage(error.to_string())
}

/// An error while reading or writing an index that opened well.
pub(super) fn storage_error(error: TantivyError) -> RetrievalError {
    match error {
        TantivyError::LockFailure(LockError::LockBusy, _) => RetrievalError::Busy,
        TantivyError::DataCorruption(_) => damage(error.to_string()),
        _ => RetrievalError::Storage(Box::new(error)),
    }
}

/// An index that is not what it should be.
pub(crate) fn damage(reason: impl Into<String>) -> RetrievalError {
    RetrievalError::Damaged {
        reason: reason.into(),
    }
}

/// Reads every file and compares it with its checksum.
pub(super) fn verify(index: &tantivy::Index) -> Result<(), RetrievalError> {
    let wrong = index.validate_checksum().map_err(damaged)?;
    match wrong.iter().min() {
        Some(file) => Err(damage(format!("wrong checksum in {}", file.display()))),
        None => Ok(()),
    }
}

/// Size of the index's files, which excludes locks and lists (their names begin with a dot); `None`
/// when there are none.
fn visible_bytes(directory: &Path) -> io::Result<Option<u64>> {
    let mut bytes = None;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            *bytes.get_or_insert(0) += entry.metadata()?.len();
        }
    }
    Ok(bytes)
}

fn io_kind(error: &TantivyError) -> Option<ErrorKind> {
    match error {
        TantivyError::IoError(error) => Some(error.kind()),
        TantivyError::OpenReadError(OpenReadError::IoError { io_error, .. }) => {
            Some(io_error.kind())
        }
        _ => None,
    }
}

fn io_error(error: io::Error) -> RetrievalError {
    RetrievalError::Storage(Box::new(error))
}
