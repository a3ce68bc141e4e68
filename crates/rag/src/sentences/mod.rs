//! Where sentences begin and end, in English, Korean, Japanese and Chinese, in plain text and
//! in Markdown.
//!
//! [`SentenceSplitter`] takes a text in pieces, as a model writes it, and says which sentences
//! are certainly finished. [`sentences`] takes a whole text. Both give the same spans however
//! the text is cut, because every rule looks ahead through [`Ahead`], which answers
//! "undecided" rather than guess at text that has not come yet.

mod abbreviations;
mod ahead;
mod blocks;
mod nesting;
mod scan;
mod stops;
mod wrapping;

use std::ops::Range;

use ahead::Ahead;
use scan::Scan;

/// One sentence of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// Bytes of the sentence in the text, without the white space around it and without the
    /// list marker or `#` before it.
    pub span: Range<usize>,
    /// What the sentence is part of.
    pub kind: Kind,
}

/// What a sentence is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A paragraph.
    Prose,
    /// A list item.
    Item,
    /// A heading; always one sentence.
    Heading,
    /// A fenced code block with its fences; always one sentence.
    Code,
    /// One row of a table.
    Row,
}

/// The sentences of a whole text, in order.
pub fn sentences(text: &str) -> Vec<Sentence> {
    let mut splitter = SentenceSplitter::default();
    let mut sentences = splitter.push(text);
    sentences.extend(splitter.finish());
    sentences
}

/// Splits a text that comes in pieces.
#[derive(Default)]
pub struct SentenceSplitter {
    /// The text since `base`: the unfinished sentence and what was seen behind it.
    text: String,
    /// Bytes of finished text that were let go.
    base: usize,
    scan: Scan,
}

impl SentenceSplitter {
    /// Takes the next piece and returns the sentences that no further text can change. Spans
    /// count from the beginning of the first piece.
    pub fn push(&mut self, piece: &str) -> Vec<Sentence> {
        self.text.push_str(piece);
        let sentences = self.advance(false);
        self.forget_finished();
        sentences
    }

    /// The text is over: returns the sentences that were still open.
    pub fn finish(&mut self) -> Vec<Sentence> {
        self.advance(true)
    }

    /// Up to here no sentence can end any more that has not been returned; what stands behind
    /// may yet turn out to follow a sentence's end.
    pub fn settled(&self) -> usize {
        self.base + self.scan.settled().unwrap_or(self.text.len())
    }

    fn advance(&mut self, complete: bool) -> Vec<Sentence> {
        let ahead = Ahead::new(&self.text, complete);
        let mut sentences = self.scan.run(ahead);
        for sentence in &mut sentences {
            sentence.span.start += self.base;
            sentence.span.end += self.base;
        }
        sentences
    }

    /// Lets go of text that no rule will look at again, so that a long text costs no more than
    /// its longest sentence.
    fn forget_finished(&mut self) {
        let needless = self.scan.needless();
        self.text.drain(..needless);
        self.scan.shift(needless);
        self.base += needless;
    }
}
