//! The database: one connection that writes, a few that read, and the tables' migrations.
//!
//! The submodules hold the SQL, one per table; they take a connection and know nothing of
//! locks, threads or the index.

pub(crate) mod collections;
pub(crate) mod documents;
pub(crate) mod files;
pub(crate) mod jobs;
mod listing;
pub(crate) mod members;
pub(crate) mod memberships;
pub(crate) mod removals;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, Row, Transaction, TransactionBehavior};

use crate::LibraryError;

/// One entry per format of the library; `PRAGMA user_version` counts those applied.
const MIGRATIONS: [&str; 1] = [include_str!("migrations/0001.sql")];

/// Read connections kept for the next reader.
const IDLE_READERS: usize = 4;

/// How long to wait for another process that looks into the database, such as a backup.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The open database.
pub(crate) struct Store {
    path: PathBuf,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
}

impl Store {
    /// Opens the database, creating it and bringing its tables up to date.
    pub(crate) fn open(path: PathBuf) -> Result<Store, LibraryError> {
        let mut writer = connect(&path)?;
        migrate(&mut writer)?;
        Ok(Store {
            path,
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
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    // On macOS only this reaches the disk; elsewhere it changes nothing.
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // What the user deletes is overwritten, not just unlinked.
    connection.pragma_update(None, "secure_delete", true)?;
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
    Ok(())
}
