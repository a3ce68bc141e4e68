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
        "SELECT text, title, format, markdown, headings, pages, nullif(language, '')
         FROM documents WHERE file_id = ?",
    )?;
    let stored = statement.query_row([file_id], |row| {
        let document = Document {
            text: row.get(0)?,
            title: row.get(1)?,
            format: row.get(2)?,
            markdown: row.get(3)?,
            language: row.get(6)?,
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
         (file_id, text, title, format, markdown, headings, pages, language)
         SELECT id, ?2, ?3, ?4, ?5, ?6, ?7, ?8 FROM files WHERE id = ?1",
    )?;
    statement.execute(params![
        file_id,
        document.text,
        document.title,
        document.format,
        document.markdown,
        headings_to_json(&document.headings)?,
        pages_to_json(&document.pages)?,
        document.language.as_deref().unwrap_or_default(),
    ])?;
    Ok(())
}

/// Some texts of which the language was never looked at, by the ids of their files.
pub(crate) fn without_language(
    connection: &Connection,
    limit: usize,
) -> Result<Vec<(String, String)>, LibraryError> {
    let mut statement = connection
        .prepare_cached("SELECT file_id, text FROM documents WHERE language IS NULL LIMIT ?")?;
    let rows = statement.query_map([limit as i64], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Notes the language of a file's text; `None` where it cannot be told.
pub(crate) fn set_language(
    connection: &Connection,
    file_id: &str,
    language: Option<&str>,
) -> Result<(), LibraryError> {
    let mut statement =
        connection.prepare_cached("UPDATE documents SET language = ? WHERE file_id = ?")?;
    statement.execute([language.unwrap_or_default(), file_id])?;
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
