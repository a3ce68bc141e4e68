//! One process per data directory.

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::LibraryError;

/// Held as long as the library is open; the system lets go of it however the process ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock file of `directory`, or says that another process has it.
    pub(crate) fn take(directory: &Path) -> Result<Lock, LibraryError> {
        let path = directory.join("lock");
        let file = File::create(&path).map_err(LibraryError::io("create", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(LibraryError::InUse {
                directory: directory.to_path_buf(),
            }),
            Err(TryLockError::Error(error)) => Err(LibraryError::io("lock", &path)(error)),
        }
    }
}
