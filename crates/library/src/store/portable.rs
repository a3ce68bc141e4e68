//! Databases that hold one collection, and copies of the whole.

use std::fs;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, TransactionBehavior, params};
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use super::{MIGRATIONS, StoredFile, contents, count};
use crate::LibraryError;
use crate::portable::Moved;

/// Marks an export: "ibid" in ASCII, in the header of the database.
const APPLICATION_ID: i64 = 0x6962_6964;

/// The first format that was exported.
const OLDEST_FORMAT: usize = 2;

/// What follows a collection (its index, its vectors) reads a generation at a time.
const FILES_PER_GENERATION: i64 = 64;

/// Copies the collection into a new database at `to`.
pub(crate) fn export(
    stored: &StoredFile,
    collection: &str,
    to: &Path,
) -> Result<Moved, LibraryError> {
    create(to)?;
    let mut connection = stored.connect()?;
    attach(&connection, to)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
    let collection_id = super::collections::require(&transaction, collection)?;
    for sql in [
        "INSERT INTO other.collections (id, name, created_at, last_active_at, passages, metadata)
         SELECT id, name, created_at, last_active_at, '', metadata FROM main.collections WHERE id = ?",
        "INSERT INTO other.files SELECT * FROM main.files
         WHERE id IN (SELECT file_id FROM main.memberships WHERE collection_id = ?)",
        "INSERT INTO other.parts SELECT * FROM main.parts
         WHERE file_id IN (SELECT file_id FROM main.memberships WHERE collection_id = ?)",
        "INSERT INTO other.documents SELECT * FROM main.documents
         WHERE file_id IN (SELECT file_id FROM main.memberships WHERE collection_id = ?)",
        "INSERT INTO other.memberships SELECT * FROM main.memberships WHERE collection_id = ?",
    ] {
        transaction.execute(sql, [&collection_id])?;
    }
    // Bytes have their digest in `files`; texts get theirs in a column that has no other use
    // in an export.
    let digest = digest_of_texts(&transaction, "other")?;
    transaction.execute("UPDATE other.collections SET passages = ?", [digest])?;
    let moved = moved(&transaction, "other")?;
    transaction.commit()?;
    connection.execute_batch("DETACH other")?;
    Ok(moved)
}

/// Copies the whole database to `to`, as it is at one moment.
pub(crate) fn backup(stored: &StoredFile, to: &Path) -> Result<(), LibraryError> {
    let connection = stored.connect()?;
    connection.execute("VACUUM INTO ?", [text(to)?])?;
    Ok(())
}

/// Adds the collection of the export at `from` and returns its id.
pub(crate) fn import(
    writer: &mut Connection,
    from: &Path,
    name: Option<&str>,
    passages: &str,
) -> Result<String, LibraryError> {
    let format = check(from)?;
    let newer = newer(from, format, writer)?;
    attach(writer, newer.as_ref().map_or(from, NamedTempFile::path))?;
    let imported = import_attached(writer, name, passages);
    writer.execute_batch("DETACH other")?;
    imported
}

