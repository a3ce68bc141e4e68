//! What comes out: text with structure.

use std::ops::Range;

use crate::Format;

/// The text of a file and what is known of its structure. All offsets are bytes of `text`.
#[derive(Clone, Debug)]
pub struct Document {
    /// The canonical text: Unicode NFC, `\n` newlines, no control characters but newline and
    /// tab, nothing invisible. Never empty or only white space, at most
    /// [`MAX_TEXT_BYTES`](crate::MAX_TEXT_BYTES).
    pub text: String,
    /// The document's own title: front matter, `<title>`, or its first heading.
    pub title: Option<String>,
    /// Headings in the order of `start`, at most [`MAX_HEADINGS`](crate::MAX_HEADINGS).
    pub headings: Vec<Heading>,
    /// The range of each page, slide or sheet, in order; empty when the format has none. A page
    /// without text has an empty range, so that the others keep their numbers.
    pub pages: Vec<Range<usize>>,
    /// How the file was read.
    pub format: &'static Format,
    /// Whether the text is Markdown and may be split by its structure.
    pub markdown: bool,
}

/// A heading of a document; its section lasts until the next one of the same or a higher rank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// 1 (highest) to 6.
    pub level: u8,
    /// Where the heading's line starts in the text.
    pub start: usize,
    /// The words of the heading, on one line, without markup.
    pub title: String,
}
