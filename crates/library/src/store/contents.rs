//! The table of files' bytes, piece by piece.

use std::io::{self, Read};

use rusqlite::{Connection, OptionalExtension, params};

use crate::LibraryError;

/// The length of all pieces but a file's last.
const PART_BYTES: usize = 1 << 20;

/// Keeps the bytes of a file, instead of what it had.
pub(crate) fn put(
    connection: &Connection,
    file_id: &str,
    bytes: &mut dyn Read,
) -> Result<(), LibraryError> {
    connection
        .prepare_cached("DELETE FROM parts WHERE file_id = ?")?
        .execute([file_id])?;
    let mut insert =
        connection.prepare_cached("INSERT INTO parts (file_id, number, bytes) VALUES (?, ?, ?)")?;
    let mut part = vec![0; PART_BYTES];
    for number in 0.. {
        let length = read_full(bytes, &mut part)?;
        // A file without bytes has one piece without bytes: it is there, and empty.
        if length > 0 || number == 0 {
            insert.execute(params![file_id, number, &part[..length]])?;
        }
        if length < part.len() {
            break;
        }
    }
    Ok(())
}

/// One piece of a file; `None` behind the last.
pub(crate) fn part(
    connection: &Connection,
    file_id: &str,
    number: u32,
) -> Result<Option<Vec<u8>>, LibraryError> {
    let mut statement =
        connection.prepare_cached("SELECT bytes FROM parts WHERE file_id = ? AND number = ?")?;
    let part = statement.query_row(params![file_id, number], |row| row.get(0));
    Ok(part.optional()?)
}

/// All bytes of a file; `None` when the library does not have them.
pub(crate) fn whole(
    connection: &Connection,
    file_id: &str,
) -> Result<Option<Vec<u8>>, LibraryError> {
    let Some(mut bytes) = part(connection, file_id, 0)? else {
        return Ok(None);
    };
    for number in 1.. {
        match part(connection, file_id, number)? {
            Some(part) => bytes.extend_from_slice(&part),
            None => break,
        }
    }
    Ok(Some(bytes))
}

/// Fills `buffer` as far as there are bytes.
fn read_full(bytes: &mut dyn Read, buffer: &mut [u8]) -> Result<usize, LibraryError> {
    let mut length = 0;
    while length < buffer.len() {
        match bytes.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(LibraryError::received(error)),
        }
    }
    Ok(length)
}
