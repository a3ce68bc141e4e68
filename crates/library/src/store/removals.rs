//! Taking files out of a collection, remembered for an index that is behind.

use rusqlite::{Connection, params};

use super::signed;
use crate::LibraryError;

/// Removals older than this many generations are forgotten, which bounds the table; an
/// index that is further behind is built again.
const KEPT_GENERATIONS: u64 = 1000;

/// Ends the memberships of `file_ids` at `generation` and remembers their removal.
pub(crate) fn remove_members(
    connection: &Connection,
    collection_id: &str,
    file_ids: &[String],
    generation: u64,
) -> Result<(), LibraryError> {
    let mut end = connection
        .prepare_cached("DELETE FROM memberships WHERE collection_id = ?1 AND file_id = ?2")?;
    let mut remember =
        connection.prepare_cached("INSERT OR REPLACE INTO removals VALUES (?1, ?2, ?3)")?;
    for file_id in file_ids {
        end.execute([collection_id, file_id])?;
        remember.execute(params![collection_id, file_id, signed(generation)])?;
    }
    forget_old(connection, collection_id, generation)
}

/// The files removed behind `generation` that have not come back.
pub(crate) fn since(
    connection: &Connection,
    collection_id: &str,
    generation: u64,
) -> Result<Vec<String>, LibraryError> {
    let mut statement = connection.prepare_cached(
        "SELECT file_id FROM removals r WHERE collection_id = ?1 AND generation > ?2
         AND NOT EXISTS (SELECT 1 FROM memberships m WHERE m.collection_id = r.collection_id
                         AND m.file_id = r.file_id AND m.status = 'completed')",
    )?;
    let ids = statement.query_map(params![collection_id, signed(generation)], |row| row.get(0))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

fn forget_old(
    connection: &Connection,
    collection_id: &str,
    generation: u64,
) -> Result<(), LibraryError> {
    let oldest = signed(generation.saturating_sub(KEPT_GENERATIONS));
    connection.execute(
        "DELETE FROM removals WHERE collection_id = ?1 AND generation <= ?2",
        params![collection_id, oldest],
    )?;
    connection.execute(
        "UPDATE collections SET removals_since = max(removals_since, ?2) WHERE id = ?1",
        params![collection_id, oldest],
    )?;
    Ok(())
}
