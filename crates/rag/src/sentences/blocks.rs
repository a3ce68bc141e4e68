//! What a line begins: a paragraph goes on, or a heading, a list item, a code block starts.

use super::Kind;
use super::ahead::{Ahead, Undecided};

/// What stands at the beginning of a line. Lengths are bytes, with the indentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// Nothing but white space.
    Blank { len: usize },
    /// A line of dashes or the like.
    Rule { len: usize },
    /// A code block; the fence itself is part of it.
    Fence { indent: usize, fence: Fence },
    /// A heading, behind its marker.
    Heading { marker: usize },
    /// A list item, behind its marker.
    Item { marker: usize },
    /// A quoted line, behind its marker.
    Quote { marker: usize },
    /// A table row.
    Row,
    /// Ordinary text.
    Text,
}

/// The row of characters around a code block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fence {
    mark: char,
    count: usize,
}

/// What a line and those that go on with it belong to.
#[derive(Clone, Copy, Default, PartialEq)]
pub(super) enum Block {
    #[default]
    Prose,
    Item,
    Heading,
    Row,
    Code(Fence),
}

impl Block {
    /// What its sentences are part of.
    pub(super) fn kind(self) -> Kind {
        match self {
            Block::Prose => Kind::Prose,
            Block::Item => Kind::Item,
            Block::Heading => Kind::Heading,
            Block::Row => Kind::Row,
            Block::Code(_) => Kind::Code,
        }
    }

    /// It ends with its line.
    pub(super) fn is_one_line(self) -> bool {
        matches!(self, Block::Heading | Block::Row)
    }
}

/// What the line that begins at byte `at` opens.
pub(super) fn opening(ahead: Ahead, at: usize) -> Result<Opening, Undecided> {
    let text = ahead.skip(at, is_space)?;
    let indent = text - at;
    let Some(first) = ahead.char_at(text)? else {
        return Ok(Opening::Blank { len: indent });
    };
    match first {
        '\n' => Ok(Opening::Blank { len: indent }),
        '`' | '~' => fence(ahead, text, first).map(|fence| match fence {
            Some(fence) => Opening::Fence { indent, fence },
            None => Opening::Text,
        }),
        '#' => heading(ahead, at, text),
        '>' => Ok(Opening::Quote { marker: indent + 1 }),
        '|' => Ok(Opening::Row),
        '-' | '=' | '*' | '_' => match rule(ahead, at, first)? {
            Some(len) => Ok(Opening::Rule { len }),
            None => item(ahead, at, text),
        },
        _ => item(ahead, at, text),
    }
}

/// The line that begins at byte `at` closes a code block opened by `fence`; gives its length
/// without the line break.
pub(super) fn closing(ahead: Ahead, at: usize, fence: Fence) -> Result<Option<usize>, Undecided> {
    let marks = ahead.skip(at, is_space)?;
    let behind = ahead.skip(marks, |c| c == fence.mark)?;
    if behind - marks < fence.count {
        return Ok(None);
    }
    let end = ahead.skip(behind, is_space)?;
    Ok(match ahead.char_at(end)? {
        None | Some('\n') => Some(behind - at),
        Some(_) => None,
    })
}

/// One of the syllables that number Korean lists: 가. 나. 다.
pub(super) fn is_hangul_enumerator(c: char) -> bool {
    "가나다라마바사아자차카타파하".contains(c)
}

pub(super) fn is_space(c: char) -> bool {
    c != '\n' && c.is_whitespace()
}

fn fence(ahead: Ahead, at: usize, mark: char) -> Result<Option<Fence>, Undecided> {
    let count = ahead.skip(at, |c| c == mark)? - at;
    Ok((count >= 3).then_some(Fence { mark, count }))
}

fn heading(ahead: Ahead, at: usize, text: usize) -> Result<Opening, Undecided> {
    let behind = ahead.skip(text, |c| c == '#')?;
    let is_heading = behind - text <= 6 && ahead.char_at(behind)?.is_none_or(char::is_whitespace);
    Ok(if is_heading {
        Opening::Heading {
            marker: behind - at,
        }
    } else {
        Opening::Text
    })
}

/// The length of a line of at least three `mark`s and nothing else.
fn rule(ahead: Ahead, at: usize, mark: char) -> Result<Option<usize>, Undecided> {
    let end = ahead.skip(at, |c| c == mark || is_space(c))?;
    let is_rule = matches!(ahead.char_at(end)?, None | Some('\n'))
        && ahead.text[at..end].matches(mark).count() >= 3;
    Ok(is_rule.then_some(end - at))
}

fn item(ahead: Ahead, at: usize, text: usize) -> Result<Opening, Undecided> {
    let marker = match ahead.char_at(text)? {
        Some('-' | '*' | '+' | '•' | '‣' | '◦' | '·' | '※') => next(ahead, text)?,
        // ① to ⑳ need no space behind them.
        Some(c @ '①'..='⑳') => {
            return Ok(Opening::Item {
                marker: text + c.len_utf8() - at,
            });
        }
        Some(c) if c.is_ascii_digit() => match number(ahead, text)? {
            Some(behind) => behind,
            None => return Ok(Opening::Text),
        },
        Some(c) if is_hangul_enumerator(c) => {
            let behind = next(ahead, text)?;
            match ahead.char_at(behind)? {
                Some('.') => behind + 1,
                _ => return Ok(Opening::Text),
            }
        }
        _ => return Ok(Opening::Text),
    };
    Ok(match ahead.char_at(marker)? {
        Some(c) if is_space(c) => Opening::Item {
            marker: marker - at,
        },
        _ => Opening::Text,
    })
}

/// The byte behind "12." or "12)": at most three digits, because a longer number is a year.
fn number(ahead: Ahead, at: usize) -> Result<Option<usize>, Undecided> {
    let behind = ahead.skip(at, |c| c.is_ascii_digit())?;
    if behind - at > 3 {
        return Ok(None);
    }
    Ok(match ahead.char_at(behind)? {
        Some('.' | ')') => Some(behind + 1),
        _ => None,
    })
}

fn next(ahead: Ahead, at: usize) -> Result<usize, Undecided> {
    Ok(at + ahead.char_at(at)?.map_or(0, char::len_utf8))
}