fn import_attached(
    writer: &mut Connection,
    name: Option<&str>,
    passages: &str,
) -> Result<String, LibraryError> {
    let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let exported: String =
        transaction.query_row("SELECT name FROM other.collections", [], |row| row.get(0))?;
    let name = name.unwrap_or(&exported);
    if super::collections::get(&transaction, name)?.is_some() {
        return Err(LibraryError::Exists {
            what: "collection",
            name: name.to_string(),
        });
    }
    let id = super::collections::insert(&transaction, name, passages)?;
    // Ids are kept where they are free, so that what refers to them stays valid.
    transaction.execute_batch(
        "CREATE TEMP TABLE ids (old TEXT PRIMARY KEY, new TEXT NOT NULL);
         INSERT INTO ids SELECT id, CASE
             WHEN EXISTS (SELECT 1 FROM main.files m WHERE m.id = o.id)
             THEN 'file-' || lower(hex(randomblob(12))) ELSE id END
         FROM other.files o;
         INSERT INTO main.files (id, filename, purpose, bytes, sha256, source, created_at)
             SELECT new, filename, purpose, bytes, sha256, source, created_at
             FROM other.files JOIN ids ON old = id ORDER BY sequence;
         INSERT INTO main.parts
             SELECT new, number, bytes FROM other.parts JOIN ids ON old = file_id;
         INSERT INTO main.documents
             SELECT new, title, format, markdown, headings, pages, text, language
             FROM other.documents JOIN ids ON old = file_id;",
    )?;
    // The new index is at generation 0, and everything completed beyond it: it will be caught up,
    // whole generations at a time, so none may be large.
    transaction.execute(
        "INSERT INTO main.memberships (collection_id, file_id, status, error_code,
             error_message, attributes, created_at, generation)
         SELECT ?1, new, status, error_code, error_message, attributes, created_at,
             CASE status WHEN 'completed' THEN
                 1 + (ROW_NUMBER() OVER (PARTITION BY status ORDER BY sequence) - 1) / ?2
             ELSE 0 END
         FROM other.memberships JOIN ids ON old = file_id ORDER BY sequence",
        params![&id, FILES_PER_GENERATION],
    )?;
    let last = transaction.query_row(
        "SELECT MAX(1, MAX(generation)) FROM main.memberships WHERE collection_id = ?",
        [&id],
        |row| Ok(row.get::<_, Option<i64>>(0)?.unwrap_or(1)),
    )?;
    super::collections::set_generation(&transaction, &id, last.unsigned_abs())?;
    transaction.execute_batch("DROP TABLE ids")?;
    transaction.commit()?;
    Ok(id)
}

/// A new database with our tables.
fn create(path: &Path) -> Result<(), LibraryError> {
    let connection = Connection::open(path)?;
    for migration in MIGRATIONS {
        connection.execute_batch(migration)?;
    }
    connection.pragma_update(None, "user_version", MIGRATIONS.len() as i64)?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    Ok(())
}

fn attach(connection: &Connection, path: &Path) -> Result<(), LibraryError> {
    connection.execute("ATTACH ? AS other", [text(path)?])?;
    Ok(())
}

/// A copy of an export of an earlier format, in the present one; `None` for one that is.
fn newer(
    from: &Path,
    format: usize,
    writer: &Connection,
) -> Result<Option<NamedTempFile>, LibraryError> {
    if format == MIGRATIONS.len() {
        return Ok(None);
    }
    let library = writer.path().map(Path::new).and_then(Path::parent);
    let folder = library.unwrap_or(Path::new("."));
    let copy =
        NamedTempFile::new_in(folder).map_err(LibraryError::io("create a file in", folder))?;
    fs::copy(from, copy.path()).map_err(LibraryError::io("copy", from))?;
    let connection = Connection::open(copy.path())?;
    for migration in &MIGRATIONS[format..] {
        connection.execute_batch(migration)?;
    }
    Ok(Some(copy))
}

/// Refuses what is no export of ours or is damaged, before anything of it is used. Returns its
/// format.
fn check(path: &Path) -> Result<usize, LibraryError> {
    let refuse = |reason: String| LibraryError::Invalid {
        param: "file",
        message: format!("{} cannot be imported: {reason}", path.display()),
    };
    match check_all(path, &refuse) {
        Err(LibraryError::Database(error)) => Err(refuse(format!("it is damaged: {error}"))),
        outcome => outcome,
    }
}

