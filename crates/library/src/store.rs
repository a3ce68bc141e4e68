//! The database: one connection that writes, a few that read, and the tables' migrations.
//!
//! The submodules hold the SQL, one per table; they take a connection and know nothing of
//! locks, threads or the index.

pub(crate) mod answers;
pub(crate) mod batches;
pub(crate) mod collections;
pub(crate) mod contents;
pub(crate) mod documents;
pub(crate) mod files;
pub(crate) mod jobs;
mod listing;
pub(crate) mod members;
pub(crate) mod memberships;
pub(crate) mod portable;
pub(crate) mod removals;
mod reserve;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, Row, Transaction, TransactionBehavior};
use tracing::warn;

use self::reserve::Reserve;
use crate::LibraryError;

/// One entry per format of the library; `PRAGMA user_version` counts those applied.
const MIGRATIONS: [&str; 5] = [
    include_str!("migrations/0001.sql"),
    include_str!("migrations/0002.sql"),
    include_str!("migrations/0003.sql"),
    include_str!("migrations/0004.sql"),
    include_str!("migrations/0005.sql"),
];

/// Read connections kept for the next reader.
const IDLE_READERS: usize = 4;

/// Pages that are given back in one transaction: four megabytes.
const PAGES_AT_A_TIME: usize = 1024;

/// How long to wait for another process that looks into the database, such as a backup.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The open database.
pub(crate) struct Store {
    path: PathBuf,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
    reserve: Reserve,
}

impl Store {
    /// Opens the database, creating it and bringing its tables up to date.
    pub(crate) fn open(path: PathBuf) -> Result<Store, LibraryError> {
        let mut writer = connect(&path)?;
        migrate(&mut writer)?;
        let reserve = Reserve::new(path.with_file_name("reserve"));
        reserve.hold();
        Ok(Store {
            path,
            reserve,
            writer: Mutex::new(writer),
            readers: Mutex::new(Vec::new()),
        })
    }

    /// Runs `work` in one transaction. When this returns `Ok`, the change survives a power
    /// failure; when it returns an error, nothing has changed.
    pub(crate) fn write<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, LibraryError>,
    ) -> Result<T, LibraryError> {
        let mut writer = unpoisoned(&self.writer);
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = work(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }

    /// Like [`Store::write`], for what deletes: on a full disk it takes the reserve.
    pub(crate) fn delete<T>(
        &self,
        work: impl Fn(&Connection) -> Result<T, LibraryError>,
    ) -> Result<T, LibraryError> {
        match self.write(&work) {
            Err(LibraryError::StorageFull) if self.reserve.release() => self.write(&work),
            outcome => outcome,
        }
    }

    /// Lends the connection that writes, for what one transaction cannot hold.
    pub(crate) fn with_writer<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, LibraryError>,
    ) -> Result<T, LibraryError> {
        work(&mut unpoisoned(&self.writer))
    }

    /// Shrinks the files of the database by what is free in them, a little at a time so that
    /// nobody waits long and little space is needed, for as long as `go_on` says.
    pub(crate) fn give_back_space(&self, go_on: &dyn Fn() -> bool) -> Result<(), LibraryError> {
        self.empty_log()?;
        let mut free = self.read(free_pages)?;
        while go_on() && free > 0 {
            let left = self.write(|connection| {
                let sql = format!("PRAGMA incremental_vacuum({PAGES_AT_A_TIME})");
                connection.execute_batch(&sql)?;
                free_pages(connection)
            })?;
            self.empty_log()?;
            // One that cannot shrink yet keeps them.
            if left >= free {
                break;
            }
            free = left;
        }
        Ok(())
    }

    /// Takes the space again that deleting on a full disk needs, if it was given up.
    pub(crate) fn hold_reserve(&self) {
        self.reserve.hold();
    }

    /// Moves what the log holds into the database and empties it. When somebody reads from it,
    /// this does what it can without waiting.
    fn empty_log(&self) -> Result<(), LibraryError> {
        let log = self.path.with_file_name("library.sqlite-wal");
        if !std::fs::metadata(log).is_ok_and(|log| log.len() > 0) {
            return Ok(());
        }
        let writer = unpoisoned(&self.writer);
        writer.busy_timeout(Duration::ZERO)?;
        let emptied = writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        writer.busy_timeout(BUSY_TIMEOUT)?;
        Ok(emptied?)
    }

    /// Runs `work` on one unchanging view of the database, without waiting for writers.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, LibraryError>,
    ) -> Result<T, LibraryError> {
        let idle = unpoisoned(&self.readers).pop();
        let reader = match idle {
            Some(reader) => reader,
            None => self.new_reader()?,
        };
        let result = in_snapshot(&reader, work);
        let mut readers = unpoisoned(&self.readers);
        if readers.len() < IDLE_READERS {
            readers.push(reader);
        }
        result
    }

    fn new_reader(&self) -> Result<Connection, LibraryError> {
        let reader = connect(&self.path)?;
        reader.pragma_update(None, "query_only", true)?;
        Ok(reader)
    }
}

