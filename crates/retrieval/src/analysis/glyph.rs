//! NFKC and small letters, without losing where in the original each letter stood.

use std::iter::once;

use unicode_normalization::char::{canonical_combining_class, is_combining_mark};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// One normalised letter and the bytes of the original it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Glyph {
    pub(super) letter: char,
    /// Whether it was a capital; `CamelCase` is cut by this.
    pub(super) capital: bool,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Normalises `text`. A letter that was composed from several, or is one of several that a
/// ligature stood for, carries the span of the whole original group.
pub(super) fn glyphs(text: &str) -> Vec<Glyph> {
    let mut glyphs = Vec::with_capacity(text.len());
    let mut chars = text.char_indices().peekable();
    while let Some((start, first)) = chars.next() {
        let mut end = start + first.len_utf8();
        while let Some((_, next)) = chars.next_if(|(_, next)| joins_previous(*next)) {
            end += next.len_utf8();
        }
        let alone = end == start + first.len_utf8();
        if alone && is_settled(first) {
            push(first, start..end, &mut glyphs);
            continue;
        }
        for letter in text[start..end].nfkc() {
            push(letter, start..end, &mut glyphs);
        }
    }
    glyphs
}

fn push(letter: char, span: std::ops::Range<usize>, glyphs: &mut Vec<Glyph>) {
    if is_invisible(letter) {
        return;
    }
    let glyph = |small: char| Glyph {
        letter: small,
        capital: letter.is_uppercase(),
        start: span.start,
        end: span.end,
    };
    match letter {
        // Its small form is an i with a second dot, which no text uses.
        'İ' => glyphs.push(glyph('i')),
        // Capitals do not say whether a sigma was final.
        'ς' => glyphs.push(glyph('σ')),
        _ if letter.is_ascii() => glyphs.push(glyph(letter.to_ascii_lowercase())),
        _ => glyphs.extend(letter.to_lowercase().map(glyph)),
    }
}

/// Whether normalisation could compose or reorder `letter` with what stands before it.
fn joins_previous(letter: char) -> bool {
    if letter.is_ascii() || is_settled(letter) {
        return false;
    }
    let first = once(letter).nfkd().next().unwrap_or(letter);
    canonical_combining_class(first) != 0
        || is_combining_mark(first)
        || is_nfc_quick(once(first)) == IsNormalized::Maybe
}

/// The bulk of all text: letters that NFKC leaves as they are and that join nothing.
fn is_settled(letter: char) -> bool {
    matches!(letter, '\0'..='\u{7f}' | '가'..='힣' | '一'..='鿿' | 'А'..='я')
}

/// Characters that shape text without being part of the word: soft hyphen, joiners, byte order
/// mark, variation selectors.
fn is_invisible(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}'
    )
}
