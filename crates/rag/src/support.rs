//! How far the sources support what the model writes, and what becomes of what they do not.

use std::ops::Range;

use crate::cite::Checked;

/// What happens to sentences that no source supports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SupportPolicy {
    /// A text of which no sentence is supported is withheld, and a refusal stands in its place.
    /// It is held back until its first supported sentence; what is not supported is marked.
    Strict,
    /// Each is marked, see [`Unsupported`].
    #[default]
    Mark,
    /// Nothing happens to them.
    Off,
}

/// A sentence of the answer that no source supports enough to be cited.
#[derive(Clone, Debug, PartialEq)]
pub struct Unsupported {
    /// Code points of the sentence in the answer as sent, markers counted.
    pub sentence: Range<usize>,
    /// How much of it the best source supports all the same, 0 to 1.
    pub score: f32,
}

/// The account of one text: how many of its sentences rest on a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Support {
    /// Sentences that say something: no headings, no code.
    pub sentences: usize,
    /// Those of them that a source supports.
    pub supported: usize,
    /// Those of them that only say that the sources do not answer. They need no source.
    pub declining: usize,
    /// The text was withheld, for want of a single supported sentence.
    pub withheld: bool,
}

impl Support {
    /// Sentences that should have a source and have none.
    pub fn unsupported(&self) -> usize {
        self.sentences - self.supported - self.declining
    }

    /// Takes one more sentence into account.
    pub(crate) fn count(&mut self, checked: &Checked) {
        self.sentences += 1;
        self.supported += usize::from(!checked.citations.is_empty());
        self.declining += usize::from(checked.declines);
    }

    /// Too little of what was said has a source: none of it, or less than the part `density`.
    pub(crate) fn is_below(&self, density: f32) -> bool {
        let said = self.sentences - self.declining;
        said > 0 && (self.supported == 0 || (self.supported as f32) < density * said as f32)
    }

    /// The model says that the sources do not answer, and nothing else.
    pub fn declines(&self) -> bool {
        self.declining > 0 && self.declining == self.sentences
    }
}
