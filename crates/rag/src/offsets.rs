//! The one place where bytes become code points.

use std::ops::Range;

/// Code points in `text`.
pub(crate) fn code_points(text: &str) -> usize {
    text.chars().count()
}

/// The code points of the byte range `span` of `text`, when `before` code points come before
/// `text`.
pub(crate) fn code_point_span(text: &str, span: &Range<usize>, before: usize) -> Range<usize> {
    let start = before + code_points(&text[..span.start]);
    start..start + code_points(&text[span.clone()])
}

/// Counts the code points of a growing text without starting over each time.
#[derive(Default)]
pub(crate) struct CodePointCursor {
    byte: usize,
    code_point: usize,
}

impl CodePointCursor {
    /// The code points of `text` before byte `to`, which never goes back.
    pub(crate) fn advance(&mut self, text: &str, to: usize) -> usize {
        self.code_point += code_points(&text[self.byte..to]);
        self.byte = to;
        self.code_point
    }
}
