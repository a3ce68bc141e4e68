//! The table of extracted texts.

use std::ops::Range;

use retrieval::Heading;
use rusqlite::{Connection, OptionalExtension, params};

use crate::{Document, LibraryError};

pub(crate) fn get(
    connection: &Connection,
    file_id: &str,
) -> Result<Option<Document>, LibraryError> {
    let mut statement = connection.prepare_cached(
        "SELECT text, title, format, markdown, headings, pages FROM documents WHERE file_id = ?",
    )?;
    let stored = statement.query_row([file_id], |row| {
        let document = Document {
            text: row.get(0)?,
            title: row.get(1)?,
            format: row.get(2)?,
            markdown: row.get(3)?,
            headings: Vec::new(),
            pages: Vec::new(),
        };
        Ok((document, row.get::<_, String>(4)?, row.get::<_, String>(5)?))
    });
    let Some((mut document, headings, pages)) = stored.optional()? else {
        return Ok(None);
    };
    document.headings = headings_from_json(&headings)?;
    document.pages = pages_from_json(&pages)?;
    Ok(Some(document))
}

/// The length of a file's text in bytes; 0 when it has none.
pub(crate) fn text_bytes(connection: &Connection, file_id: &str) -> Result<u64, LibraryError> {
    let mut statement =
        connection.prepare_cached("SELECT octet_length(text) FROM documents WHERE file_id = ?")?;
    let bytes = statement.query_row([file_id], |row| super::count(row, 0));
    Ok(bytes.optional()?.unwrap_or(0))
}

/// Keeps the text of a file. A file deleted meanwhile is passed over.
pub(crate) fn put(
    connection: &Connection,
    file_id: &str,
    document: &Document,
) -> Result<(), LibraryError> {
    let mut statement = connection.prepare_cached(
        "INSERT OR REPLACE INTO documents
         (file_id, text, title, format, markdown, headings, pages)
         SELECT id, ?2, ?3, ?4, ?5, ?6, ?7 FROM files WHERE id = ?1",
    )?;
    statement.execute(params![
        file_id,
        document.text,
        document.title,
        document.format,
        document.markdown,
        headings_to_json(&document.headings)?,
        pages_to_json(&document.pages)?,
    ])?;
    Ok(())
}

fn headings_to_json(headings: &[Heading]) -> Result<String, LibraryError> {
    let rows: Vec<_> = headings
        .iter()
        .map(|heading| (heading.level, heading.start, &heading.title))
        .collect();
    Ok(serde_json::to_string(&rows)?)
}

fn headings_from_json(json: &str) -> Result<Vec<Heading>, LibraryError> {
    let rows: Vec<(u8, usize, String)> = serde_json::from_str(json)?;
    let headings = rows.into_iter().map(|(level, start, title)| Heading {
        level,
        start,
        title,
    });
    Ok(headings.collect())
}

fn pages_to_json(pages: &[Range<usize>]) -> Result<String, LibraryError> {
    let rows: Vec<_> = pages.iter().map(|page| (page.start, page.end)).collect();
    Ok(serde_json::to_string(&rows)?)
}

fn pages_from_json(json: &str) -> Result<Vec<Range<usize>>, LibraryError> {
    let rows: Vec<(usize, usize)> = serde_json::from_str(json)?;
    Ok(rows.into_iter().map(|(start, end)| start..end).collect())
}
