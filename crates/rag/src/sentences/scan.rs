//! The walk through a text that finds its sentences: lines open blocks, stops end sentences.

use super::Sentence;
use super::ahead::{Ahead, Undecided};
use super::blocks::{Block, Fence, Opening, closing, opening};
use super::nesting::Nesting;
use super::stops::{StopRun, is_stop};
use super::wrapping::was_full;

/// A sentence longer than this many bytes ends at the next white space.
const LONG: usize = 2_000;
/// A sentence longer than this many bytes ends wherever it is.
const TOO_LONG: usize = 4_000;

/// How far the walk has come. All places are bytes.
#[derive(Default)]
pub(super) struct Scan {
    /// The next character to look at.
    at: usize,
    /// The sentence that has begun and not ended.
    open: Option<Open>,
    /// What sentences of this block are part of.
    block: Block,
    /// Something stands on this line already.
    inside_line: bool,
    /// Where the text of this line begins.
    line: usize,
    /// This line is quoted with `>`.
    quoted: bool,
    /// The line before this one was quoted.
    was_quoted: bool,
    nesting: Nesting,
}

/// A sentence that has begun.
#[derive(Clone, Copy)]
struct Open {
    start: usize,
    /// Behind the last character that is no white space.
    end: usize,
}

impl Scan {
    /// Walks on as far as can be decided and returns the sentences that ended.
    pub(super) fn run(&mut self, ahead: Ahead) -> Vec<Sentence> {
        let mut sentences = Vec::new();
        while self.at < ahead.text.len() {
            let step = match (self.inside_line, self.block) {
                (false, Block::Code(fence)) => self.begin_code_line(ahead, fence),
                (false, _) => self.begin_line(ahead),
                (true, _) => self.take_char(ahead),
            };
            match step {
                Ok(ended) => sentences.extend(ended),
                Err(Undecided) => return sentences,
            }
        }
        if ahead.char_at(self.at).is_ok() {
            sentences.extend(self.end_sentence());
        }
        sentences
    }

    /// See [`SentenceSplitter::settled`](super::SentenceSplitter::settled); `None`: everything.
    pub(super) fn settled(&self) -> Option<usize> {
        self.open.map(|open| open.end)
    }

    /// Bytes at the beginning of the text that no rule looks at again. Rules look back to the
    /// beginning of the sentence and of the line.
    pub(super) fn needless(&self) -> usize {
        self.open.map_or(self.at, |open| open.start).min(self.line)
    }

    /// The text lost its first `bytes`.
    pub(super) fn shift(&mut self, bytes: usize) {
        self.at -= bytes;
        self.line -= bytes;
        self.nesting.shift(bytes);
        if let Some(open) = &mut self.open {
            open.start -= bytes;
            open.end -= bytes;
        }
    }

    fn begin_line(&mut self, ahead: Ahead) -> Result<Option<Sentence>, Undecided> {
        let opening = opening(ahead, self.at)?;
        if let Opening::Quote { marker } = opening {
            self.at += marker;
            self.quoted = true;
            return Ok(None);
        }
        let continues = opening == Opening::Text
            && self.quoted == self.was_quoted
            && self.continues_line_before(ahead)?;
        let ended = if continues { None } else { self.end_sentence() };
        self.line = self.at;
        self.inside_line = true;
        self.enter(opening);
        Ok(ended)
    }

    /// Steps over what opens a block and remembers which block it is.
    fn enter(&mut self, opening: Opening) {
        let (len, block) = match opening {
            Opening::Text if self.block == Block::Item => (0, Block::Item),
            Opening::Text => (0, Block::Prose),
            Opening::Blank { len } | Opening::Rule { len } => (len, Block::Prose),
            Opening::Heading { marker } => (marker, Block::Heading),
            Opening::Item { marker } => (marker, Block::Item),
            Opening::Quote { marker } => (marker, Block::Prose),
            Opening::Row => (0, Block::Row),
            Opening::Fence { indent, fence } => (indent, Block::Code(fence)),
        };
        self.at += len;
        self.block = block;
    }

    /// The line that begins here goes on with the sentence of the line before: that line was
    /// full, so that the next word had to go on a new one.
    fn continues_line_before(&self, ahead: Ahead) -> Result<bool, Undecided> {
        let Some(open) = self.open else {
            return Ok(false);
        };
        if self.block.is_one_line() {
            return Ok(false);
        }
        if !self.nesting.is_flat(self.at) {
            return Ok(true);
        }
        was_full(ahead, self.line.min(open.end)..open.end, self.at)
    }

    fn begin_code_line(
        &mut self,
        ahead: Ahead,
        fence: Fence,
    ) -> Result<Option<Sentence>, Undecided> {
        let closing = closing(ahead, self.at, fence)?;
        self.line = self.at;
        self.inside_line = true;
        let Some(len) = closing else {
            return Ok(None);
        };
        self.at += len;
        self.extend_sentence(self.line, self.at);
        let ended = self.end_sentence();
        self.block = Block::Prose;
        Ok(ended)
    }

    fn take_char(&mut self, ahead: Ahead) -> Result<Option<Sentence>, Undecided> {
        let at = self.at;
        let Some(c) = ahead.char_at(at)? else {
            return Ok(None);
        };
        let next = at + c.len_utf8();
        if c.is_whitespace() {
            self.at = next;
            if c == '\n' {
                self.end_line();
            }
            let ends = (c == '\n' && self.block.is_one_line()) || self.is_longer_than(LONG);
            return Ok(if ends { self.end_sentence() } else { None });
        }
        let splits_at_stops = matches!(self.block, Block::Prose | Block::Item);
        if splits_at_stops && is_stop(c) && self.open.is_some() {
            return self.take_stop(ahead);
        }
        self.extend_sentence(at, next);
        if splits_at_stops {
            let start = self.open.map_or(at, |open| open.start);
            self.nesting.take(c, at, before(&ahead.text[start..at]));
        }
        self.at = next;
        let ends = self.is_longer_than(TOO_LONG);
        Ok(if ends { self.end_sentence() } else { None })
    }

    fn take_stop(&mut self, ahead: Ahead) -> Result<Option<Sentence>, Undecided> {
        let start = self.open.map_or(self.at, |open| open.start);
        let run = StopRun::new(ahead.text, start, self.at);
        // Even if undecided, the closing marks belong to this sentence.
        self.extend_sentence(self.at, run.end);
        if run.ends_sentence(ahead, &self.nesting)? {
            self.at = run.end;
            return Ok(self.end_sentence());
        }
        self.at = run.stops_end;
        Ok(None)
    }

    fn end_line(&mut self) {
        self.inside_line = false;
        self.was_quoted = self.quoted;
        self.quoted = false;
    }

    fn extend_sentence(&mut self, start: usize, end: usize) {
        match &mut self.open {
            Some(open) => open.end = open.end.max(end),
            None => self.open = Some(Open { start, end }),
        }
    }

    /// Code is kept whole; everything else has a bound.
    fn is_longer_than(&self, bytes: usize) -> bool {
        let is_code = matches!(self.block, Block::Code(_));
        !is_code && self.open.is_some_and(|open| self.at - open.start > bytes)
    }

    fn end_sentence(&mut self) -> Option<Sentence> {
        self.nesting.clear();
        self.open.take().map(|open| Sentence {
            span: open.start..open.end,
            kind: self.block.kind(),
        })
    }
}

/// The last character. Nothing before the sentence counts: it may be gone already.
fn before(text: &str) -> Option<char> {
    text.chars().next_back()
}
