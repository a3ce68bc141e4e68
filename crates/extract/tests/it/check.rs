//! How the tests call the crate.

use extract::{Document, ExtractError};

/// The document of a file that must be readable.
#[track_caller]
pub(crate) fn document(filename: &str, content: impl AsRef<[u8]>) -> Document {
    match extract::extract(filename, content.as_ref()) {
        Ok(document) => document,
        Err(error) => panic!("{filename}: {error}"),
    }
}

/// The text of a file that must be readable.
#[track_caller]
pub(crate) fn text(filename: &str, content: impl AsRef<[u8]>) -> String {
    document(filename, content).text
}

/// The error for a file that must not be readable.
#[track_caller]
pub(crate) fn error(filename: &str, content: impl AsRef<[u8]>) -> ExtractError {
    match extract::extract(filename, content.as_ref()) {
        Ok(document) => panic!("{filename}: read as {:?}", document.text),
        Err(error) => error,
    }
}

/// The headings as `level title`, each checked to start a line of the text.
#[track_caller]
pub(crate) fn headings(document: &Document) -> Vec<String> {
    let describe = |heading: &extract::Heading| {
        let before = &document.text[..heading.start];
        assert!(before.is_empty() || before.ends_with('\n'), "{heading:?}");
        format!("{} {}", heading.level, heading.title)
    };
    document.headings.iter().map(describe).collect()
}
