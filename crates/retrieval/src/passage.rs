//! The nouns of this crate: a document to be split, and the passage that comes of it.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

/// A document as the splitter needs it. All offsets are bytes of `text`.
#[derive(Debug, Clone, Copy)]
pub struct SourceDocument<'a> {
    /// The identifier under which passages are replaced and deleted.
    pub file_id: &'a str,
    /// The name the user gave the file; searched with a low weight.
    pub filename: &'a str,
    /// The document's title; searched with a raised weight.
    pub title: &'a str,
    /// The text that every span refers to.
    pub text: &'a str,
    /// Headings in the order of their `start`.
    pub headings: &'a [Heading],
    /// One range per page, in order; empty when the format has no pages.
    pub pages: &'a [Range<usize>],
    /// Whether `text` may be cut by Markdown structure.
    pub markdown: bool,
}

/// A heading of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// 1 is the topmost level.
    pub level: u8,
    /// Where the heading's line begins, in bytes of the document's text.
    pub start: usize,
    /// The heading without its markup.
    pub title: String,
}

/// A span of a document: what is indexed, found and quoted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passage {
    /// The file that the passage was cut from.
    pub file_id: String,
    /// That file's name.
    pub filename: String,
    /// That document's title, shortened when it is absurdly long.
    pub title: String,
    /// The page on which the passage begins, from 1; `None` when the format has no pages.
    pub page: Option<u32>,
    /// Where further pages begin behind `start`, in bytes of the document's text; a page without
    /// text begins where the next one does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub page_breaks: Vec<usize>,
    /// The headings that hold for the whole passage, outermost first: `"A > B > C"`.
    pub heading: Option<String>,
    /// First byte in the document's text.
    pub start: usize,
    /// One past the last byte in the document's text.
    pub end: usize,
    /// Code points of the document's text before `start`.
    pub start_char: usize,
    /// The white space between this passage and the next one of the document; empty when there is
    /// none, or more than white space.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub gap: String,
    /// The text itself: `document.text[start..end]`, never blank at its ends.
    pub text: String,
}

impl Passage {
    /// The page that holds the byte `offset` of the document's text, which lies in this passage.
    pub fn page_at(&self, offset: usize) -> Option<u32> {
        let begun = self.page_breaks.partition_point(|at| *at <= offset);
        let page = self.page.unwrap_or(0) + u32::try_from(begun).unwrap_or(u32::MAX);
        (page > 0).then_some(page)
    }
}

/// How large passages may be, in the tokens of whoever will read them.
#[derive(Clone, Copy)]
pub struct PassageSettings<'a> {
    /// No passage counts more tokens than this, unless a single character does. At least 1.
    pub max_tokens: usize,
    /// How many tokens neighbours may share; kept below half of `max_tokens`.
    pub overlap_tokens: usize,
    /// The reader's own count. Called often, for words and for whole passages.
    pub count_tokens: &'a (dyn Fn(&str) -> usize + Sync),
}

impl fmt::Debug for PassageSettings<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PassageSettings")
            .field("max_tokens", &self.max_tokens)
            .field("overlap_tokens", &self.overlap_tokens)
            .finish_non_exhaustive()
    }
}
