//! Puts the footnotes into a text as it is written.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use crate::cite::Citer;
use crate::groundedness::{Written, WrittenSentence};
use crate::markers::{MarkerFilter, marker};
use crate::offsets::{CodePointCursor, code_points};
use crate::piece::{Piece, Telling};
use crate::question::CitationStyle;
use crate::sentences::{Kind, Sentence, SentenceSplitter};
use crate::support::Support;

/// Takes the model's text in pieces and gives pieces to send, the same text however it is cut.
///
/// Text goes on at once, but for what may turn out to be a marker of the model's own, and for
/// white space that may turn out to follow a sentence, since a marker goes before it.
pub(crate) struct Writer {
    citer: Option<Arc<Citer>>,
    telling: Telling,
    support: Support,
    /// What the watched sentences got of each token of what is not complete, and the byte of the
    /// text behind which the token came.
    attention: Vec<(usize, Vec<f32>)>,
    /// The sentences that are complete.
    sentences: Vec<WrittenSentence>,
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
    pub(crate) fn new(citer: Option<Arc<Citer>>, telling: Telling) -> Self {
        Self {
            citer,
            telling,
            support: Support::default(),
            attention: Vec::new(),
            sentences: Vec::new(),
            filter: MarkerFilter::default(),
            splitter: SentenceSplitter::default(),
            text: String::new(),
            sent: 0,
            markers: 0,
            cursor: CodePointCursor::default(),
        }
    }

    /// The account of the sentences that are complete; `None` without sources.
    pub(crate) fn support(&self) -> Option<Support> {
        self.citer.as_ref().map(|_| self.support)
    }

    /// The text without markers, after the end; nothing without sources.
    pub(crate) fn take_written(&mut self) -> Option<Written> {
        self.citer.as_ref()?;
        Some(Written {
            text: std::mem::take(&mut self.text).trim_end().to_owned(),
            sentences: std::mem::take(&mut self.sentences),
        })
    }

    /// Takes the attention of the token whose text comes next.
    pub(crate) fn attend(&mut self, attention: Vec<f32>) {
        if !attention.is_empty() {
            self.attention.push((self.text.len(), attention));
        }
    }

    /// Takes the next piece.
    pub(crate) fn push(&mut self, piece: &str) -> Vec<Piece> {
        let text = match self.citer {
            Some(_) => self.filter.push(piece),
            None => piece.to_owned(),
        };
        let sentences = self.take(&text);
        let mut pieces = self.close(sentences);
        let settled = self.text[..self.splitter.settled()].trim_end().len();
        pieces.extend(self.send_up_to(settled));
        pieces
    }

    /// The text is over. White space at its end is left out.
    pub(crate) fn finish(&mut self) -> Vec<Piece> {
        let held = self.filter.finish();
        let mut sentences = self.take(&held);
        sentences.extend(self.splitter.finish());
        let mut pieces = self.close(sentences);
        let end = self.text.trim_end().len();
        pieces.extend(self.send_up_to(end));
        pieces
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

    fn close(&mut self, sentences: Vec<Sentence>) -> Vec<Piece> {
        sentences
            .into_iter()
            .filter_map(|sentence| self.close_sentence(sentence))
            .collect()
    }

    /// Cites or marks one sentence, unless it is none that says anything.
    fn close_sentence(&mut self, sentence: Sentence) -> Option<Piece> {
        let citer = self.citer.as_ref()?;
        let says_something = matches!(sentence.kind, Kind::Prose | Kind::Item);
        if !says_something {
            return None;
        }
        let attention = attention_within(&mut self.attention, &sentence.span);
        let text = &self.text[sentence.span.clone()];
        let start = self.cursor.advance(&self.text, sentence.span.start) + self.markers;
        let place = start..start + code_points(text);
        let checked = citer.check(text, place.clone(), &attention);
        self.support.count(&checked);
        self.sentences.push(WrittenSentence {
            span: sentence.span.clone(),
            sentence: place.clone(),
            support: checked.score,
        });
        let piece = Piece::told(checked, place, self.telling);
        if piece.is_empty() {
            return None;
        }
        let mut text = self.unsent(sentence.span.end);
        if self.telling.style == CitationStyle::Inline {
            let numbers: BTreeSet<usize> = piece.citations.iter().map(|cited| cited.n).collect();
            let marker = marker(&numbers);
            self.markers += code_points(&marker);
            text.push_str(&marker);
        }
        Some(Piece { text, ..piece })
    }

    fn send_up_to(&mut self, end: usize) -> Option<Piece> {
        let text = self.unsent(end);
        (!text.is_empty()).then_some(Piece {
            text,
            ..Piece::default()
        })
    }

    fn unsent(&mut self, end: usize) -> String {
        let end = end.max(self.sent);
        let text = self.text[self.sent..end].to_owned();
        self.sent = end;
        text
    }
}

/// The sum over the tokens of a sentence; what belongs to sentences before is let go.
fn attention_within(tokens: &mut Vec<(usize, Vec<f32>)>, span: &Range<usize>) -> Vec<f32> {
    let mut sums: Vec<f32> = Vec::new();
    for (_, shares) in tokens.iter().filter(|(at, _)| span.contains(at)) {
        sums.resize(shares.len(), 0.0);
        sums.iter_mut()
            .zip(shares)
            .for_each(|(sum, share)| *sum += share);
    }
    tokens.retain(|(at, _)| *at >= span.end);
    sums
}
