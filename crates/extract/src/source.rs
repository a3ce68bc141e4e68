//! A file as it arrived, with what is inside on demand.

use std::cell::OnceCell;

use crate::ExtractError;
use crate::archive::Archive;
use crate::canonical::canonical;
use crate::compound::Compound;
use crate::decode::decode;

/// The bytes of one file. Formats look at the bytes, at the text, or at the parts of a container.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    bytes: &'a [u8],
    text: OnceCell<Result<String, ExtractError>>,
    archive: OnceCell<Option<Archive>>,
    compound: OnceCell<Option<Compound>>,
}

impl<'a> Source<'a> {
    /// Wraps the bytes; nothing is decoded yet.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            text: OnceCell::new(),
            archive: OnceCell::new(),
            compound: OnceCell::new(),
        }
    }

    /// The bytes as they arrived.
    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The canonical text of the file, decoded once, or [`ExtractError::Binary`].
    pub(crate) fn text(&self) -> Result<&str, ExtractError> {
        let text = self.text.get_or_init(|| read_text(self.bytes));
        text.as_deref().map_err(ExtractError::clone)
    }

    /// The list of its parts, if it is a ZIP archive.
    pub(crate) fn archive(&self) -> Option<&Archive> {
        let archive = self.archive.get_or_init(|| Archive::open(self.bytes));
        archive.as_ref()
    }

    /// The list of its streams, if it is a compound file.
    pub(crate) fn compound(&self) -> Option<&Compound> {
        let compound = self.compound.get_or_init(|| Compound::open(self.bytes));
        compound.as_ref()
    }
}

fn read_text(bytes: &[u8]) -> Result<String, ExtractError> {
    let text = decode(bytes).ok_or(ExtractError::Binary)?;
    Ok(canonical(&text))
}
