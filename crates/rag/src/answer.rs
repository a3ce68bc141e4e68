//! An answer as it comes: text, citations, and how it ended.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use engine::{EngineError, Event, FinishReason, ModelInfo, TokenStream, Usage};
use futures_core::Stream;

use crate::error::RagError;
use crate::evidence::Evidence;
use crate::ledger::Ledger;
use crate::sources::{Citation, SearchResult};
use crate::writer::Writer;

/// An answer: what is known at once, and a stream of [`AnswerEvent`]s that ends in exactly one
/// [`AnswerEvent::Done`] or one error.
///
/// Dropping it cancels the generation.
pub struct Answer {
    /// Who answers.
    pub answered_by: AnsweredBy,
    /// How likely the answer is in what was found; `None` when nothing was searched.
    pub evidence: Option<Evidence>,
    /// The passages that the answer may stand on, numbered as in its citations.
    pub search_results: Vec<SearchResult>,
    events: VecDeque<Result<AnswerEvent, RagError>>,
    generation: Option<Generation>,
}

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnsweredBy {
    /// The model.
    Model,
    /// The sources, verbatim.
    Quotes,
    /// Nobody: the documents do not answer.
    Refusal,
}

/// What an [`Answer`] yields.
#[derive(Clone, Debug, PartialEq)]
pub enum AnswerEvent {
    /// More text.
    Text {
        /// The text, with the markers of the sentence it closes.
        text: String,
        /// The citations of the sentence that this text closes.
        citations: Vec<Citation>,
    },
    /// The end; nothing follows.
    Done {
        /// Why the answer ended.
        finish_reason: FinishReason,
        /// What the model took; all zero when it was not asked.
        usage: Usage,
        /// What the model read and what was left out.
        ledger: Ledger,
    },
}

/// A model at work on the answer.
struct Generation {
    tokens: TokenStream,
    writer: Writer,
    ledger: Ledger,
}

impl Answer {
    /// An answer that a model is writing.
    pub(crate) fn from_model(tokens: TokenStream, writer: Writer, ledger: Ledger) -> Self {
        Self {
            answered_by: AnsweredBy::Model,
            evidence: None,
            search_results: Vec::new(),
            events: VecDeque::new(),
            generation: Some(Generation {
                tokens,
                writer,
                ledger,
            }),
        }
    }

    /// An answer that is there already, piece by piece with citations; `model` was not asked.
    pub(crate) fn ready(
        answered_by: AnsweredBy,
        pieces: Vec<(String, Vec<Citation>)>,
        model: &ModelInfo,
    ) -> Self {
        let done = AnswerEvent::Done {
            finish_reason: FinishReason::Stop,
            usage: Usage::default(),
            ledger: Ledger {
                context: model.context,
                ..Ledger::default()
            },
        };
        let text = pieces
            .into_iter()
            .map(|(text, citations)| AnswerEvent::Text { text, citations });
        Self {
            answered_by,
            evidence: None,
            search_results: Vec::new(),
            events: text.chain([done]).map(Ok).collect(),
            generation: None,
        }
    }

    /// Adds what the search said.
    pub(crate) fn with_search(
        mut self,
        evidence: Option<Evidence>,
        search_results: Vec<SearchResult>,
    ) -> Self {
        self.evidence = evidence;
        self.search_results = search_results;
        self
    }

    /// Waits for the next event on this thread; `None` after the end.
    ///
    /// # Panics
    ///
    /// When called from within an async task, which must poll the stream instead.
    pub fn next_blocking(&mut self) -> Option<Result<AnswerEvent, RagError>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            let event = self.generation.as_mut()?.tokens.next_blocking();
            self.take(event);
        }
    }

    /// Turns what the engine said into events of the answer.
    fn take(&mut self, event: Option<Result<Event, EngineError>>) {
        let Some(generation) = &mut self.generation else {
            return;
        };
        match event {
            Some(Ok(Event::Token(token))) => {
                let text = generation.writer.push(&token.text);
                self.events.extend(text.into_iter().map(Ok));
                return;
            }
            Some(Ok(Event::Done {
                finish_reason,
                usage,
            })) => {
                let text = generation.writer.finish();
                self.events.extend(text.into_iter().map(Ok));
                self.events.push_back(Ok(AnswerEvent::Done {
                    finish_reason,
                    usage,
                    ledger: std::mem::take(&mut generation.ledger),
                }));
            }
            Some(Err(error)) => self.events.push_back(Err(error.into())),
            None => {}
        }
        self.generation = None;
    }
}

impl Stream for Answer {
    type Item = Result<AnswerEvent, RagError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Poll::Ready(Some(event));
            }
            let Some(generation) = &mut self.generation else {
                return Poll::Ready(None);
            };
            let event = ready!(Pin::new(&mut generation.tokens).poll_next(context));
            self.take(event);
        }
    }
}
