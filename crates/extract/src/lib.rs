//! Bytes of a file to plain text with structure and offsets.
//!
//! [`extract`] finds out what a file is, by its content first and its name second, and returns
//! its canonical text: the coordinate system in which passages and citations are counted. What
//! can be read is the constant table in `formats.rs`; a new format is one new file beside the
//! others and one line in that table. What is recognised but not read is in `signatures.rs`.
//!
//! For text formats, work and memory are linear in the size of the input, which the caller
//! bounds; the text that comes out is bounded by [`MAX_TEXT_BYTES`]. For the others that is up
//! to parsers that are not ours, so a server reads all files through an [`Extractor`], in
//! children that can be killed: see `sandbox.rs`.

mod archive;
mod canonical;
mod compound;
mod decode;
mod document;
mod draft;
mod error;
mod formats;
mod joiners;
mod sandbox;
mod signatures;
mod source;
mod utf16;

use draft::Draft;
use source::Source;

pub use document::{Document, Heading};
pub use error::ExtractError;
pub use formats::{Format, formats};
pub use sandbox::{Extractor, Limits, Sandbox, serve};

/// Bytes of UTF-8 a document's text may have (20 MB, some ten thousand printed pages).
pub const MAX_TEXT_BYTES: usize = 20_000_000;

/// Pages, slides or sheets kept per document; the text of further ones belongs to the last.
pub const MAX_PAGES: usize = 100_000;

/// Headings kept per document; the text of further ones stays, but they open no section.
pub const MAX_HEADINGS: usize = 10_000;

/// Characters kept of a title or of a heading's title.
pub const MAX_TITLE_CHARS: usize = 300;

/// Reads a file: its text, title and headings.
///
/// `filename` (a name or a path) only helps where the content leaves a choice.
///
/// # Errors
///
/// See [`ExtractError`]; its message is written for the person who brought the file.
pub fn extract(filename: &str, bytes: &[u8]) -> Result<Document, ExtractError> {
    let source = Source::new(bytes);
    let format = formats::detect(filename, &source)?;
    let mut draft = Draft::default();
    format.read(&source, &mut draft)?;
    draft.finish(format)
}
