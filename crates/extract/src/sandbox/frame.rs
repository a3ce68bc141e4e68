//! What parent and child say to each other: one file there, one document or error back.
//!
//! A request is the length of the name (4 bytes), of the content (8), the name, the content. A
//! reply is the length of the head (4), of the text (4), the head as JSON, the text. Lengths are
//! little-endian. The parent believes a reply nothing: sizes are bounded before they are
//! allocated, and what is said about the text is checked against it.

use std::borrow::Cow;
use std::io::{self, Read, Write};
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::{Document, ExtractError, Heading, MAX_HEADINGS, MAX_PAGES, MAX_TEXT_BYTES, formats};

/// Bytes a reply's head may have: every heading with the longest title, every page.
const MAX_HEAD_BYTES: usize = 32 << 20;

/// A file to be read.
pub(super) struct Request {
    pub(super) filename: String,
    pub(super) bytes: Vec<u8>,
}

/// What a reply says beside the text.
#[derive(Serialize, Deserialize)]
enum Head {
    Document {
        title: Option<String>,
        headings: Vec<(u8, usize, String)>,
        pages: Vec<(usize, usize)>,
        format: String,
        markdown: bool,
    },
    Failed(ExtractError),
}

pub(super) fn write_request(mut pipe: impl Write, filename: &str, bytes: &[u8]) -> io::Result<()> {
    let mut lengths = Vec::with_capacity(12 + filename.len());
    lengths.extend(length(filename.len())?.to_le_bytes());
    lengths.extend((bytes.len() as u64).to_le_bytes());
    lengths.extend(filename.as_bytes());
    pipe.write_all(&lengths)?;
    pipe.write_all(bytes)?;
    pipe.flush()
}

/// The next request, or `None` when the parent wants no more.
pub(super) fn read_request(mut pipe: impl Read) -> io::Result<Option<Request>> {
    let mut name_length = [0; 4];
    match pipe.read_exact(&mut name_length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        result => result?,
    }
    let mut length = [0; 8];
    pipe.read_exact(&mut length)?;
    let name = read_bytes(&mut pipe, u32::from_le_bytes(name_length) as usize)?;
    let bytes = usize::try_from(u64::from_le_bytes(length)).map_err(|_| broken())?;
    Ok(Some(Request {
        filename: String::from_utf8(name).map_err(|_| broken())?,
        bytes: read_bytes(&mut pipe, bytes)?,
    }))
}

pub(super) fn write_reply(
    mut pipe: impl Write,
    result: Result<Document, ExtractError>,
) -> io::Result<()> {
    let (head, text) = match result {
        Ok(document) => {
            let headings = document.headings.into_iter();
            let head = Head::Document {
                title: document.title,
                headings: headings.map(|h| (h.level, h.start, h.title)).collect(),
                pages: document.pages.iter().map(|p| (p.start, p.end)).collect(),
                format: document.format.name().to_owned(),
                markdown: document.markdown,
            };
            (head, document.text)
        }
        Err(error) => (Head::Failed(error), String::new()),
    };
    let head = serde_json::to_vec(&head)?;
    pipe.write_all(&length(head.len())?.to_le_bytes())?;
    pipe.write_all(&length(text.len())?.to_le_bytes())?;
    pipe.write_all(&head)?;
    pipe.write_all(text.as_bytes())?;
    pipe.flush()
}

/// The outer error is the pipe's, or a child that breaks the rules; the inner one the file's.
pub(super) fn read_reply(mut pipe: impl Read) -> io::Result<Result<Document, ExtractError>> {
    let mut lengths = [[0; 4]; 2];
    pipe.read_exact(lengths.as_flattened_mut())?;
    let [head, text] = lengths.map(|length| u32::from_le_bytes(length) as usize);
    if head > MAX_HEAD_BYTES || text > MAX_TEXT_BYTES {
        return Err(broken());
    }
    let head = serde_json::from_slice(&read_bytes(&mut pipe, head)?)?;
    let text = String::from_utf8(read_bytes(&mut pipe, text)?).map_err(|_| broken())?;
    match head {
        Head::Document {
            title,
            headings,
            pages,
            format,
            markdown,
        } => {
            let headings = headings.into_iter();
            let document = Document {
                title,
                headings: headings
                    .map(|(level, start, title)| Heading {
                        level,
                        start,
                        title,
                    })
                    .collect(),
                pages: pages.into_iter().map(|(start, end)| start..end).collect(),
                format: formats()
                    .iter()
                    .find(|f| f.name() == format)
                    .ok_or_else(broken)?,
                markdown,
                text,
            };
            if !is_consistent(&document) {
                return Err(broken());
            }
            Ok(Ok(document))
        }
        Head::Failed(error) => Ok(Err(quoted(error))),
    }
}

/// Whether every offset is a place in the text, and in order.
fn is_consistent(document: &Document) -> bool {
    let text = &document.text;
    let is_place = |offset: usize| text.is_char_boundary(offset);
    let headings = &document.headings;
    let pages = &document.pages;
    let is_page =
        |page: &Range<usize>| page.start <= page.end && is_place(page.start) && is_place(page.end);
    headings.len() <= MAX_HEADINGS
        && headings
            .iter()
            .all(|h| is_place(h.start) && (1..=6).contains(&h.level))
        && headings.is_sorted_by_key(|heading| heading.start)
        && pages.len() <= MAX_PAGES
        && pages.iter().all(is_page)
        && pages.is_sorted_by_key(|page| page.start)
}

/// An error whose free words are fit to be shown: the file may have chosen them.
fn quoted(error: ExtractError) -> ExtractError {
    let clean = |words: &str| -> String {
        let line = words.chars().map(|c| if c.is_control() { ' ' } else { c });
        line.take(300).collect()
    };
    match error {
        ExtractError::Unsupported { found } => ExtractError::Unsupported {
            found: Cow::Owned(clean(&found)),
        },
        ExtractError::Malformed { format, reason } => ExtractError::Malformed {
            format: Cow::Owned(clean(&format)),
            reason: clean(&reason),
        },
        error => error,
    }
}

/// Reads as many bytes, and takes memory only for those that come.
fn read_bytes(pipe: &mut impl Read, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(length.min(1 << 20));
    pipe.take(length as u64).read_to_end(&mut bytes)?;
    if bytes.len() < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(bytes)
}

fn length(bytes: usize) -> io::Result<u32> {
    u32::try_from(bytes).map_err(|_| broken())
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "not what was agreed on")
}
