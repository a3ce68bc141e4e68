//! Cites an answer that must stay JSON: the text passes as it is, and the sentences in its
//! strings get their citations at the end, beside the text.

mod strings;

use std::sync::Arc;

use crate::cite::Citer;
use crate::offsets::CodePointCursor;
use crate::sentences::{Kind, sentences};
use crate::sources::Citation;
use crate::writer::Piece;
use strings::string_values;

/// Takes the model's JSON in pieces.
pub(crate) struct JsonWriter {
    citer: Option<Arc<Citer>>,
    text: String,
}

impl JsonWriter {
    /// A writer that cites with `citer`, if at all.
    pub(crate) fn new(citer: Option<Arc<Citer>>) -> Self {
        Self {
            citer,
            text: String::new(),
        }
    }

    /// Takes the next piece.
    pub(crate) fn push(&mut self, piece: &str) -> Option<Piece> {
        self.text.push_str(piece);
        (!piece.is_empty()).then(|| Piece {
            text: piece.to_owned(),
            citations: Vec::new(),
        })
    }

    /// The text is over, or cut.
    pub(crate) fn finish(&mut self) -> Option<Piece> {
        let citations = self.citations();
        (!citations.is_empty()).then(|| Piece {
            text: String::new(),
            citations,
        })
    }

    fn citations(&self) -> Vec<Citation> {
        let Some(citer) = &self.citer else {
            return Vec::new();
        };
        let mut citations = Vec::new();
        let mut cursor = CodePointCursor::default();
        for value in string_values(&self.text) {
            for sentence in sentences(&value.text) {
                let says_something = matches!(sentence.kind, Kind::Prose | Kind::Item);
                if !says_something {
                    continue;
                }
                let place = value.place(&sentence.span);
                let start = cursor.advance(&self.text, place.start);
                let end = cursor.advance(&self.text, place.end);
                citations.extend(citer.cite(&value.text[sentence.span], start..end));
            }
        }
        citations
    }
}
