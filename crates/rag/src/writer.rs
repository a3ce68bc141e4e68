//! Puts the footnotes into a text as it is written.

use std::collections::BTreeSet;

use crate::answer::AnswerEvent;
use crate::cite::Citer;
use crate::markers::{MarkerFilter, marker};
use crate::offsets::{CodePointCursor, code_points};
use crate::question::CitationStyle;
use crate::sentences::{Kind, Sentence, SentenceSplitter};

/// Takes the model's text in pieces and gives events, the same text however it is cut.
///
/// Text goes on at once, but for what may turn out to be a marker of the model's own, and for
/// white space that may turn out to follow a sentence, since a marker goes before it.
pub(crate) struct Writer {
    citer: Option<Citer>,
    style: CitationStyle,
    filter: MarkerFilter,
    splitter: SentenceSplitter,
    /// The text so far, without markers.
    text: String,
    /// Bytes of `text` that were sent.
    sent: usize,
    /// Code points of all markers that were sent.
    markers: usize,
    cursor: CodePointCursor,
}

impl Writer {
    /// A writer that cites with `citer`; without one the text passes as it is.
    pub(crate) fn new(citer: Option<Citer>, style: CitationStyle) -> Self {
        Self {
            citer,
            style,
            filter: MarkerFilter::default(),
            splitter: SentenceSplitter::default(),
            text: String::new(),
            sent: 0,
            markers: 0,
            cursor: CodePointCursor::default(),
        }
    }

    /// Takes the next piece.
    pub(crate) fn push(&mut self, piece: &str) -> Vec<AnswerEvent> {
        let text = match self.citer {
            Some(_) => self.filter.push(piece),
            None => piece.to_owned(),
        };
        let sentences = self.take(&text);
        let mut events = self.close(sentences);
        let settled = self.text[..self.splitter.settled()].trim_end().len();
        events.extend(self.send_up_to(settled));
        events
    }

    /// The text is over. White space at its end is left out.
    pub(crate) fn finish(&mut self) -> Vec<AnswerEvent> {
        let held = self.filter.finish();
        let mut sentences = self.take(&held);
        sentences.extend(self.splitter.finish());
        let mut events = self.close(sentences);
        let end = self.text.trim_end().len();
        events.extend(self.send_up_to(end));
        events
    }

    /// White space at the beginning is left out.
    fn take(&mut self, text: &str) -> Vec<Sentence> {
        let text = if self.text.is_empty() {
            text.trim_start()
        } else {
            text
        };
        self.text.push_str(text);
        self.splitter.push(text)
    }

    fn close(&mut self, sentences: Vec<Sentence>) -> Vec<AnswerEvent> {
        sentences
            .into_iter()
            .filter_map(|sentence| self.close_sentence(sentence))
            .collect()
    }

    /// Cites one sentence, unless it is none that says anything.
    fn close_sentence(&mut self, sentence: Sentence) -> Option<AnswerEvent> {
        let says_something = matches!(sentence.kind, Kind::Prose | Kind::Item);
        if self.style == CitationStyle::Off || !says_something {
            return None;
        }
        let citer = self.citer.as_ref()?;
        let text = &self.text[sentence.span.clone()];
        let start = self.cursor.advance(&self.text, sentence.span.start) + self.markers;
        let citations = citer.cite(text, start..start + code_points(text));
        if citations.is_empty() {
            return None;
        }
        let mut closing = self.unsent(sentence.span.end);
        if self.style == CitationStyle::Inline {
            let numbers: BTreeSet<usize> = citations.iter().map(|citation| citation.n).collect();
            let marker = marker(&numbers);
            self.markers += code_points(&marker);
            closing.push_str(&marker);
        }
        Some(AnswerEvent::Text {
            text: closing,
            citations,
        })
    }

    fn send_up_to(&mut self, end: usize) -> Option<AnswerEvent> {
        let text = self.unsent(end);
        (!text.is_empty()).then_some(AnswerEvent::Text {
            text,
            citations: Vec::new(),
        })
    }

    fn unsent(&mut self, end: usize) -> String {
        let end = end.max(self.sent);
        let text = self.text[self.sent..end].to_owned();
        self.sent = end;
        text
    }
}
