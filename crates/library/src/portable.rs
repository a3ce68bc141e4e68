//! Collections as files that can be carried elsewhere, and copies of the whole library.
//!
//! Both are SQLite databases with the tables of [`crate::store`], so that any tool that reads
//! SQLite reads them. An export holds one collection with its files, their bytes and texts;
//! indexes are built again where it is imported. A backup is the whole `library.sqlite`, and is
//! restored by putting it into an empty data directory.

use std::fs;
use std::path::{Path, PathBuf};

use crate::store::{StoredFile, collections, portable};
use crate::{Collection, Library, LibraryError};

/// What an export or an import moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The collection's name where it is now.
    pub collection: String,
    /// Its files.
    pub files: u64,
    /// Bytes of these files.
    pub bytes: u64,
}

/// Writes a collection of the library in `data_dir` to a new file. Whether a process has the
/// library open does not matter: the export is the state of one moment.
///
/// # Errors
///
/// [`LibraryError::Exists`] when the file does, [`LibraryError::NotFound`] for an unknown
/// collection or a directory without a library, [`LibraryError::StorageFull`].
pub fn export(data_dir: &Path, collection: &str, to: &Path) -> Result<Moved, LibraryError> {
    let stored = StoredFile::of(data_dir)?;
    write_new(to, |partial| portable::export(&stored, collection, partial))
}

/// Copies the library in `data_dir`, as it is at one moment, to a new file. Whether a process
/// has the library open does not matter, and it goes on meanwhile.
///
/// # Errors
///
/// Those of [`export`].
pub fn backup(data_dir: &Path, to: &Path) -> Result<(), LibraryError> {
    let stored = StoredFile::of(data_dir)?;
    write_new(to, |partial| portable::backup(&stored, partial))
}

impl Library {
    /// Adds the collection of an export, under its own name or another one. All of it is there
    /// when this returns, and is indexed by the ingest thread.
    ///
    /// # Errors
    ///
    /// [`LibraryError::Invalid`] for a file that is no export or is damaged, with nothing
    /// added; [`LibraryError::Exists`] when there is a collection of that name.
    pub fn import(&self, from: &Path, name: Option<&str>) -> Result<Collection, LibraryError> {
        let core = &self.core;
        let name = name.map(crate::collection::checked_name).transpose()?;
        let passages = core.indexes.passages();
        let id = core
            .store
            .with_writer(|writer| portable::import(writer, from, name, passages))?;
        // Opening the index finds that it is behind.
        core.indexes.get(&core.store, &id)?;
        core.signal.work_arrived();
        let collection = core
            .store
            .read(|connection| collections::get(connection, &id))?;
        Ok(collection.expect("it was just added"))
    }
}

/// Lets `write` make a file beside `to`, and moves it there when it is complete and synced: no
/// half of an export is ever taken for one.
fn write_new<T>(
    to: &Path,
    write: impl FnOnce(&Path) -> Result<T, LibraryError>,
) -> Result<T, LibraryError> {
    if to.exists() {
        return Err(LibraryError::Exists {
            what: "file",
            name: to.display().to_string(),
        });
    }
    let partial = partial_path(to);
    remove_partial(&partial)?;
    let written = write(&partial).and_then(|written| {
        sync(&partial)?;
        fs::rename(&partial, to).map_err(LibraryError::io("create", to))?;
        Ok(written)
    });
    if written.is_err() {
        let _ = remove_partial(&partial);
    }
    let written = written?;
    if cfg!(unix) {
        let parent = to.parent().filter(|path| !path.as_os_str().is_empty());
        sync(parent.unwrap_or(Path::new(".")))?;
    }
    Ok(written)
}

fn partial_path(to: &Path) -> PathBuf {
    let mut name = to.file_name().unwrap_or_default().to_os_string();
    name.push(".partial");
    to.with_file_name(name)
}

fn remove_partial(partial: &Path) -> Result<(), LibraryError> {
    match fs::remove_file(partial) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(LibraryError::io("replace", partial)(error))
        }
        _ => Ok(()),
    }
}

fn sync(path: &Path) -> Result<(), LibraryError> {
    fs::File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(LibraryError::io("sync", path))
}
