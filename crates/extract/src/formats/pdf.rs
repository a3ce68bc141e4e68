//! PDF, by the library unpdf: text in reading order, page by page.
//!
//! Chosen by what it says of itself, above all its Korean character maps; see `README.md`.

use unpdf::{Block, ErrorKind, Page, ParseOptions, PdfParser};

use super::{Confidence, Format, certain_if};
use crate::ExtractError;
use crate::draft::Draft;
use crate::source::Source;

/// PDF of any version.
pub(super) const FORMAT: Format = Format {
    name: "pdf",
    media_type: "application/pdf",
    extensions: &["pdf"],
    is_text: false,
    is_markdown: false,
    recognise,
    read,
};

/// How far into a file its header may stand (Acrobat's own tolerance, ISO 32000-1, annex H.3.4.1).
const HEADER_WINDOW: usize = 1024;

/// Endings of file names that programs write in place of a title.
const FILE_ENDINGS: &[&str] = &[
    ".doc", ".docx", ".hwp", ".hwpx", ".ppt", ".pptx", ".xls", ".xlsx", ".pdf", ".indd", ".tex",
    ".dvi", ".qxd", ".odt", ".txt", ".htm", ".html", ".rtf",
];

fn recognise(source: &Source) -> Confidence {
    let bytes = source.bytes();
    let window = &bytes[..bytes.len().min(HEADER_WINDOW)];
    let holds = |bytes: &[u8], words: &[u8]| bytes.windows(words.len()).any(|w| w == words);
    // A text that mentions the header has no objects.
    let has_header = bytes.starts_with(b"%PDF-")
        || (holds(window, b"%PDF-") && (holds(bytes, b"endobj") || holds(bytes, b"startxref")));
    certain_if(has_header)
}

fn read(source: &Source, draft: &mut Draft) -> Result<(), ExtractError> {
    let options = ParseOptions::new().lenient().with_resources(false);
    let parser = PdfParser::from_bytes_with_options(source.bytes(), options).map_err(refused)?;
    let document = parser.parse().map_err(refused)?;
    if let Some(title) = document.metadata.title.as_deref().filter(|t| is_title(t)) {
        draft.set_title(title);
    }
    let start = draft.len();
    for page in &document.pages {
        draft.open_page()?;
        write_page(page, draft)?;
    }
    if draft.len() == start {
        return Err(why_without_text(&document));
    }
    Ok(())
}

fn refused(error: unpdf::Error) -> ExtractError {
    match error.kind() {
        ErrorKind::Encrypted | ErrorKind::InvalidPassword => ExtractError::Protected,
        _ => ExtractError::malformed("PDF", error),
    }
}

/// Whether what the file calls its title is one, and not the name of a file.
fn is_title(title: &str) -> bool {
    let title = title.trim().to_lowercase();
    let is_filename = FILE_ENDINGS.iter().any(|ending| title.ends_with(ending));
    !is_filename && !title.starts_with("microsoft ") && title != "untitled"
}

fn write_page(page: &Page, draft: &mut Draft) -> Result<(), ExtractError> {
    for block in &page.elements {
        match block {
            Block::Paragraph(paragraph) => {
                let text = paragraph.plain_text();
                match paragraph.heading_level() {
                    Some(level) => draft.heading(level, &text)?,
                    None if paragraph.is_list_item() => draft.line(&text)?,
                    None => draft.paragraph(&text)?,
                }
            }
            Block::Table(table) => {
                draft.open_block()?;
                for row in &table.rows {
                    let cells = row.cells.iter().map(|cell| cell.plain_text());
                    draft.row(cells)?;
                }
            }
            Block::Code { content } | Block::Raw { content } => draft.paragraph(content)?,
            Block::Image { .. }
            | Block::HorizontalRule
            | Block::PageBreak
            | Block::SectionBreak => {}
        }
    }
    Ok(())
}

/// What to tell about pages on which nothing was read.
fn why_without_text(document: &unpdf::Document) -> ExtractError {
    let pages = document.pages.len();
    let has_images = document.pages.iter().any(|page| page.image_op_count > 0);
    let lost_runs: usize = document
        .pages
        .iter()
        .map(|page| page.suppressed_text_runs)
        .sum();
    if pages == 0 {
        return ExtractError::malformed("PDF", "it has no pages that can be found");
    }
    if lost_runs > 0 {
        let reason = "its fonts do not say which characters they draw; run text recognition (OCR) \
                      on it first";
        return ExtractError::malformed("PDF", reason);
    }
    match has_images {
        true => ExtractError::Scanned { pages },
        false => ExtractError::Empty,
    }
}
