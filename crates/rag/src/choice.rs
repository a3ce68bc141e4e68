//! One of the texts that an answer offers, while it comes.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use engine::{EngineError, Event, FinishReason, TokenLogprobs, TokenStream, ToolCall, Usage};
use futures_core::Stream;

use crate::json_writer::JsonWriter;
use crate::sources::Citation;
use crate::writer::{Piece, Writer};

/// A text in the making: pieces, then one end or one error.
#[derive(Default)]
pub(crate) struct Choice {
    events: VecDeque<Result<ChoiceEvent, EngineError>>,
    generation: Option<Generation>,
}

/// What a [`Choice`] yields.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ChoiceEvent {
    Text {
        text: String,
        citations: Vec<Citation>,
        logprobs: Vec<TokenLogprobs>,
    },
    ToolCall {
        /// Which of the choice's calls, from 0.
        index: usize,
        call: ToolCall,
    },
    Finished {
        finish_reason: FinishReason,
        usage: Usage,
    },
}

/// Where the text becomes what is sent.
pub(crate) enum Writing {
    Prose(Box<Writer>),
    Json(JsonWriter),
}

/// A model at work.
struct Generation {
    tokens: TokenStream,
    writing: Writing,
    /// Probabilities of tokens whose text the writer holds back.
    logprobs: Vec<TokenLogprobs>,
    /// How many tools were called.
    calls: usize,
}

impl Choice {
    /// A text that a model is writing.
    pub(crate) fn from_model(tokens: TokenStream, writing: Writing) -> Self {
        Self {
            events: VecDeque::new(),
            generation: Some(Generation {
                tokens,
                writing,
                logprobs: Vec::new(),
                calls: 0,
            }),
        }
    }

    /// A text that is there already.
    pub(crate) fn ready(pieces: &[Piece]) -> Self {
        let text = pieces
            .iter()
            .map(|piece| piece.clone().with_logprobs(Vec::new()));
        let finished = ChoiceEvent::Finished {
            finish_reason: FinishReason::Stop,
            usage: Usage::default(),
        };
        Self {
            events: text.chain([finished]).map(Ok).collect(),
            generation: None,
        }
    }

    /// Waits for the next event on this thread; `None` after the end.
    pub(crate) fn next_blocking(&mut self) -> Option<Result<ChoiceEvent, EngineError>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            let event = self.generation.as_mut()?.tokens.next_blocking();
            self.take(event);
        }
    }

    /// The next event, if it is there; `None` after the end.
    pub(crate) fn poll(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<ChoiceEvent, EngineError>>> {
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

    /// Turns what the engine said into events.
    fn take(&mut self, event: Option<Result<Event, EngineError>>) {
        let Some(generation) = &mut self.generation else {
            return;
        };
        match event {
            Some(Ok(Event::Token(token))) => {
                generation.logprobs.extend(token.logprobs);
                let pieces = generation.writing.push(&token.text);
                let events = generation.events(pieces);
                let calls = generation.calls(token.tool_calls);
                self.events.extend(events.into_iter().chain(calls).map(Ok));
                return;
            }
            Some(Ok(Event::Done {
                finish_reason,
                usage,
            })) => {
                let events = generation.last_events();
                let finished = ChoiceEvent::Finished {
                    finish_reason,
                    usage,
                };
                self.events
                    .extend(events.into_iter().chain([finished]).map(Ok));
            }
            Some(Err(error)) => self.events.push_back(Err(error)),
            None => {}
        }
        self.generation = None;
    }
}

impl Writing {
    fn push(&mut self, text: &str) -> Vec<Piece> {
        match self {
            Self::Prose(writer) => writer.push(text),
            Self::Json(writer) => Vec::from_iter(writer.push(text)),
        }
    }

    fn finish(&mut self) -> Vec<Piece> {
        match self {
            Self::Prose(writer) => writer.finish(),
            Self::Json(writer) => Vec::from_iter(writer.finish()),
        }
    }
}

impl Generation {
    /// The probabilities go with the first text that is sent after them.
    fn events(&mut self, pieces: Vec<Piece>) -> Vec<ChoiceEvent> {
        let with_logprobs = |piece: Piece| piece.with_logprobs(std::mem::take(&mut self.logprobs));
        pieces.into_iter().map(with_logprobs).collect()
    }

    fn calls(&mut self, calls: Vec<ToolCall>) -> Vec<ChoiceEvent> {
        let first = self.calls;
        self.calls += calls.len();
        let events = (first..).zip(calls);
        let events = events.map(|(index, call)| ChoiceEvent::ToolCall { index, call });
        events.collect()
    }

    /// The text that was held back, and the probabilities of tokens that became no text.
    fn last_events(&mut self) -> Vec<ChoiceEvent> {
        let mut pieces = self.writing.finish();
        if pieces.is_empty() && !self.logprobs.is_empty() {
            pieces.push(Piece::default());
        }
        self.events(pieces)
    }
}

impl Piece {
    fn with_logprobs(self, logprobs: Vec<TokenLogprobs>) -> ChoiceEvent {
        ChoiceEvent::Text {
            text: self.text,
            citations: self.citations,
            logprobs,
        }
    }
}
