//! One of the texts that an answer offers, while it comes.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use engine::{EngineError, Event, FinishReason, TokenLogprobs, TokenStream, ToolCall, Usage};
use futures_core::Stream;

use crate::answer::TextPiece;
use crate::groundedness::Written;
use crate::json_writer::JsonWriter;
use crate::piece::Piece;
use crate::support::Support;
use crate::writer::Writer;

/// A text in the making: pieces, then one end or one error.
#[derive(Default)]
pub(crate) struct Choice {
    events: VecDeque<Result<ChoiceEvent, EngineError>>,
    generation: Option<Generation>,
}

/// What a [`Choice`] yields.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ChoiceEvent {
    Text(TextPiece),
    ToolCall {
        /// Which of the choice's calls, from 0.
        index: usize,
        call: ToolCall,
    },
    Finished {
        finish_reason: FinishReason,
        usage: Usage,
        support: Option<Support>,
        tokens: Vec<u32>,
        written: Option<Written>,
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
    held: Option<Held>,
    /// What is said if the model says nothing.
    silence: Option<&'static str>,
    /// What stands behind the text.
    disclaimer: Option<String>,
    /// The ids of all tokens so far.
    ids: Vec<u32>,
    /// Probabilities of tokens whose text the writer holds back.
    logprobs: Vec<TokenLogprobs>,
    /// How many tools were called.
    calls: usize,
}

/// A text that is held back until one of its sentences is supported.
pub(crate) struct Held {
    pieces: Vec<Piece>,
    /// What is said in its place if none is.
    refusal: String,
    /// The part of all sentences that must be supported, 0 to 1; 0 asks for a single one.
    density: f32,
}

impl Held {
    /// Nothing yet; in the end `refusal`, if need be.
    pub(crate) fn until_supported(refusal: String, density: f32) -> Self {
        Self {
            pieces: Vec::new(),
            refusal,
            density,
        }
    }
}

impl Choice {
    /// A text that a model is writing, which may have to be held back.
    pub(crate) fn from_model(tokens: TokenStream, writing: Writing, held: Option<Held>) -> Self {
        Self {
            events: VecDeque::new(),
            generation: Some(Generation {
                tokens,
                writing,
                held,
                silence: None,
                disclaimer: None,
                ids: Vec::new(),
                logprobs: Vec::new(),
                calls: 0,
            }),
        }
    }

    /// The same, with what is said if the model says nothing.
    pub(crate) fn or_when_silent(mut self, silence: Option<&'static str>) -> Self {
        if let Some(generation) = &mut self.generation {
            generation.silence = silence;
        }
        self
    }

    /// The same, with a last paragraph behind the text.
    pub(crate) fn ending_in(mut self, disclaimer: Option<String>) -> Self {
        if let Some(generation) = &mut self.generation {
            generation.disclaimer = disclaimer;
        }
        self
    }

    /// A text that is there already, and rests on sources so far.
    pub(crate) fn ready(pieces: &[Piece], support: Option<Support>) -> Self {
        let text = pieces
            .iter()
            .map(|piece| piece.clone().with_logprobs(Vec::new()));
        let finished = ChoiceEvent::Finished {
            finish_reason: FinishReason::Stop,
            usage: Usage::default(),
            support,
            tokens: Vec::new(),
            written: None,
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
                generation.ids.push(token.id);
                generation.logprobs.extend(token.logprobs);
                generation.writing.attend(token.attention);
                if !token.text.is_empty() {
                    generation.silence = None;
                }
                let pieces = generation.writing.push(&token.text);
                let pieces = generation.shown(pieces);
                let events = generation.events(pieces);
                let calls = generation.calls(token.tool_calls);
                self.events.extend(events.into_iter().chain(calls).map(Ok));
                return;
            }
            Some(Ok(Event::Done {
                finish_reason,
                usage,
            })) => {
                let (events, support) = generation.end();
                let finished = ChoiceEvent::Finished {
                    finish_reason,
                    usage,
                    support,
                    tokens: std::mem::take(&mut generation.ids),
                    written: generation.writing.take_written(),
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

    fn attend(&mut self, attention: Vec<f32>) {
        if let Self::Prose(writer) = self {
            writer.attend(attention);
        }
    }

    fn take_written(&mut self) -> Option<Written> {
        match self {
            Self::Prose(writer) => writer.take_written(),
            Self::Json(_) => None,
        }
    }

    /// How the text is supported so far; `None` when there is nothing to support it.
    fn support(&self) -> Option<Support> {
        match self {
            Self::Prose(writer) => writer.support(),
            Self::Json(writer) => writer.support(),
        }
    }
}

impl Generation {
    /// What of the `pieces`, and of those held back, may be shown now.
    fn shown(&mut self, pieces: Vec<Piece>) -> Vec<Piece> {
        let Some(held) = &mut self.held else {
            return pieces;
        };
        held.pieces.extend(pieces);
        match self.writing.support() {
            Some(support) if support.supported > 0 && held.density <= 0.0 => self.release(),
            _ => Vec::new(),
        }
    }

    fn release(&mut self) -> Vec<Piece> {
        self.held.take().map_or_else(Vec::new, |held| held.pieces)
    }

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

    /// The rest of the text, or the refusal in its place, and the probabilities of tokens that
    /// became no text; and how the whole is supported.
    fn end(&mut self) -> (Vec<ChoiceEvent>, Option<Support>) {
        let mut last = self.writing.push(self.silence.unwrap_or_default());
        last.extend(self.writing.finish());
        let mut pieces = self.shown(last);
        let mut support = self.writing.support();
        match (self.held.take(), &mut support) {
            (Some(held), Some(support)) if support.is_below(held.density) => {
                support.withheld = true;
                self.logprobs.clear();
                pieces.push(Piece {
                    text: held.refusal,
                    ..Piece::default()
                });
            }
            (Some(held), _) => pieces.extend(held.pieces),
            (None, _) => {}
        }
        let withheld = support.is_some_and(|support| support.withheld);
        if let Some(disclaimer) = self.disclaimer.take().filter(|_| !withheld) {
            pieces.push(Piece::disclaimer(disclaimer));
        }
        if pieces.is_empty() && !self.logprobs.is_empty() {
            pieces.push(Piece::default());
        }
        (self.events(pieces), support)
    }
}

impl Piece {
    fn with_logprobs(self, logprobs: Vec<TokenLogprobs>) -> ChoiceEvent {
        ChoiceEvent::Text(TextPiece {
            text: self.text,
            citations: self.citations,
            unsupported: self.unsupported,
            logprobs,
        })
    }
}
