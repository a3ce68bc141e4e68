//! The table of collections.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::listing::{self, Select};
use super::{count, signed};
use crate::{Collection, FileCounts, LibraryError, Listing, Metadata, Page};

/// How a collection's index should stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IndexState {
    /// The generation of the contents.
    pub(crate) generation: u64,
    /// An index of an earlier generation than this cannot be caught up.
    pub(crate) removals_since: u64,
    /// The passage settings the index was built with.
    pub(crate) passages: String,
}

const SELECT: &str = "
    SELECT id, name, created_at, last_active_at,
        (SELECT count(*) FROM memberships WHERE collection_id = id AND status = 'in_progress'),
        (SELECT count(*) FROM memberships WHERE collection_id = id AND status = 'completed'),
        (SELECT count(*) FROM memberships WHERE collection_id = id AND status = 'failed'),
        (SELECT count(*) FROM memberships WHERE collection_id = id AND status = 'cancelled'),
        (SELECT coalesce(sum(octet_length(text)), 0) FROM memberships JOIN documents USING (file_id)
         WHERE collection_id = id AND status = 'completed'),
        metadata
    FROM collections";

/// Adds a collection and returns its id.
pub(crate) fn insert(
    connection: &Connection,
    name: &str,
    passages: &str,
) -> Result<String, LibraryError> {
    let sql = "INSERT INTO collections (id, name, passages)
         VALUES ('vs_' || lower(hex(randomblob(12))), ?, ?) RETURNING id";
    Ok(connection.query_row(sql, [name, passages], |row| row.get(0))?)
}

pub(crate) fn get(
    connection: &Connection,
    id_or_name: &str,
) -> Result<Option<Collection>, LibraryError> {
    let sql = format!("{SELECT} WHERE id = ?1 OR name = ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement
        .query_row([id_or_name], read_collection)
        .optional()?)
}

pub(crate) fn set_metadata(
    connection: &Connection,
    id: &str,
    metadata: &Metadata,
) -> Result<(), LibraryError> {
    let metadata = serde_json::to_string(metadata).expect("texts are JSON");
    connection.execute(
        "UPDATE collections SET metadata = ?2 WHERE id = ?1",
        [id, &metadata],
    )?;
    Ok(())
}

/// What is noted about the collection with that id or name; `None` when there is none.
pub(crate) fn metadata(
    connection: &Connection,
    id_or_name: &str,
) -> Result<Option<Metadata>, LibraryError> {
    let sql = "SELECT metadata FROM collections WHERE id = ?1 OR name = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement
        .query_row([id_or_name], |row| read_metadata(row, 0))
        .optional()?)
}

/// The id of the collection with that id or name, or the error that says there is none.
pub(crate) fn require(connection: &Connection, id_or_name: &str) -> Result<String, LibraryError> {
    let sql = "SELECT id FROM collections WHERE id = ?1 OR name = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let id = statement.query_row([id_or_name], |row| row.get(0));
    id.optional()?.ok_or_else(|| LibraryError::NotFound {
        what: "collection",
        id: id_or_name.to_string(),
    })
}

pub(crate) fn list(
    connection: &Connection,
    page: &Page,
) -> Result<Listing<Collection>, LibraryError> {
    let after = listing::position(page, |id| {
        let sql = "SELECT sequence FROM collections WHERE id = ?";
        connection.query_row(sql, [id], |row| row.get(0)).optional()
    })?;
    let select = Select {
        query: &format!("{SELECT} WHERE TRUE"),
        sequence: "sequence",
        parameters: &[],
    };
    listing::list(connection, &select, page, after, read_collection)
}

/// The ids of all collections, oldest first.
pub(crate) fn ids(connection: &Connection) -> Result<Vec<String>, LibraryError> {
    let mut statement =
        connection.prepare_cached("SELECT id FROM collections ORDER BY sequence")?;
    let ids = statement.query_map([], |row| row.get(0))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

/// Deletes the collection with its memberships.
pub(crate) fn delete(connection: &Connection, id: &str) -> Result<(), LibraryError> {
    connection.execute("DELETE FROM collections WHERE id = ?", [id])?;
    Ok(())
}

/// How the index should stand; `None` when the collection is gone.
pub(crate) fn index_state(
    connection: &Connection,
    id: &str,
) -> Result<Option<IndexState>, LibraryError> {
    let sql = "SELECT generation, removals_since, passages FROM collections WHERE id = ?";
    let mut statement = connection.prepare_cached(sql)?;
    let state = statement.query_row([id], |row| {
        Ok(IndexState {
            generation: count(row, 0)?,
            removals_since: count(row, 1)?,
            passages: row.get(2)?,
        })
    });
    Ok(state.optional()?)
}

/// Moves the contents to `generation`.
pub(crate) fn set_generation(
    connection: &Connection,
    id: &str,
    generation: u64,
) -> Result<(), LibraryError> {
    let sql = "UPDATE collections SET generation = ?2, last_active_at = unixepoch() WHERE id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    statement.execute(params![id, signed(generation)])?;
    Ok(())
}

/// Notes the passage settings of the index; '' asks for building it again.
pub(crate) fn set_passages(
    connection: &Connection,
    id: &str,
    passages: &str,
) -> Result<(), LibraryError> {
    let sql = "UPDATE collections SET passages = ?2 WHERE id = ?1";
    connection.execute(sql, [id, passages])?;
    Ok(())
}

/// Notes that something was added to the collection.
pub(crate) fn touch(connection: &Connection, id: &str) -> Result<(), LibraryError> {
    let sql = "UPDATE collections SET last_active_at = unixepoch() WHERE id = ?";
    connection.prepare_cached(sql)?.execute([id])?;
    Ok(())
}

fn read_collection(row: &Row) -> rusqlite::Result<Collection> {
    let mut counts = FileCounts {
        in_progress: count(row, 4)?,
        completed: count(row, 5)?,
        failed: count(row, 6)?,
        cancelled: count(row, 7)?,
        total: 0,
    };
    counts.total = counts.in_progress + counts.completed + counts.failed + counts.cancelled;
    Ok(Collection {
        id: row.get(0)?,
        name: row.get(1)?,
        created_at: row.get(2)?,
        last_active_at: row.get(3)?,
        counts,
        usage_bytes: count(row, 8)?,
        metadata: read_metadata(row, 9)?,
        // Only the indexes know.
        rebuilding: false,
    })
}

fn read_metadata(row: &Row, column: usize) -> rusqlite::Result<Metadata> {
    let metadata: String = row.get(column)?;
    Ok(serde_json::from_str(&metadata).unwrap_or_default())
}
