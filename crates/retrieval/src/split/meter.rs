//! Counting tokens cheaply: the splitter asks for the size of ten candidates for every passage.

use std::cell::RefCell;
use std::collections::HashMap;

use text_splitter::ChunkSizer;

/// Longest word that is counted in one go; Chinese and minified code have longer ones.
const MAX_WORD_BYTES: usize = 48;

/// Sizes of slices of one text, from running totals over its words.
///
/// A word is taken with the white space before it, as byte-pair tokenizers do, so that the sum over
/// words is the count of the whole, give or take the first. Each distinct word is counted once.
pub(super) struct TokenMeter<'a> {
    text: &'a str,
    count: &'a (dyn Fn(&str) -> usize + Sync),
    /// Where each word begins, and after the last the end of the text.
    starts: Vec<usize>,
    /// Tokens before each of `starts`.
    totals: Vec<usize>,
    known: RefCell<HashMap<&'a str, usize>>,
}

impl<'a> TokenMeter<'a> {
    pub(super) fn new(text: &'a str, count: &'a (dyn Fn(&str) -> usize + Sync)) -> Self {
        let mut meter = TokenMeter {
            text,
            count,
            starts: vec![0],
            totals: vec![0],
            known: RefCell::default(),
        };
        let mut total = 0;
        let mut start = 0;
        while start < text.len() {
            let end = start + word_len(&text[start..]);
            total += meter.count_known(start, end);
            meter.starts.push(end);
            meter.totals.push(total);
            start = end;
        }
        meter
    }

    fn count_known(&self, start: usize, end: usize) -> usize {
        let piece = &self.text[start..end];
        let mut known = self.known.borrow_mut();
        *known.entry(piece).or_insert_with(|| (self.count)(piece))
    }

    fn size_between(&self, start: usize, end: usize) -> usize {
        let first = self.starts.partition_point(|at| *at < start);
        let last = self.starts.partition_point(|at| *at <= end) - 1;
        if first > last {
            return self.count_known(start, end);
        }
        let mut size = self.totals[last] - self.totals[first];
        if start < self.starts[first] {
            size += self.count_known(start, self.starts[first]);
        }
        if self.starts[last] < end {
            size += self.count_known(self.starts[last], end);
        }
        size
    }
}

impl ChunkSizer for TokenMeter<'_> {
    /// The splitter only says which characters it means, not where they stand; since it hands out
    /// slices of our text, their address tells.
    fn size(&self, chunk: &str) -> usize {
        let offset = (chunk.as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize);
        let end = offset.wrapping_add(chunk.len());
        match self.text.get(offset..end) {
            Some(slice) if slice.as_ptr() == chunk.as_ptr() => self.size_between(offset, end),
            _ => (self.count)(chunk),
        }
    }
}

/// The counter itself, for checking and for counters that are no sum over words.
pub(super) struct Exact<'a>(pub(super) &'a (dyn Fn(&str) -> usize + Sync));

impl ChunkSizer for Exact<'_> {
    fn size(&self, chunk: &str) -> usize {
        (self.0)(chunk)
    }
}

/// Bytes of the first word of a text that is not empty, with the white space before it.
fn word_len(text: &str) -> usize {
    let blank = text.len() - text.trim_start().len();
    let word = &text[blank..];
    // Looking for its end any further would take the square of the time for one endless word.
    let longest = &word[..word.floor_char_boundary(MAX_WORD_BYTES)];
    blank + longest.find(char::is_whitespace).unwrap_or(longest.len())
}
