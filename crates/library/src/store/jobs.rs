//! What the ingest thread has to do, read from the memberships.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{count, signed};
use crate::LibraryError;

/// One file to be put into one collection's index.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) file_id: String,
    pub(crate) filename: String,
    /// Where the file lies when its content is not in the library yet.
    pub(crate) source: Option<String>,
    /// The generation at which it was completed; 0 when it never was.
    pub(crate) generation: u64,
    /// Bytes of text, when it has been extracted.
    pub(crate) text_bytes: u64,
}

/// The collection whose file has waited longest, but none of `except`.
pub(crate) fn next_collection(
    connection: &Connection,
    except: &[&String],
) -> Result<Option<String>, LibraryError> {
    let mut statement = connection.prepare_cached(
        "SELECT collection_id FROM memberships WHERE status = 'in_progress'
         AND collection_id NOT IN (SELECT value FROM json_each(?))
         ORDER BY sequence LIMIT 1",
    )?;
    let except = serde_json::to_string(except)?;
    Ok(statement.query_row([except], |row| row.get(0)).optional()?)
}

/// The first `limit` files that wait for the collection's index, oldest first.
pub(crate) fn waiting(
    connection: &Connection,
    collection_id: &str,
    limit: usize,
) -> Result<Vec<Job>, LibraryError> {
    let mut statement = connection.prepare_cached(
        "SELECT m.file_id, f.filename, f.source, 0, 0
         FROM memberships m JOIN files f ON f.id = m.file_id
         WHERE m.collection_id = ? AND m.status = 'in_progress'
         ORDER BY m.sequence LIMIT ?",
    )?;
    let jobs = statement.query_map(params![collection_id, signed(limit as u64)], read_job)?;
    Ok(jobs.collect::<rusqlite::Result<_>>()?)
}

/// The first `limit` files completed behind `generation`, by generation.
pub(crate) fn completed_since(
    connection: &Connection,
    collection_id: &str,
    generation: u64,
    limit: usize,
) -> Result<Vec<Job>, LibraryError> {
    let mut statement = connection.prepare_cached(
        "SELECT m.file_id, f.filename, NULL, m.generation, octet_length(d.text)
         FROM memberships m JOIN files f ON f.id = m.file_id
         JOIN documents d ON d.file_id = m.file_id
         WHERE m.collection_id = ? AND m.status = 'completed' AND m.generation > ?
         ORDER BY m.generation, m.sequence LIMIT ?",
    )?;
    let parameters = params![collection_id, signed(generation), signed(limit as u64)];
    let jobs = statement.query_map(parameters, read_job)?;
    Ok(jobs.collect::<rusqlite::Result<_>>()?)
}

/// How many files wait, in all collections.
pub(crate) fn count_waiting(connection: &Connection) -> Result<u64, LibraryError> {
    let sql = "SELECT count(*) FROM memberships WHERE status = 'in_progress'";
    Ok(connection.query_row(sql, [], |row| count(row, 0))?)
}

/// How many files of the collection were completed behind `generation`.
pub(crate) fn count_completed_since(
    connection: &Connection,
    collection_id: &str,
    generation: u64,
) -> Result<u64, LibraryError> {
    let sql = "SELECT count(*) FROM memberships
         WHERE collection_id = ? AND status = 'completed' AND generation > ?";
    let parameters = params![collection_id, signed(generation)];
    Ok(connection.query_row(sql, parameters, |row| count(row, 0))?)
}

/// Whether the file still stands as it did when `job` was read: not removed meanwhile, not
/// settled, not replaced.
pub(crate) fn still_stands(
    connection: &Connection,
    collection_id: &str,
    job: &Job,
) -> Result<bool, LibraryError> {
    let mut statement = connection.prepare_cached(
        "SELECT 1 FROM memberships WHERE collection_id = ?1 AND file_id = ?2
         AND CASE ?3 WHEN 0 THEN status = 'in_progress'
             ELSE status = 'completed' AND generation = ?3 END",
    )?;
    let parameters = params![collection_id, job.file_id, signed(job.generation)];
    Ok(statement.exists(parameters)?)
}

fn read_job(row: &Row) -> rusqlite::Result<Job> {
    Ok(Job {
        file_id: row.get(0)?,
        filename: row.get(1)?,
        source: row.get(2)?,
        generation: count(row, 3)?,
        text_bytes: count(row, 4)?,
    })
}
