//! A file as it arrived, with its decoded text on demand.

use std::cell::OnceCell;

use crate::ExtractError;
use crate::canonical::canonical;
use crate::decode::decode;

/// The bytes of one file. Formats look at the bytes, at the text, or at both.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    bytes: &'a [u8],
    text: OnceCell<Result<String, ExtractError>>,
}

impl<'a> Source<'a> {
    /// Wraps the bytes; nothing is decoded yet.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            text: OnceCell::new(),
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
}

fn read_text(bytes: &[u8]) -> Result<String, ExtractError> {
    let text = decode(bytes).ok_or(ExtractError::Binary)?;
    Ok(canonical(&text))
}
