//! Source markers: ours are written, the model's own are taken out.

use std::collections::BTreeSet;

/// The longest marker that is recognised, in bytes.
const LONGEST: usize = 24;

/// The marker behind a sentence that stands on the passages `numbers`.
pub(crate) fn marker(numbers: &BTreeSet<usize>) -> String {
    if numbers.is_empty() {
        return String::new();
    }
    let marks: String = numbers.iter().map(|n| format!("[{n}]")).collect();
    format!(" {marks}")
}

/// Takes `[1]`, `[1, 2]`, `[^1]` and `【1】`, with the white space before them, out of a text
/// that comes in pieces, because a marker that the model makes up is worth nothing. Code is left alone:
/// `v[1]` is no marker there.
#[derive(Default)]
pub(crate) struct MarkerFilter {
    /// White space, and what may be a marker behind it.
    held: String,
    inside_marker: bool,
    code: CodeState,
}

impl MarkerFilter {
    /// Takes a piece and returns what is certainly text.
    pub(crate) fn push(&mut self, piece: &str) -> String {
        let mut text = String::new();
        for c in piece.chars() {
            self.take(c, &mut text);
        }
        text
    }

    /// The text is over: returns what was held.
    pub(crate) fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }

    fn take(&mut self, c: char, text: &mut String) {
        if self.inside_marker {
            if is_closing(c) && self.held.contains(|c: char| c.is_ascii_digit()) {
                self.held.clear();
                self.inside_marker = false;
                return;
            }
            if is_marker_body(c) && self.held.len() < LONGEST {
                self.held.push(c);
                return;
            }
            self.inside_marker = false;
            text.push_str(&std::mem::take(&mut self.held));
        }
        self.code.take(c);
        match c {
            ' ' | '\t' if self.held.len() < LONGEST => self.held.push(c),
            '[' | '【' if !self.code.is_code() => {
                self.held.push(c);
                self.inside_marker = true;
            }
            _ => {
                text.push_str(&std::mem::take(&mut self.held));
                text.push(c);
            }
        }
    }
}

fn is_marker_body(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '^' | ',' | ' ' | '-' | '–')
}

fn is_closing(c: char) -> bool {
    matches!(c, ']' | '】')
}

/// Whether a text stands inside backticks, or in a fenced block.
#[derive(Default)]
struct CodeState {
    fenced: bool,
    inline: bool,
    /// Something other than white space and backticks stands on this line.
    inside_line: bool,
    /// Backticks since the line began.
    ticks: usize,
}

impl CodeState {
    fn take(&mut self, c: char) {
        match c {
            '\n' => {
                self.inline = false;
                self.inside_line = false;
                self.ticks = 0;
            }
            '`' => {
                self.ticks += 1;
                self.inline = !self.inline;
                if self.ticks == 3 && !self.inside_line {
                    self.fenced = !self.fenced;
                    self.inline = false;
                }
            }
            ' ' | '\t' => {}
            _ => self.inside_line = true,
        }
    }

    fn is_code(&self) -> bool {
        self.fenced || self.inline
    }
}
