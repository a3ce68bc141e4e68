//! Documents of the Korean word processor Hangul (HWP 5, HWPX), by the library unhwp.

use unhwp::model::{Block, Paragraph, Section, Table};
use unhwp::{ErrorKind, ParseOptions};

use super::{Confidence, Format, certain_if};
use crate::ExtractError;
use crate::archive::Archive;
use crate::draft::Draft;
use crate::source::Source;

/// HWP 5, a compound file, since 2002.
pub(super) const HWP: Format = Format {
    name: "hwp",
    media_type: "application/x-hwp",
    extensions: &["hwp"],
    is_text: false,
    is_markdown: false,
    recognise: recognise_hwp,
    read,
};

/// HWPX, an archive of XML, the standard KS X 6101.
pub(super) const HWPX: Format = Format {
    name: "hwpx",
    media_type: "application/hwp+zip",
    extensions: &["hwpx"],
    is_text: false,
    is_markdown: false,
    recognise: recognise_hwpx,
    read,
};

fn recognise_hwp(source: &Source) -> Confidence {
    let compound = source.compound();
    let is_hwp = compound.is_some_and(|it| it.has("FileHeader") && it.has("DocInfo"));
    certain_if(is_hwp)
}

fn recognise_hwpx(source: &Source) -> Confidence {
    let archive = source.archive();
    certain_if(archive.is_some_and(|archive| archive.has("Contents/content.hpf")))
}

fn read(source: &Source, draft: &mut Draft) -> Result<(), ExtractError> {
    if source.archive().is_some() {
        Archive::check(source.bytes(), "HWPX")?;
    }
    let options = ParseOptions::default()
        .lenient()
        .without_resources()
        .sequential();
    let document = unhwp::parse_bytes_with_options(source.bytes(), &options).map_err(refused)?;
    if let Some(title) = &document.metadata.title {
        draft.set_title(title);
    }
    let mut sections = document.sections.iter();
    sections.try_for_each(|section| write_section(section, draft))
}

fn refused(error: unhwp::Error) -> ExtractError {
    match error.kind() {
        ErrorKind::Encrypted | ErrorKind::DistributionRestricted => ExtractError::Protected,
        _ => ExtractError::malformed("HWP", error),
    }
}

fn write_section(section: &Section, draft: &mut Draft) -> Result<(), ExtractError> {
    for block in &section.content {
        match block {
            Block::Paragraph(paragraph) => write_paragraph(paragraph, draft)?,
            Block::Table(table) => {
                draft.open_block()?;
                write_table(table, draft)?;
                draft.open_block()?;
            }
        }
    }
    Ok(())
}

fn write_paragraph(paragraph: &Paragraph, draft: &mut Draft) -> Result<(), ExtractError> {
    let text = paragraph.plain_text();
    match paragraph.style.heading_level {
        0 => draft.paragraph(&text),
        level => draft.heading(level, &text),
    }
}

fn write_table(table: &Table, draft: &mut Draft) -> Result<(), ExtractError> {
    for row in &table.rows {
        draft.row(row.cells.iter().map(|cell| cell.plain_text()))?;
        for nested in row.cells.iter().flat_map(|cell| &cell.nested_tables) {
            for row in &nested.rows {
                draft.row(row.cells.iter().map(|cell| cell.plain_text()))?;
            }
        }
    }
    Ok(())
}