/// The database of a library that another process may have open.
pub(crate) struct StoredFile {
    path: PathBuf,
}

impl StoredFile {
    /// The one in `data_dir`.
    pub(crate) fn of(data_dir: &Path) -> Result<StoredFile, LibraryError> {
        let path = data_dir.join("library.sqlite");
        if path.is_file() {
            return Ok(StoredFile { path });
        }
        Err(LibraryError::NotFound {
            what: "library",
            id: data_dir.display().to_string(),
        })
    }

    /// A connection that reads it, and may write to others that are attached to it.
    fn connect(&self) -> Result<Connection, LibraryError> {
        let connection = Connection::open(&self.path)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        let found = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let known = MIGRATIONS.len() as i64;
        match found {
            _ if found > known => Err(LibraryError::TooNew { found, known }),
            _ if found < known => Err(LibraryError::TooOld { found, known }),
            _ => Ok(connection),
        }
    }
}

/// A lock whose holder panicked is used on: what it guards is changed by single steps that
/// a panic cannot leave half done.
pub(crate) fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// SQLite counts in signed numbers; no count of ours comes near the difference.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// The count in a column; there are no negative ones.
fn count(row: &Row, column: usize) -> rusqlite::Result<u64> {
    Ok(row.get::<_, i64>(column)?.unsigned_abs())
}

fn in_snapshot<T>(
    reader: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, LibraryError>,
) -> Result<T, LibraryError> {
    let snapshot = Transaction::new_unchecked(reader, TransactionBehavior::Deferred)?;
    work(&snapshot)
}

fn connect(path: &Path) -> Result<Connection, LibraryError> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // Before anything is written, or it has no effect.
    connection.pragma_update(None, "auto_vacuum", "incremental")?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    // On macOS only this reaches the disk; elsewhere it changes nothing.
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // What the user deletes is overwritten, not just unlinked: rows at once, whole pages when
    // `give_back_space` cuts them off, because zeros would fill the log and a full disk.
    connection.pragma_update(None, "secure_delete", "fast")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

fn migrate(connection: &mut Connection) -> Result<(), LibraryError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = MIGRATIONS.len();
    let applied = usize::try_from(found).unwrap_or(usize::MAX);
    if applied > known {
        return Err(LibraryError::TooNew {
            found,
            known: known as i64,
        });
    }
    for migration in &MIGRATIONS[applied..] {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", known as i64)?;
    transaction.commit()?;
    make_shrinkable(connection)
}

/// Databases of the first format could not shrink. To be made so they are written anew, which
/// needs their size in space; where that is missing, it is tried again at the next opening.
fn make_shrinkable(connection: &Connection) -> Result<(), LibraryError> {
    let mode: i64 = connection.pragma_query_value(None, "auto_vacuum", |row| row.get(0))?;
    if mode == 0
        && let Err(error) = connection.execute_batch("PRAGMA auto_vacuum = incremental; VACUUM")
    {
        warn!(%error, "the database cannot be made to shrink yet");
    }
    Ok(())
}

fn free_pages(connection: &Connection) -> Result<i64, LibraryError> {
    Ok(connection.pragma_query_value(None, "freelist_count", |row| row.get(0))?)
}
