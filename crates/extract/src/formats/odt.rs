//! OpenDocument: texts, presentations and spreadsheets, as LibreOffice writes them.
//!
//! One part of the archive holds everything that is read. A presentation has a page for each
//! slide, a spreadsheet one for each sheet.

use super::table::Table;
use super::xml::{Part, Tag, walk};
use super::{Confidence, Format, certain_if};
use crate::ExtractError;
use crate::archive::Archive;
use crate::canonical::canonical;
use crate::draft::Draft;
use crate::source::Source;

/// OpenDocument 1.0 to 1.4.
pub(super) const FORMAT: Format = Format {
    name: "opendocument",
    media_type: "application/vnd.oasis.opendocument.text",
    extensions: &["odt", "odp", "ods", "ott"],
    is_text: false,
    is_markdown: false,
    recognise,
    read,
};

const NAME: &str = "OpenDocument file";
const CONTENT: &str = "content.xml";

/// A cell may claim to be repeated to the end of the sheet.
const MAX_REPEATED_CELLS: usize = 100;

fn recognise(source: &Source) -> Confidence {
    let has = |part| source.archive().is_some_and(|archive| archive.has(part));
    certain_if(has(CONTENT) && has("META-INF/manifest.xml"))
}

fn read(source: &Source, draft: &mut Draft) -> Result<(), ExtractError> {
    Archive::check(source.bytes(), NAME)?;
    if let Ok(meta) = Archive::part(source.bytes(), "meta.xml", NAME) {
        let _ = read_title(&meta, draft);
    }
    let content = Archive::part(source.bytes(), CONTENT, NAME)?;
    let mut writer = Writer::new(draft);
    walk(&content, NAME, |part| match part {
        Part::Start(tag) => writer.start(&tag),
        Part::End(name) => writer.end(name),
        Part::Text(text) => {
            writer.text(text);
            Ok(())
        }
    })
}

fn read_title(meta: &[u8], draft: &mut Draft) -> Result<(), ExtractError> {
    let mut inside = false;
    // A reference such as `&amp;` parts the text in three.
    let mut title = String::new();
    walk(meta, NAME, |part| {
        match part {
            Part::Start(tag) => inside = tag.name() == "title",
            Part::End(_) => inside = false,
            Part::Text(text) if inside => title.push_str(text),
            Part::Text(_) => {}
        }
        Ok(())
    })?;
    if !title.is_empty() {
        draft.set_title(&title);
    }
    Ok(())
}

/// Follows the elements and writes what they hold.
struct Writer<'a> {
    draft: &'a mut Draft,
    /// The paragraph or heading being read.
    text: String,
    heading: Option<u8>,
    /// How many elements that are left out are open.
    skipped: usize,
    lists: usize,
    /// The cells of the row being read, if it is one.
    row: Option<Vec<String>>,
    /// How often the cell being read is repeated.
    repeated: usize,
    /// The sheet being read, if the document is a spreadsheet.
    sheet: Option<Table>,
    is_spreadsheet: bool,
}

impl<'a> Writer<'a> {
    fn new(draft: &'a mut Draft) -> Self {
        Self {
            draft,
            text: String::new(),
            heading: None,
            skipped: 0,
            lists: 0,
            row: None,
            repeated: 1,
            sheet: None,
            is_spreadsheet: false,
        }
    }

    fn start(&mut self, tag: &Tag) -> Result<(), ExtractError> {
        match tag.name() {
            "annotation" | "tracked-changes" | "script" | "forms" => self.skipped += 1,
            "spreadsheet" => self.is_spreadsheet = true,
            "h" => {
                let level = tag.attribute("outline-level");
                self.heading = level.and_then(|level| level.parse().ok()).or(Some(1));
            }
            "s" => {
                let count = tag
                    .attribute("c")
                    .and_then(|count| count.parse::<usize>().ok());
                self.text
                    .extend(std::iter::repeat_n(' ', count.unwrap_or(1).min(80)));
            }
            "tab" => self.text.push('\t'),
            "line-break" => self.text.push('\n'),
            "list" => self.lists += 1,
            // A slide.
            "page" => self.draft.open_page()?,
            "table" if self.is_spreadsheet => {
                self.draft.open_page()?;
                let name = tag.attribute("name").unwrap_or_default();
                self.draft.heading(1, &name)?;
                self.draft.open_block()?;
                self.sheet = Some(Table::default());
            }
            "table" => self.draft.open_block()?,
            "table-row" => self.row = Some(Vec::new()),
            "table-cell" => {
                let repeated = tag.attribute("number-columns-repeated");
                self.repeated = repeated.and_then(|n| n.parse().ok()).unwrap_or(1);
                self.text.clear();
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, name: &str) -> Result<(), ExtractError> {
        match name {
            "annotation" | "tracked-changes" | "script" | "forms" => {
                self.skipped = self.skipped.saturating_sub(1);
            }
            // The paragraphs of a cell stay on its line.
            "p" | "h" if self.row.is_some() => self.text.push('\n'),
            "p" | "h" => self.end_paragraph()?,
            "list" => self.lists = self.lists.saturating_sub(1),
            "table-cell" => self.end_cell(),
            "table-row" => self.end_row()?,
            "table" => {
                if let Some(sheet) = self.sheet.take() {
                    sheet.finish(self.draft)?;
                }
                self.draft.open_block()?;
            }
            _ => {}
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if self.skipped == 0 {
            self.text.push_str(text);
        }
    }

    fn end_paragraph(&mut self) -> Result<(), ExtractError> {
        let text = std::mem::take(&mut self.text);
        match self.heading.take() {
            Some(level) => self.draft.heading(level, &text),
            None if self.lists > 0 && !text.trim().is_empty() => {
                let indent = "  ".repeat((self.lists - 1).min(6));
                self.draft.line(&format!("{indent}- {}", text.trim()))
            }
            None => self.draft.paragraph(&text),
        }
    }

    fn end_cell(&mut self) {
        let text = canonical(&std::mem::take(&mut self.text));
        let cell = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some(row) = &mut self.row {
            let times = self.repeated.min(MAX_REPEATED_CELLS);
            row.extend(std::iter::repeat_n(cell, times));
        }
    }

    fn end_row(&mut self) -> Result<(), ExtractError> {
        let mut row = self.row.take().unwrap_or_default();
        let filled = row.iter().rposition(|cell| !cell.is_empty());
        row.truncate(filled.map_or(0, |last| last + 1));
        match &mut self.sheet {
            Some(sheet) => sheet.write(&row, self.draft),
            None => self.draft.row(row.iter()),
        }
    }
}
