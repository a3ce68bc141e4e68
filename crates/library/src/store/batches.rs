//! The tables of batches.

use rusqlite::{Connection, OptionalExtension, Row};

use super::count;
use crate::batch::Batch;
use crate::{FileCounts, LibraryError};

/// Adds a batch without files and returns its id.
pub(crate) fn insert(connection: &Connection, collection_id: &str) -> Result<String, LibraryError> {
    let sql = "INSERT INTO batches (id, collection_id)
         VALUES ('vsfb_' || lower(hex(randomblob(12))), ?) RETURNING id";
    Ok(connection.query_row(sql, [collection_id], |row| row.get(0))?)
}

/// Adds a file to a batch; one that is in it already changes nothing.
pub(crate) fn add(connection: &Connection, id: &str, file_id: &str) -> Result<(), LibraryError> {
    let mut statement =
        connection.prepare_cached("INSERT OR IGNORE INTO batch_files VALUES (?, ?)")?;
    statement.execute([id, file_id])?;
    Ok(())
}

pub(crate) fn get(
    connection: &Connection,
    collection_id: &str,
    id: &str,
) -> Result<Option<Batch>, LibraryError> {
    let mut statement = connection.prepare_cached(
        "SELECT b.id, b.collection_id, b.created_at, b.cancelled,
            count(*) FILTER (WHERE m.status = 'in_progress'),
            count(*) FILTER (WHERE m.status = 'completed'),
            count(*) FILTER (WHERE m.status = 'failed'),
            count(*) FILTER (WHERE m.status = 'cancelled'),
            count(m.status)
         FROM batches b LEFT JOIN batch_files f ON f.batch_id = b.id
         LEFT JOIN memberships m ON m.file_id = f.file_id AND m.collection_id = b.collection_id
         WHERE b.collection_id = ? AND b.id = ? GROUP BY b.id",
    )?;
    let batch = statement.query_row([collection_id, id], read_batch);
    Ok(batch.optional()?)
}

/// Marks the batch, and those of its files that wait, as cancelled.
pub(crate) fn cancel(
    connection: &Connection,
    collection_id: &str,
    id: &str,
) -> Result<(), LibraryError> {
    connection.execute("UPDATE batches SET cancelled = 1 WHERE id = ?", [id])?;
    connection.execute(
        "UPDATE memberships SET status = 'cancelled'
         WHERE collection_id = ? AND status = 'in_progress'
         AND file_id IN (SELECT file_id FROM batch_files WHERE batch_id = ?)",
        [collection_id, id],
    )?;
    Ok(())
}

fn read_batch(row: &Row) -> rusqlite::Result<Batch> {
    Ok(Batch {
        id: row.get(0)?,
        collection_id: row.get(1)?,
        created_at: row.get(2)?,
        cancelled: row.get(3)?,
        counts: FileCounts {
            in_progress: count(row, 4)?,
            completed: count(row, 5)?,
            failed: count(row, 6)?,
            cancelled: count(row, 7)?,
            total: count(row, 8)?,
        },
    })
}