fn check_all(path: &Path, refuse: &dyn Fn(String) -> LibraryError) -> Result<usize, LibraryError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(path, flags).map_err(|error| refuse(error.to_string()))?;
    // Whoever made the file may mean no good: nothing in its schema is run.
    connection.pragma_update(None, "trusted_schema", false)?;
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let application = number("application_id").map_err(|_| refuse("it is no export".into()))?;
    if application != APPLICATION_ID {
        return Err(refuse("it is no export".into()));
    }
    let (found, known) = (number("user_version")?, MIGRATIONS.len());
    let format = usize::try_from(found).ok();
    let format = format.filter(|format| (OLDEST_FORMAT..=known).contains(format));
    let Some(format) = format else {
        let reason = format!("it has format {found} and this version reads up to {known}");
        return Err(refuse(reason));
    };
    let own = Connection::open_in_memory()?;
    for migration in &MIGRATIONS[..format] {
        own.execute_batch(migration)?;
    }
    if schema(&connection)? != schema(&own)? {
        return Err(refuse("its tables are not those of an export".into()));
    }
    let intact: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if intact != "ok" {
        return Err(refuse(format!("it is damaged: {intact}")));
    }
    let collections: i64 =
        connection.query_row("SELECT count(*) FROM collections", [], |row| row.get(0))?;
    if collections != 1 {
        return Err(refuse(format!("it holds {collections} collections")));
    }
    let noted: String =
        connection.query_row("SELECT passages FROM collections", [], |row| row.get(0))?;
    if noted != digest_of_texts(&connection, "main")? {
        return Err(refuse("its texts are damaged".into()));
    }
    check_contents(&connection, refuse)?;
    Ok(format)
}

/// Compares the bytes of every file with the digest that was noted when it came.
fn check_contents(
    connection: &Connection,
    refuse: &dyn Fn(String) -> LibraryError,
) -> Result<(), LibraryError> {
    let mut statement = connection.prepare("SELECT id, filename, sha256 FROM files")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (id, filename): (String, String) = (row.get(0)?, row.get(1)?);
        let expected: [u8; 32] = row.get(2)?;
        let mut hasher = Sha256::new();
        let mut parts = 0;
        while let Some(part) = contents::part(connection, &id, parts)? {
            hasher.update(&part);
            parts += 1;
        }
        // A file under a path has no bytes here until it has been read.
        if parts > 0 && <[u8; 32]>::from(hasher.finalize()) != expected {
            return Err(refuse(format!("the bytes of {filename:?} are damaged")));
        }
    }
    Ok(())
}

/// The SHA-256, in hexadecimal, of all texts and their structure, in the order of files' ids.
fn digest_of_texts(connection: &Connection, schema: &str) -> Result<String, LibraryError> {
    let mut statement = connection.prepare(&format!(
        "SELECT file_id, title, headings, pages, text FROM {schema}.documents ORDER BY file_id"
    ))?;
    let mut hasher = Sha256::new();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        for column in 0..5 {
            let value: String = row.get(column)?;
            hasher.update((value.len() as u64).to_le_bytes());
            hasher.update(value);
        }
    }
    let digest = hasher.finalize();
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn schema(connection: &Connection) -> Result<Vec<(String, String, Option<String>)>, LibraryError> {
    let mut statement = connection.prepare(
        "SELECT type, name, sql FROM sqlite_schema WHERE name <> 'sqlite_stat1' ORDER BY 1, 2",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn moved(connection: &Connection, schema: &str) -> Result<Moved, LibraryError> {
    let sql = format!(
        "SELECT (SELECT name FROM {schema}.collections), count(*), coalesce(sum(bytes), 0)
         FROM {schema}.files"
    );
    Ok(connection.query_row(&sql, params![], |row| {
        Ok(Moved {
            collection: row.get(0)?,
            files: count(row, 1)?,
            bytes: count(row, 2)?,
        })
    })?)
}

/// SQLite takes paths as text.
fn text(path: &Path) -> Result<&str, LibraryError> {
    path.to_str().ok_or_else(|| LibraryError::Invalid {
        param: "file",
        message: format!("the path {} is not Unicode", path.display()),
    })
}
