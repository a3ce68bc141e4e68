//! Whether a line break was made because the line was full, or to end what stands on it.

use std::ops::Range;

use super::ahead::{Ahead, Undecided};
use super::blocks::is_space;

/// Whoever wraps lines fills them at least this far. Columns; wide characters take two.
const WRAPPED_COLUMNS: usize = 60;

/// The first word of the line that begins at byte `next` would have made the line before it,
/// which is `line`, too long.
pub(super) fn was_full(ahead: Ahead, line: Range<usize>, next: usize) -> Result<bool, Undecided> {
    let mut columns: usize = ahead.text[line].chars().map(width).sum();
    let mut at = ahead.skip(next, is_space)?;
    while columns < WRAPPED_COLUMNS {
        match ahead.char_at(at)? {
            Some(c) if !c.is_whitespace() => {
                columns += width(c);
                at += c.len_utf8();
            }
            _ => return Ok(false),
        }
    }
    Ok(true)
}

fn width(c: char) -> usize {
    // Everything from Hangul Jamo on that is common in prose is wide, but for the general
    // punctuation block.
    let is_narrow = c < '\u{1100}' || ('\u{2000}'..'\u{2e80}').contains(&c);
    if is_narrow { 1 } else { 2 }
}
