//! Which quotation marks and brackets are open: a full stop inside them ends no sentence.

/// An opening mark that is not closed within this many bytes was no opening mark.
const REACH: usize = 300;

/// The marks that are open at some place of a text, outermost first.
#[derive(Clone, Default)]
pub(super) struct Nesting {
    open: Vec<Open>,
}

#[derive(Clone)]
struct Open {
    closes_with: char,
    at: usize,
}

impl Nesting {
    /// Takes the character at byte `at`, which comes after `before`.
    pub(super) fn take(&mut self, c: char, at: usize, before: Option<char>) {
        self.open.retain(|open| at - open.at <= REACH);
        let closed = self.open.iter().rposition(|open| open.closes_with == c);
        if let Some(depth) = closed {
            self.open.truncate(depth);
        } else if let Some(closes_with) = closing_mark(c, before) {
            self.open.push(Open { closes_with, at });
        }
    }

    /// Nothing is open at byte `at`.
    pub(super) fn is_flat(&self, at: usize) -> bool {
        self.open.iter().all(|open| at - open.at > REACH)
    }

    /// Forgets all that is open.
    pub(super) fn clear(&mut self) {
        self.open.clear();
    }

    /// The text lost its first `bytes`.
    pub(super) fn shift(&mut self, bytes: usize) {
        self.open.retain(|open| open.at >= bytes);
        for open in &mut self.open {
            open.at -= bytes;
        }
    }
}

/// What closes `c`, if `c` opens anything.
fn closing_mark(c: char, before: Option<char>) -> Option<char> {
    // Not ‘ either: what closes it is mostly an apostrophe.
    let closing = match c {
        '“' => '”',
        '(' => ')',
        '[' => ']',
        '（' => '）',
        '「' => '」',
        '『' => '』',
        '《' => '》',
        '〈' => '〉',
        '【' => '】',
        '`' => '`',
        // Behind a letter or digit it closes something, or means inches.
        '"' if !before.is_some_and(char::is_alphanumeric) => '"',
        _ => return None,
    };
    Some(closing)
}

/// The character may stand between a sentence's stop and the white space behind it.
pub(super) fn may_follow_stop(c: char) -> bool {
    matches!(
        c,
        '"' | '\''
            | '`'
            | '*'
            | '_'
            | ')'
            | ']'
            | '”'
            | '’'
            | '）'
            | '」'
            | '』'
            | '》'
            | '〉'
            | '】'
    )
}
