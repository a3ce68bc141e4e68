//! The extracted text of a file: the coordinate system of every span.

use std::ops::Range;

use retrieval::{Heading, SourceDocument};

use crate::language;

/// What extraction made of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The canonical text. All offsets below are bytes in it.
    pub text: String,
    /// The document's own title, or the name of its file.
    pub title: String,
    /// The headings, in order.
    pub headings: Vec<Heading>,
    /// The pages, in order; none when the format has none.
    pub pages: Vec<Range<usize>>,
    /// The format, for people: "markdown".
    pub format: String,
    /// Whether the text has the structure of Markdown.
    pub markdown: bool,
    /// The language most of it is in, as ISO 639's two letters; `None` where that cannot be told.
    pub language: Option<String>,
}

impl Document {
    /// Takes over what `extract` found. A document without a title gets the file's name.
    pub(crate) fn from_extracted(filename: &str, extracted: extract::Document) -> Document {
        let headings = extracted.headings.into_iter().map(|heading| Heading {
            level: heading.level,
            start: heading.start,
            title: heading.title,
        });
        Document {
            title: extracted.title.unwrap_or_else(|| filename.to_string()),
            headings: headings.collect(),
            pages: extracted.pages,
            format: extracted.format.name().to_string(),
            markdown: extracted.markdown,
            language: language::detect(&extracted.text).map(str::to_string),
            text: extracted.text,
        }
    }

    /// The document as `retrieval` splits it.
    pub(crate) fn as_source<'a>(
        &'a self,
        file_id: &'a str,
        filename: &'a str,
    ) -> SourceDocument<'a> {
        SourceDocument {
            file_id,
            filename,
            title: &self.title,
            text: &self.text,
            headings: &self.headings,
            pages: &self.pages,
            markdown: self.markdown,
        }
    }
}
