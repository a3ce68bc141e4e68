//! The files of a collection as a sync compares them with what lies under the paths.

use std::collections::HashSet;

use rusqlite::Connection;

use super::files::Digest;
use crate::{LibraryError, Status};

/// A file of the collection that has a source.
pub(crate) struct Member {
    pub(crate) file_id: String,
    pub(crate) filename: String,
    pub(crate) source: String,
    pub(crate) sha256: Digest,
    pub(crate) status: Status,
}

/// The files that have a source outside the library, in the order they were added.
pub(crate) fn with_source(
    connection: &Connection,
    collection_id: &str,
) -> Result<Vec<Member>, LibraryError> {
    let mut statement = connection.prepare_cached(
        "SELECT f.id, f.filename, f.source, f.sha256, m.status
         FROM memberships m JOIN files f ON f.id = m.file_id
         WHERE m.collection_id = ? AND f.source IS NOT NULL AND f.source NOT LIKE 'upload:%'
         ORDER BY m.sequence",
    )?;
    let members = statement.query_map([collection_id], |row| {
        Ok(Member {
            file_id: row.get(0)?,
            filename: row.get(1)?,
            source: row.get(2)?,
            sha256: row.get(3)?,
            status: row.get(4)?,
        })
    })?;
    Ok(members.collect::<rusqlite::Result<_>>()?)
}

/// The names and contents of the files that have no source and did not fail.
pub(crate) fn names_of_uploads(
    connection: &Connection,
    collection_id: &str,
) -> Result<HashSet<(String, Digest)>, LibraryError> {
    let mut statement = connection.prepare_cached(
        "SELECT f.filename, f.sha256 FROM memberships m JOIN files f ON f.id = m.file_id
         WHERE m.collection_id = ? AND (f.source IS NULL OR f.source LIKE 'upload:%')
         AND m.status IN ('in_progress', 'completed')",
    )?;
    let names = statement.query_map([collection_id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(names.collect::<rusqlite::Result<_>>()?)
}
