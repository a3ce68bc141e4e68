//! The tables of files and their contents.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::listing::{self, Select};
use super::{count, signed};
use crate::{File, LibraryError, Listing, Page};

/// The SHA-256 of a file's content.
pub(crate) type Digest = [u8; 32];

/// What is recorded of a new file.
pub(crate) struct Record<'a> {
    pub(crate) filename: &'a str,
    pub(crate) purpose: &'a str,
    pub(crate) bytes: u64,
    pub(crate) sha256: Digest,
    pub(crate) source: Option<&'a str>,
}

const SELECT: &str = "SELECT id, filename, purpose, bytes, created_at, source FROM files";

pub(crate) fn insert(connection: &Connection, record: &Record) -> Result<File, LibraryError> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO files (id, filename, purpose, bytes, sha256, source)
         VALUES ('file-' || lower(hex(randomblob(12))), ?, ?, ?, ?, ?)
         RETURNING id, filename, purpose, bytes, created_at, source",
    )?;
    let values = params![
        record.filename,
        record.purpose,
        signed(record.bytes),
        record.sha256,
        record.source
    ];
    Ok(statement.query_row(values, read_file)?)
}

pub(crate) fn get(connection: &Connection, id: &str) -> Result<Option<File>, LibraryError> {
    let mut statement = connection.prepare_cached(&format!("{SELECT} WHERE id = ?"))?;
    Ok(statement.query_row([id], read_file).optional()?)
}

/// The file, or the error that says there is none.
pub(crate) fn require(connection: &Connection, id: &str) -> Result<File, LibraryError> {
    get(connection, id)?.ok_or_else(|| LibraryError::NotFound {
        what: "file",
        id: id.to_string(),
    })
}

pub(crate) fn list(connection: &Connection, page: &Page) -> Result<Listing<File>, LibraryError> {
    let after = listing::position(page, |id| {
        let sql = "SELECT sequence FROM files WHERE id = ?";
        connection.query_row(sql, [id], |row| row.get(0)).optional()
    })?;
    let select = Select {
        query: &format!("{SELECT} WHERE TRUE"),
        sequence: "sequence",
        parameters: &[],
    };
    listing::list(connection, &select, page, after, read_file)
}

/// Deletes the file with its content and text. It must be in no collection any more.
pub(crate) fn delete(connection: &Connection, id: &str) -> Result<(), LibraryError> {
    connection.execute("DELETE FROM files WHERE id = ?", [id])?;
    Ok(())
}

/// Deletes those of `ids` that were found under a path or brought along, and that no
/// collection holds any more. Nobody could name them again.
pub(crate) fn delete_orphans(connection: &Connection, ids: &[String]) -> Result<(), LibraryError> {
    let sql = "DELETE FROM files WHERE id = ?1
         AND source IS NOT NULL AND source NOT LIKE 'upload:%'
         AND NOT EXISTS (SELECT 1 FROM memberships WHERE file_id = ?1)";
    delete_each(connection, sql, ids)
}

/// Deletes those of `ids`, which have successors, that no collection holds any more.
pub(crate) fn delete_superseded(
    connection: &Connection,
    ids: &[String],
) -> Result<(), LibraryError> {
    let sql = "DELETE FROM files WHERE id = ?1
         AND NOT EXISTS (SELECT 1 FROM memberships WHERE file_id = ?1)";
    delete_each(connection, sql, ids)
}

fn delete_each(connection: &Connection, sql: &str, ids: &[String]) -> Result<(), LibraryError> {
    let mut statement = connection.prepare_cached(sql)?;
    for id in ids {
        statement.execute([id])?;
    }
    Ok(())
}

/// Says that a file lies elsewhere now.
pub(crate) fn set_source(
    connection: &Connection,
    id: &str,
    source: &str,
) -> Result<(), LibraryError> {
    let mut statement = connection.prepare_cached("UPDATE files SET source = ?2 WHERE id = ?1")?;
    statement.execute([id, source])?;
    Ok(())
}

/// Records what the content of a file under a path turned out to be when it was read.
pub(crate) fn set_digest(
    connection: &Connection,
    id: &str,
    bytes: u64,
    sha256: &Digest,
) -> Result<(), LibraryError> {
    let mut statement =
        connection.prepare_cached("UPDATE files SET bytes = ?2, sha256 = ?3 WHERE id = ?1")?;
    statement.execute(params![id, signed(bytes), sha256])?;
    Ok(())
}

fn read_file(row: &Row) -> rusqlite::Result<File> {
    Ok(File {
        id: row.get(0)?,
        filename: row.get(1)?,
        purpose: row.get(2)?,
        bytes: count(row, 3)?,
        created_at: row.get(4)?,
        source: row.get(5)?,
    })
}
