//! One process per data directory.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::LibraryError;

/// Where the holder says how it can be reached.
const ADDRESS_FILE: &str = "address";

/// Who has the lock for longer keeps it.
const A_MOMENT: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Held as long as the library is open; the system lets go of it however the process ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock file of `directory`, or says that another process has it.
    ///
    /// Who has it for a moment only is waited for: a command that looks who is there, and a child
    /// that a process had forked and that has not begun its own program yet when the process was
    /// killed.
    pub(crate) fn take(directory: &Path) -> Result<Lock, LibraryError> {
        let path = directory.join("lock");
        let file = File::create(&path).map_err(LibraryError::io("create", &path))?;
        let started = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Lock { _file: file }),
                Err(TryLockError::WouldBlock) if started.elapsed() < A_MOMENT => {
                    thread::sleep(LOOK_EVERY);
                }
                Err(TryLockError::WouldBlock) => {
                    let directory = directory.to_path_buf();
                    return Err(LibraryError::InUse { directory });
                }
                Err(TryLockError::Error(error)) => {
                    return Err(LibraryError::io("lock", &path)(error));
                }
            }
        }
    }
}

/// Who has a data directory open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// Nobody.
    Nobody,
    /// A process that said nothing.
    Unknown,
    /// A process that can be reached there.
    At(String),
}

/// Who has the library in `data_dir` open.
pub fn holder(data_dir: &Path) -> Holder {
    let Ok(file) = File::open(data_dir.join("lock")) else {
        return Holder::Nobody;
    };
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => match fs::read_to_string(data_dir.join(ADDRESS_FILE)) {
            Ok(address) => Holder::At(address.trim().to_string()),
            Err(_) => Holder::Unknown,
        },
        _ => Holder::Nobody,
    }
}

/// Says how the holder of `data_dir` can be reached; `None` takes it back.
pub(crate) fn announce(data_dir: &Path, address: Option<&str>) -> io::Result<()> {
    let path = data_dir.join(ADDRESS_FILE);
    match address {
        Some(address) => fs::write(path, address),
        None => fs::remove_file(path),
    }
}
