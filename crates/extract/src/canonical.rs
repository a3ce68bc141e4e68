//! The one form in which text is kept: what is counted, searched, shown and sent to the model.

use std::iter::Peekable;
use std::str::Chars;

use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::joiners::{is_joiner, joins};

/// Combining marks kept in a row. No orthography stacks this many; more is decoration that
/// floods a tokenizer. (UAX #15, Stream-Safe Text Format, draws the line at 30 for safety only.)
const MAX_COMBINING_MARKS: usize = 8;

/// Text in NFC with `\n` newlines, without control characters (other than newline and tab) and
/// without invisible ones. Applying it again changes nothing.
///
/// Invisible characters (zero width, bidirectional controls, tags, variation selectors) go
/// because what the model reads must be what a person sees: they carry hidden instructions and
/// break words apart for search. The two joiners stay where they are part of the spelling, see
/// `joiners.rs`.
pub(crate) fn canonical(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    let mut marks = 0;
    let mut chars = text.chars().peekable();
    while let Some(c) = next_char(&mut chars) {
        if is_joiner(c) {
            if marks < MAX_COMBINING_MARKS && joins(&cleaned, c, chars.clone()) {
                cleaned.push(c);
            }
            continue;
        }
        if is_removed(c) {
            continue;
        }
        marks = if is_combining_mark(c) { marks + 1 } else { 0 };
        if marks <= MAX_COMBINING_MARKS {
            cleaned.push(c);
        }
    }
    if is_nfc(&cleaned) {
        return cleaned;
    }
    cleaned.nfc().collect()
}

/// Whether a character has no place in canonical text.
pub(crate) fn is_removed(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        ' '..='~' => false,
        _ => c.is_control() || is_default_ignorable(c) || is_noncharacter(c),
    }
}

/// The next character, with every kind of line or page end turned into `\n`.
fn next_char(chars: &mut Peekable<Chars>) -> Option<char> {
    let c = chars.next()?;
    match c {
        '\r' => {
            chars.next_if_eq(&'\n');
            Some('\n')
        }
        '\u{0B}' | '\u{0C}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some('\n'),
        _ => Some(c),
    }
}

/// The Unicode property `Default_Ignorable_Code_Point` (DerivedCoreProperties.txt, 16.0), which
/// covers zero-width, bidirectional, filler, tag and variation characters, and the interlinear
/// annotation controls.
fn is_default_ignorable(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{61C}'
        | '\u{115F}'..='\u{1160}'
        | '\u{17B4}'..='\u{17B5}'
        | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}'
        | '\u{3164}'
        | '\u{FE00}'..='\u{FE0F}'
        | '\u{FEFF}' | '\u{FFA0}'
        | '\u{FFF0}'..='\u{FFFB}'
        | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0000}'..='\u{E0FFF}')
}

/// Code points that never stand for a character (Unicode 23.7).
fn is_noncharacter(c: char) -> bool {
    let code = u32::from(c);
    (0xFDD0..=0xFDEF).contains(&code) || code & 0xFFFE == 0xFFFE
}
