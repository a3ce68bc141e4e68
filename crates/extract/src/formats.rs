//! The table of formats, and how one is chosen.

mod csv;
mod email;
mod epub;
mod html;
mod hwp;
mod json;
mod jsonl;
mod markdown;
mod msg;
mod odt;
mod office;
mod pdf;
mod rtf;
mod table;
mod text;
mod xml;

use crate::draft::Draft;
use crate::source::Source;
use crate::{ExtractError, archive, compound, signatures};

/// A kind of file that can be read. Each is a constant in a file of its own.
#[derive(Debug)]
pub struct Format {
    name: &'static str,
    media_type: &'static str,
    extensions: &'static [&'static str],
    /// Whether files of it are text, so that only their name may tell them apart.
    is_text: bool,
    is_markdown: bool,
    recognise: fn(&Source) -> Confidence,
    read: fn(&Source, &mut Draft) -> Result<(), ExtractError>,
}

/// How sure a format is, from the content alone, that a file is its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Confidence {
    /// The content says nothing.
    None,
    /// Worth trying when the name says nothing either.
    Likely,
    /// Whatever the name says.
    Certain,
}

/// Every format, in the order in which they are asked.
static FORMATS: &[Format] = &[
    pdf::FORMAT,
    office::DOCX,
    office::PPTX,
    office::XLSX,
    office::DOC,
    office::PPT,
    office::XLS,
    hwp::HWPX,
    hwp::HWP,
    odt::FORMAT,
    epub::FORMAT,
    rtf::FORMAT,
    msg::FORMAT,
    email::FORMAT,
    html::FORMAT,
    json::FORMAT,
    jsonl::FORMAT,
    csv::CSV,
    csv::TSV,
    markdown::FORMAT,
    text::FORMAT,
];

/// Every format that can be read.
pub fn formats() -> &'static [Format] {
    FORMATS
}

/// Chooses the format: certain content, then the name, then likely content, then plain text.
///
/// Formats are asked before the signatures of what is not read, so that a new format needs no
/// change there.
///
/// # Errors
///
/// [`ExtractError::Unsupported`] or [`ExtractError::Binary`] when no format claims the content
/// and it is not text.
pub(crate) fn detect(filename: &str, source: &Source) -> Result<&'static Format, ExtractError> {
    if let Some(format) = by_content(source, Confidence::Certain) {
        return Ok(format);
    }
    if let Some(container) = unreadable_container(source) {
        return Err(container);
    }
    if let Some(found) = signatures::find(source.bytes()) {
        let found = found.into();
        return Err(ExtractError::Unsupported { found });
    }
    source.text()?;
    Ok(by_name(filename)
        .or_else(|| by_content(source, Confidence::Likely))
        .unwrap_or(&text::FORMAT))
}

/// Why a container that no format claims is not read.
fn unreadable_container(source: &Source) -> Option<ExtractError> {
    let bytes = source.bytes();
    if let Some(compound) = source.compound() {
        // Office keeps an encrypted document in an older kind of file.
        return compound
            .has("EncryptedPackage")
            .then_some(ExtractError::Protected);
    }
    let is_container = archive::has_magic(bytes) || compound::has_magic(bytes);
    let is_damaged = is_container && source.archive().is_none();
    is_damaged
        .then(|| ExtractError::malformed("Office file or archive", "it is cut off or damaged"))
}

fn by_content(source: &Source, confidence: Confidence) -> Option<&'static Format> {
    FORMATS
        .iter()
        .find(|format| (format.recognise)(source) == confidence)
}

fn by_name(filename: &str) -> Option<&'static Format> {
    let (_, extension) = filename.rsplit_once('.')?;
    let names = |format: &&Format| {
        format
            .extensions
            .iter()
            .any(|known| known.eq_ignore_ascii_case(extension))
    };
    FORMATS.iter().filter(|format| format.is_text).find(names)
}

/// Certain when it holds, nothing otherwise.
fn certain_if(holds: bool) -> Confidence {
    match holds {
        true => Confidence::Certain,
        false => Confidence::None,
    }
}

/// For formats that only the name tells from plain text.
fn by_name_only(_: &Source) -> Confidence {
    Confidence::None
}

impl Format {
    /// The word for it in settings, logs and replies, such as `"markdown"`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Its Internet media type.
    pub fn media_type(&self) -> &'static str {
        self.media_type
    }

    /// The file name extensions that stand for it, lower case, without the dot.
    pub fn extensions(&self) -> &'static [&'static str] {
        self.extensions
    }

    /// Whether its text is Markdown and may be split by its structure.
    pub fn is_markdown(&self) -> bool {
        self.is_markdown
    }

    /// Reads a file of this format into a draft.
    pub(crate) fn read(&self, source: &Source, draft: &mut Draft) -> Result<(), ExtractError> {
        (self.read)(source, draft)
    }
}
