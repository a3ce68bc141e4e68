//! The table of memberships: which file is in which collection, and how indexing stands.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};

use super::listing::{self, Select};
use super::signed;
use crate::{Attributes, ErrorCode, LastError, LibraryError, Listing, Membership, Page, Status};

const SELECT: &str = "
    SELECT m.file_id, f.filename, m.collection_id, m.status, m.error_code, m.error_message,
        m.created_at, m.attributes,
        CASE m.status WHEN 'completed' THEN octet_length(d.text) ELSE 0 END,
        nullif(d.language, '')
    FROM memberships m JOIN files f ON f.id = m.file_id
    LEFT JOIN documents d ON d.file_id = m.file_id";

/// Which memberships of a collection are wanted.
pub(crate) struct Only<'a> {
    /// Those of one status.
    pub(crate) status: Option<Status>,
    /// Those of one batch.
    pub(crate) batch: Option<&'a str>,
}

/// Puts the file into the collection, unless another one of its name and content is there,
/// which gets another try if it failed. Returns the one that is in the collection.
pub(crate) fn attach(
    connection: &Connection,
    collection_id: &str,
    file_id: &str,
    attributes: &Attributes,
) -> Result<String, LibraryError> {
    if let Some(twin) = twin(connection, collection_id, file_id)? {
        if !attributes.is_empty() {
            set_attributes(connection, collection_id, &twin, attributes)?;
        }
        retry(connection, collection_id, &twin)?;
        return Ok(twin);
    }
    put(connection, collection_id, file_id, attributes)?;
    Ok(file_id.to_string())
}

/// Puts the file into the collection, in progress. A file that is there already gets the
/// attributes, and another try if it failed.
pub(crate) fn put(
    connection: &Connection,
    collection_id: &str,
    file_id: &str,
    attributes: &Attributes,
) -> Result<(), LibraryError> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO memberships (collection_id, file_id, attributes) VALUES (?, ?, ?)
         ON CONFLICT (collection_id, file_id) DO UPDATE SET attributes = excluded.attributes",
    )?;
    let attributes = serde_json::to_string(attributes)?;
    statement.execute([collection_id, file_id, &attributes])?;
    retry(connection, collection_id, file_id)
}

/// Replaces the attributes of a membership, if there is one.
pub(crate) fn set_attributes(
    connection: &Connection,
    collection_id: &str,
    file_id: &str,
    attributes: &Attributes,
) -> Result<(), LibraryError> {
    let mut statement = connection.prepare_cached(
        "UPDATE memberships SET attributes = ? WHERE collection_id = ? AND file_id = ?",
    )?;
    let attributes = serde_json::to_string(attributes)?;
    statement.execute([&attributes, collection_id, file_id])?;
    Ok(())
}

/// Puts a failed or cancelled membership back in progress.
pub(crate) fn retry(
    connection: &Connection,
    collection_id: &str,
    file_id: &str,
) -> Result<(), LibraryError> {
    let mut statement = connection.prepare_cached(
        "UPDATE memberships SET status = 'in_progress', error_code = NULL, error_message = NULL
         WHERE collection_id = ? AND file_id = ? AND status IN ('failed', 'cancelled')",
    )?;
    statement.execute([collection_id, file_id])?;
    Ok(())
}

pub(crate) fn get(
    connection: &Connection,
    collection_id: &str,
    file_id: &str,
) -> Result<Option<Membership>, LibraryError> {
    let sql = format!("{SELECT} WHERE m.collection_id = ? AND m.file_id = ?");
    let mut statement = connection.prepare_cached(&sql)?;
    let membership = statement.query_row([collection_id, file_id], read_membership);
    membership.optional()?.map(with_attributes).transpose()
}

pub(crate) fn list(
    connection: &Connection,
    collection_id: &str,
    only: &Only,
    page: &Page,
) -> Result<Listing<Membership>, LibraryError> {
    let after = listing::position(page, |file_id| {
        let sql = "SELECT sequence FROM memberships WHERE collection_id = ? AND file_id = ?";
        connection
            .query_row(sql, [collection_id, file_id], |row| row.get(0))
            .optional()
    })?;
    let select = Select {
        query: &format!(
            "{SELECT} WHERE m.collection_id = :collection
             AND (:status IS NULL OR m.status = :status)
             AND (:batch IS NULL OR EXISTS (
                 SELECT 1 FROM batch_files b WHERE b.batch_id = :batch AND b.file_id = m.file_id))"
        ),
        sequence: "m.sequence",
        parameters: &[
            (":collection", &collection_id),
            (":status", &only.status),
            (":batch", &only.batch),
        ],
    };
    let listing = listing::list(connection, &select, page, after, read_membership)?;
    let data = listing.data.into_iter().map(with_attributes);
    Ok(Listing {
        data: data.collect::<Result<_, _>>()?,
        has_more: listing.has_more,
    })
}

