//! What is sent of a text at a time.

use std::ops::Range;

use crate::cite::Checked;
use crate::question::CitationStyle;
use crate::sources::Citation;
use crate::support::{SupportPolicy, Unsupported};

/// Text to send, and what is told with it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Piece {
    /// The text, with the markers of the sentence it closes.
    pub(crate) text: String,
    /// The citations of the sentence that it closes.
    pub(crate) citations: Vec<Citation>,
    /// The sentence that it closes, when nothing supports it.
    pub(crate) unsupported: Vec<Unsupported>,
}

/// How a text is told of its sources.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Telling {
    pub(crate) style: CitationStyle,
    pub(crate) policy: SupportPolicy,
}

impl Piece {
    /// What is told of a `sentence`, without its text.
    pub(crate) fn told(checked: Checked, sentence: Range<usize>, telling: Telling) -> Self {
        let lacks_source = checked.citations.is_empty() && !checked.declines;
        let marked = lacks_source && telling.policy != SupportPolicy::Off;
        let score = checked.score;
        Self {
            text: String::new(),
            unsupported: Vec::from_iter(marked.then_some(Unsupported { sentence, score })),
            citations: match telling.style {
                CitationStyle::Off => Vec::new(),
                CitationStyle::Inline | CitationStyle::Fields => checked.citations,
            },
        }
    }

    /// A last paragraph that is no part of the answer.
    pub(crate) fn disclaimer(text: String) -> Self {
        Self {
            text: format!("\n\n{text}"),
            ..Self::default()
        }
    }

    /// There is nothing to send.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty() && self.citations.is_empty() && self.unsupported.is_empty()
    }
}
