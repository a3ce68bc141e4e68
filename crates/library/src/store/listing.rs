//! One page of any table that is ordered by `sequence`.

use rusqlite::{Connection, Row, ToSql};

use crate::page::MAX_LIMIT;
use crate::{LibraryError, Listing, Order, Page};

/// What to list.
pub(super) struct Select<'a> {
    /// A query that ends in its conditions, so that " AND …" can follow.
    pub(super) query: &'a str,
    /// The column that orders the list.
    pub(super) sequence: &'a str,
    /// The query's own parameters, by name.
    pub(super) parameters: &'a [(&'a str, &'a dyn ToSql)],
}

/// Reads the page that begins behind the item of sequence `after`.
pub(super) fn list<T>(
    connection: &Connection,
    select: &Select,
    page: &Page,
    after: Option<i64>,
    read: impl FnMut(&Row) -> rusqlite::Result<T>,
) -> Result<Listing<T>, LibraryError> {
    let (comparison, direction, start) = match page.order {
        Order::NewestFirst => ("<", "DESC", i64::MAX),
        Order::OldestFirst => (">", "ASC", 0),
    };
    let Select {
        query, sequence, ..
    } = select;
    let sql = format!(
        "{query} AND {sequence} {comparison} :after ORDER BY {sequence} {direction} LIMIT :limit"
    );
    let limit = page.limit.clamp(1, MAX_LIMIT);
    // One more than asked for tells whether more follow.
    let probe = limit as i64 + 1;
    let after = after.unwrap_or(start);
    let mut parameters = select.parameters.to_vec();
    parameters.push((":after", &after));
    parameters.push((":limit", &probe));

    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(parameters.as_slice(), read)?;
    let mut data = rows.collect::<rusqlite::Result<Vec<T>>>()?;
    let has_more = data.len() > limit;
    data.truncate(limit);
    Ok(Listing { data, has_more })
}

/// The sequence of the item a page begins behind, which must exist.
pub(super) fn position(
    page: &Page,
    find: impl FnOnce(&str) -> rusqlite::Result<Option<i64>>,
) -> Result<Option<i64>, LibraryError> {
    let Some(id) = &page.after else {
        return Ok(None);
    };
    match find(id)? {
        Some(sequence) => Ok(Some(sequence)),
        None => Err(LibraryError::Invalid {
            param: "after",
            message: format!("`after` names nothing in this list: `{id}`"),
        }),
    }
}
