//! Office documents of both generations, by the library undoc: Word, PowerPoint, Excel.
//!
//! A presentation has a page for each slide, a workbook one for each sheet. Word decides where
//! its pages end only when it prints, so its documents have none.

use undoc::model::{Cell, Paragraph, RevisionType, Section, Table as OfficeTable};
use undoc::{Block, ErrorKind};

use super::table::Table;
use super::{Confidence, Format, certain_if};
use crate::ExtractError;
use crate::archive::Archive;
use crate::draft::Draft;
use crate::source::Source;

/// A Word document since 2007.
pub(super) const DOCX: Format = Format {
    name: "docx",
    media_type: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    extensions: &["docx", "docm", "dotx"],
    is_text: false,
    is_markdown: false,
    recognise: |source| in_archive(source, "word/document.xml"),
    read: |source, draft| read(source, draft, Kind::Text),
};

/// A PowerPoint presentation since 2007.
pub(super) const PPTX: Format = Format {
    name: "pptx",
    media_type: "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    extensions: &["pptx", "pptm", "ppsx"],
    is_text: false,
    is_markdown: false,
    recognise: |source| in_archive(source, "ppt/presentation.xml"),
    read: |source, draft| read(source, draft, Kind::Slides),
};

/// An Excel workbook since 2007.
pub(super) const XLSX: Format = Format {
    name: "xlsx",
    media_type: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    extensions: &["xlsx", "xlsm"],
    is_text: false,
    is_markdown: false,
    recognise: |source| in_archive(source, "xl/workbook.xml"),
    read: |source, draft| read(source, draft, Kind::Sheets),
};

/// A Word document of 1997 to 2003.
pub(super) const DOC: Format = Format {
    name: "doc",
    media_type: "application/msword",
    extensions: &["doc"],
    is_text: false,
    is_markdown: false,
    recognise: |source| in_compound(source, &["WordDocument"]),
    read: |source, draft| read(source, draft, Kind::Text),
};

/// A PowerPoint presentation of 1997 to 2003.
pub(super) const PPT: Format = Format {
    name: "ppt",
    media_type: "application/vnd.ms-powerpoint",
    extensions: &["ppt", "pps"],
    is_text: false,
    is_markdown: false,
    recognise: |source| in_compound(source, &["PowerPoint Document"]),
    read: |source, draft| read(source, draft, Kind::Slides),
};

/// An Excel workbook of 1995 to 2003.
pub(super) const XLS: Format = Format {
    name: "xls",
    media_type: "application/vnd.ms-excel",
    extensions: &["xls"],
    is_text: false,
    is_markdown: false,
    recognise: |source| in_compound(source, &["Workbook", "Book"]),
    read: |source, draft| read(source, draft, Kind::Sheets),
};

/// What the sections of a document are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Stretches of running text.
    Text,
    Slides,
    Sheets,
}

fn in_archive(source: &Source, part: &str) -> Confidence {
    certain_if(source.archive().is_some_and(|archive| archive.has(part)))
}

fn in_compound(source: &Source, streams: &[&str]) -> Confidence {
    let compound = source.compound();
    certain_if(compound.is_some_and(|compound| streams.iter().any(|name| compound.has(name))))
}

fn read(source: &Source, draft: &mut Draft, kind: Kind) -> Result<(), ExtractError> {
    if source.archive().is_some() {
        Archive::check(source.bytes(), "Office file")?;
    }
    let document = undoc::parse_bytes(source.bytes()).map_err(|error| match error.kind() {
        ErrorKind::Encrypted => ExtractError::Protected,
        _ => ExtractError::malformed("Office file", error),
    })?;
    if let Some(title) = &document.metadata.title {
        draft.set_title(title);
    }
    for section in &document.sections {
        if kind != Kind::Text {
            draft.open_page()?;
        }
        if let Some(name) = section.name.as_deref().filter(|_| kind == Kind::Sheets) {
            draft.heading(1, name)?;
        }
        write_section(section, kind, draft)?;
    }
    Ok(())
}

fn write_section(section: &Section, kind: Kind, draft: &mut Draft) -> Result<(), ExtractError> {
    for block in &section.content {
        match block {
            Block::Paragraph(paragraph) => write_paragraph(paragraph, draft)?,
            Block::Table(table) if kind == Kind::Sheets => write_sheet(table, draft)?,
            Block::Table(table) => write_table(table, draft)?,
            Block::Note { content, .. } => write_paragraphs(content, draft)?,
            Block::PageBreak | Block::SectionBreak | Block::Image { .. } => {}
        }
    }
    write_paragraphs(section.notes.as_deref().unwrap_or_default(), draft)
}

fn write_paragraphs(paragraphs: &[Paragraph], draft: &mut Draft) -> Result<(), ExtractError> {
    paragraphs
        .iter()
        .try_for_each(|paragraph| write_paragraph(paragraph, draft))
}

fn write_paragraph(paragraph: &Paragraph, draft: &mut Draft) -> Result<(), ExtractError> {
    let text = text_of(paragraph);
    if paragraph.is_heading() {
        return draft.heading(paragraph.heading.level(), &text);
    }
    match &paragraph.list_info {
        Some(item) => draft.line(&format!(
            "{}- {}",
            "  ".repeat(item.level.min(6).into()),
            text.trim()
        )),
        None => draft.paragraph(&text),
    }
}

/// The text of a paragraph as it stands: what a tracked change deleted is gone.
fn text_of(paragraph: &Paragraph) -> String {
    let mut text = String::new();
    for run in paragraph
        .runs
        .iter()
        .filter(|run| run.revision != RevisionType::Deleted)
    {
        text.push_str(&run.text);
        if run.line_break || run.page_break {
            text.push('\n');
        }
    }
    text
}

/// Rows with their headers, as in CSV.
fn write_sheet(sheet: &OfficeTable, draft: &mut Draft) -> Result<(), ExtractError> {
    draft.open_block()?;
    let mut table = Table::default();
    for row in &sheet.rows {
        let cells: Vec<String> = row.cells.iter().map(cell_on_one_line).collect();
        table.write(&cells, draft)?;
    }
    table.finish(draft)
}

fn write_table(table: &OfficeTable, draft: &mut Draft) -> Result<(), ExtractError> {
    draft.open_block()?;
    for row in &table.rows {
        draft.row(row.cells.iter().map(cell_text))?;
        for nested in row.cells.iter().flat_map(|cell| &cell.nested_tables) {
            for row in &nested.rows {
                draft.row(row.cells.iter().map(cell_text))?;
            }
        }
    }
    draft.open_block()
}

fn cell_text(cell: &Cell) -> String {
    let paragraphs = cell.content.iter().map(text_of);
    paragraphs.collect::<Vec<_>>().join("\n")
}

fn cell_on_one_line(cell: &Cell) -> String {
    let text = crate::canonical::canonical(&cell_text(cell));
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
