//! Cites an answer that must stay JSON: the text passes as it is, and the sentences in its
//! strings get their citations at the end, beside the text.

mod strings;

use std::sync::Arc;

use crate::cite::Citer;
use crate::offsets::CodePointCursor;
use crate::piece::{Piece, Telling};
use crate::sentences::{Kind, sentences};
use crate::support::Support;
use strings::string_values;

/// Takes the model's JSON in pieces.
pub(crate) struct JsonWriter {
    citer: Option<Arc<Citer>>,
    telling: Telling,
    support: Support,
    text: String,
}

impl JsonWriter {
    /// A writer that cites with `citer`, if at all.
    pub(crate) fn new(citer: Option<Arc<Citer>>, telling: Telling) -> Self {
        Self {
            citer,
            telling,
            support: Support::default(),
            text: String::new(),
        }
    }

    /// Takes the next piece.
    pub(crate) fn push(&mut self, piece: &str) -> Option<Piece> {
        self.text.push_str(piece);
        (!piece.is_empty()).then(|| Piece {
            text: piece.to_owned(),
            ..Piece::default()
        })
    }

    /// The account of the sentences in the strings, after the end.
    pub(crate) fn support(&self) -> Option<Support> {
        self.citer.as_ref().map(|_| self.support)
    }

    /// The text is over, or cut.
    pub(crate) fn finish(&mut self) -> Option<Piece> {
        let citer = self.citer.clone()?;
        let mut told = Piece::default();
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
                let checked = citer.check(&value.text[sentence.span], start..end, &[]);
                self.support.count(&checked);
                let piece = Piece::told(checked, start..end, self.telling);
                told.citations.extend(piece.citations);
                told.unsupported.extend(piece.unsupported);
            }
        }
        (!told.is_empty()).then_some(told)
    }
}