/// The files of the collection that can be searched.
pub(crate) fn completed(
    connection: &Connection,
    collection_id: &str,
) -> Result<Vec<Membership>, LibraryError> {
    let sql = format!("{SELECT} WHERE m.collection_id = ? AND m.status = 'completed'");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut files = Vec::new();
    for row in statement.query_map([collection_id], read_membership)? {
        files.push(with_attributes(row?)?);
    }
    Ok(files)
}

/// The file in the collection that has the name and the content of `file_id`, if another one
/// does. One whose source has a newer file by now does not count.
pub(crate) fn twin(
    connection: &Connection,
    collection_id: &str,
    file_id: &str,
) -> Result<Option<String>, LibraryError> {
    let mut statement = connection.prepare_cached(
        "SELECT f.id FROM files new
         JOIN files f ON f.sha256 = new.sha256 AND f.filename = new.filename AND f.id <> new.id
         JOIN memberships m ON m.file_id = f.id AND m.collection_id = ?1
         WHERE new.id = ?2 AND NOT EXISTS (
             SELECT 1 FROM memberships later JOIN files g ON g.id = later.file_id
             WHERE later.collection_id = ?1 AND g.source = f.source
             AND later.sequence > m.sequence)
         ORDER BY m.sequence LIMIT 1",
    )?;
    let twin = statement.query_row([collection_id, file_id], |row| row.get(0));
    Ok(twin.optional()?)
}

/// The files of the collection that came before `file_id` from the same source: all of them,
/// or, when it could not be read itself, those that could not either.
pub(crate) fn superseded_by(
    connection: &Connection,
    collection_id: &str,
    file_id: &str,
    is_readable: bool,
) -> Result<Vec<String>, LibraryError> {
    let mut statement = connection.prepare_cached(
        "SELECT old.file_id FROM memberships new JOIN files f ON f.id = new.file_id
         JOIN files g ON g.source = f.source
         JOIN memberships old ON old.file_id = g.id AND old.collection_id = new.collection_id
         WHERE new.collection_id = ? AND new.file_id = ? AND old.sequence < new.sequence
         AND (? OR old.status = 'failed')",
    )?;
    let parameters = params![collection_id, file_id, is_readable];
    let ids = statement.query_map(parameters, |row| row.get(0))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

/// The collections that hold the file.
pub(crate) fn collections_of(
    connection: &Connection,
    file_id: &str,
) -> Result<Vec<String>, LibraryError> {
    let mut statement =
        connection.prepare_cached("SELECT collection_id FROM memberships WHERE file_id = ?")?;
    let ids = statement.query_map([file_id], |row| row.get(0))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

/// The files of the collection.
pub(crate) fn files_of(
    connection: &Connection,
    collection_id: &str,
) -> Result<Vec<String>, LibraryError> {
    let mut statement =
        connection.prepare_cached("SELECT file_id FROM memberships WHERE collection_id = ?")?;
    let ids = statement.query_map([collection_id], |row| row.get(0))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

/// Marks a file as searchable since `generation`.
pub(crate) fn complete(
    connection: &Connection,
    collection_id: &str,
    file_id: &str,
    generation: u64,
) -> Result<(), LibraryError> {
    let mut statement = connection.prepare_cached(
        "UPDATE memberships SET status = 'completed', generation = ?3
         WHERE collection_id = ?1 AND file_id = ?2",
    )?;
    statement.execute(params![collection_id, file_id, signed(generation)])?;
    Ok(())
}

/// Marks a file as unreadable.
pub(crate) fn fail(
    connection: &Connection,
    collection_id: &str,
    file_id: &str,
    error: &LastError,
) -> Result<(), LibraryError> {
    let mut statement = connection.prepare_cached(
        "UPDATE memberships SET status = 'failed', error_code = ?3, error_message = ?4
         WHERE collection_id = ?1 AND file_id = ?2",
    )?;
    let code = error.code.as_str();
    statement.execute([collection_id, file_id, code, &error.message])?;
    Ok(())
}

impl ToSql for Status {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.as_str()))
    }
}

impl FromSql for Status {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Status> {
        Status::parse(value.as_str()?).ok_or(FromSqlError::InvalidType)
    }
}

/// Reads a row; its attributes are still JSON, because reading JSON fails in its own way.
fn read_membership(row: &Row) -> rusqlite::Result<(Membership, String)> {
    let code: Option<String> = row.get(4)?;
    let message: Option<String> = row.get(5)?;
    let membership = Membership {
        file_id: row.get(0)?,
        filename: row.get(1)?,
        collection_id: row.get(2)?,
        status: row.get(3)?,
        last_error: code.map(|code| LastError {
            code: ErrorCode::parse(&code),
            message: message.unwrap_or_default(),
        }),
        created_at: row.get(6)?,
        usage_bytes: row.get::<_, Option<i64>>(8)?.unwrap_or(0).unsigned_abs(),
        language: row.get(9)?,
        attributes: Attributes::default(),
    };
    Ok((membership, row.get(7)?))
}

fn with_attributes(row: (Membership, String)) -> Result<Membership, LibraryError> {
    let (mut membership, attributes) = row;
    membership.attributes = Attributes::from_stored(&attributes)?;
    Ok(membership)
}
