//! A document being written by a reader, with the limits kept as it grows.

use crate::canonical::canonical;
use crate::{
    Document, ExtractError, Format, Heading, MAX_HEADINGS, MAX_PAGES, MAX_TEXT_BYTES,
    MAX_TITLE_CHARS,
};

/// A document being written. Readers push canonical text and note headings on the way.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    text: String,
    title: Option<String>,
    headings: Vec<Heading>,
    page_starts: Vec<usize>,
}

impl Draft {
    /// Bytes written so far: the offset at which the next push lands.
    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    /// Appends text that is already canonical, or fails when the document grows too large.
    ///
    /// The check comes before the copy, so that a small file that unfolds into a huge text
    /// (a long CSV header repeated on each row) never occupies more than the limit.
    pub(crate) fn push(&mut self, text: &str) -> Result<(), ExtractError> {
        if self.text.len() + text.len() > MAX_TEXT_BYTES {
            return Err(ExtractError::TooLarge {
                limit: MAX_TEXT_BYTES,
            });
        }
        self.text.push_str(text);
        Ok(())
    }

    /// Leaves one blank line before what follows, unless nothing was written yet.
    pub(crate) fn open_block(&mut self) -> Result<(), ExtractError> {
        if self.text.is_empty() || self.text.ends_with("\n\n") {
            return Ok(());
        }
        let newlines = if self.text.ends_with('\n') {
            "\n"
        } else {
            "\n\n"
        };
        self.push(newlines)
    }

    /// A page, slide or sheet begins.
    pub(crate) fn open_page(&mut self) -> Result<(), ExtractError> {
        self.open_block()?;
        if self.page_starts.len() < MAX_PAGES {
            self.page_starts.push(self.text.len());
        }
        Ok(())
    }

    /// Appends a paragraph, made canonical; white space alone is none.
    pub(crate) fn paragraph(&mut self, text: &str) -> Result<(), ExtractError> {
        let text = canonical(text);
        let text = text.trim_matches('\n').trim_end();
        if text.trim().is_empty() {
            return Ok(());
        }
        self.open_block()?;
        self.push(text)
    }

    /// Appends a heading, made canonical.
    pub(crate) fn heading(&mut self, level: u8, text: &str) -> Result<(), ExtractError> {
        let text = canonical(text);
        let title = text.trim();
        if title.is_empty() {
            return Ok(());
        }
        self.open_block()?;
        self.note_heading(level.clamp(1, 6), self.text.len(), title);
        self.push(title)
    }

    /// Appends what stands on a line of its own, such as an item of a list or a row of a table.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), ExtractError> {
        let text = canonical(text);
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.push("\n")?;
        }
        self.push(text.trim_end())
    }

    /// Appends a row of a table as a line, its cells between bars; an empty row is none.
    pub(crate) fn row<T: AsRef<str>>(
        &mut self,
        cells: impl Iterator<Item = T>,
    ) -> Result<(), ExtractError> {
        let one_line = |cell: T| {
            cell.as_ref()
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
        };
        let cells: Vec<String> = cells.map(one_line).collect();
        if cells.iter().all(String::is_empty) {
            return Ok(());
        }
        self.line(&cells.join(" | "))
    }

    /// Notes a heading whose line starts at `start`; one without words is not a heading.
    pub(crate) fn note_heading(&mut self, level: u8, start: usize, title: &str) {
        let title = one_line(title);
        if title.is_empty() || self.headings.len() >= MAX_HEADINGS {
            return;
        }
        self.headings.push(Heading {
            level,
            start,
            title,
        });
    }

    /// Sets the title that the format itself carries.
    pub(crate) fn set_title(&mut self, title: &str) {
        self.title = Some(one_line(&canonical(title))).filter(|title| !title.is_empty());
    }

    /// The finished document, or [`ExtractError::Empty`] when there is nothing to read in it.
    pub(crate) fn finish(self, format: &'static Format) -> Result<Document, ExtractError> {
        if self.text.trim().is_empty() {
            return Err(ExtractError::Empty);
        }
        let ends = self.page_starts.iter().skip(1).copied();
        let ends = ends.chain([self.text.len()]);
        let pages = self.page_starts.iter().zip(ends);
        let pages = pages.map(|(start, end)| *start..end).collect();
        let first_heading = self.headings.first().map(|heading| heading.title.clone());
        Ok(Document {
            title: self.title.or(first_heading),
            text: self.text,
            headings: self.headings,
            pages,
            format,
            markdown: format.is_markdown(),
        })
    }
}

/// The words of a title with single spaces between them, cut to [`MAX_TITLE_CHARS`].
fn one_line(title: &str) -> String {
    let mut line = String::new();
    let mut chars = 0;
    for word in title.split_whitespace() {
        if chars > 0 {
            line.push(' ');
            chars += 1;
        }
        for c in word.chars() {
            if chars == MAX_TITLE_CHARS {
                return line;
            }
            line.push(c);
            chars += 1;
        }
    }
    line
}
