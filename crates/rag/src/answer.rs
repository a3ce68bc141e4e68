//! An answer as it comes: text, citations, and how it ended.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use engine::{EngineError, FinishReason, ModelInfo, Prompt, TokenLogprobs, ToolCall, Usage};
use futures_core::Stream;

use crate::choice::{Choice, ChoiceEvent};
use crate::error::RagError;
use crate::evidence::Evidence;
use crate::groundedness::{Judge, Written};
use crate::ledger::Ledger;
use crate::piece::Piece;
use crate::sources::{Citation, SearchResult};
use crate::support::{Support, Unsupported};

/// An answer: what is known at once, and a stream of [`AnswerEvent`]s that ends in exactly one
/// [`AnswerEvent::Done`] or one error.
///
/// It offers one text or several, as the question asks; their events come interleaved. Dropping
/// it cancels the generation.
pub struct Answer {
    /// Who answers.
    pub answered_by: AnsweredBy,
    /// How likely the answer is in what was found; `None` when nothing was searched.
    pub evidence: Option<Evidence>,
    /// The passages that the answer may stand on, numbered as in its citations.
    pub search_results: Vec<SearchResult>,
    /// Judges the texts when they are written, if that was asked and there are sources.
    pub judge: Option<Judge>,
    /// What the model reads; `None` when it is not asked.
    pub prompt: Option<Arc<Prompt>>,
    choices: Vec<Choice>,
    /// How many choices did not finish yet.
    open: usize,
    /// The choice that is looked at next, so that each has its turn.
    turn: usize,
    usage: Usage,
    ledger: Ledger,
    ended: bool,
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
        /// Which of the texts, from 0.
        choice: usize,
        /// The text, and what is told with it.
        piece: TextPiece,
    },
    /// The model calls a tool. What it says beside that comes as text.
    ToolCall {
        /// In which of the texts, from 0.
        choice: usize,
        /// Which of its calls, from 0.
        index: usize,
        /// The call.
        call: ToolCall,
    },
    /// One of the texts is complete.
    Finished {
        /// Which of them, from 0.
        choice: usize,
        /// Why it ended.
        finish_reason: FinishReason,
        /// How far sources support it; `None` when it has none, or refuses.
        support: Option<Support>,
        /// The ids of the tokens that the model generated for it.
        tokens: Vec<u32>,
        /// What the model wrote from sources, to be judged by a [`Judge`]; `None` for anything
        /// else, and for JSON.
        written: Option<Written>,
    },
    /// The end; nothing follows.
    Done {
        /// What the model took for all texts, the prompt counted once; all zero when it was not
        /// asked.
        usage: Usage,
        /// What the model read and what was left out.
        ledger: Ledger,
    },
}

/// A piece of a text, and what is told with it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TextPiece {
    /// The text, with the markers of the sentence it closes.
    pub text: String,
    /// The citations of the sentence that this text closes.
    pub citations: Vec<Citation>,
    /// That sentence, when nothing supports it.
    pub unsupported: Vec<Unsupported>,
    /// How likely the model's tokens were, if that was asked. The tokens are what the model
    /// wrote: markers are not among them, and white space and made-up markers that were left
    /// out are.
    pub logprobs: Vec<TokenLogprobs>,
}

impl Answer {
    /// An answer that a model is writing, in as many texts as there are choices.
    pub(crate) fn from_model(choices: Vec<Choice>, ledger: Ledger) -> Self {
        Self::new(AnsweredBy::Model, choices, ledger)
    }

    /// An answer that is there already, offered as often as there are choices; `model` was not
    /// asked.
    pub(crate) fn ready(
        answered_by: AnsweredBy,
        pieces: &[Piece],
        support: Option<Support>,
        choices: usize,
        model: &ModelInfo,
    ) -> Self {
        let choices = (0..choices).map(|_| Choice::ready(pieces, support));
        let ledger = Ledger {
            context: model.context,
            ..Ledger::default()
        };
        Self::new(answered_by, choices.collect(), ledger)
    }

    fn new(answered_by: AnsweredBy, choices: Vec<Choice>, ledger: Ledger) -> Self {
        Self {
            answered_by,
            evidence: None,
            search_results: Vec::new(),
            judge: None,
            prompt: None,
            open: choices.len(),
            choices,
            turn: 0,
            usage: Usage::default(),
            ledger,
            ended: false,
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

    /// Adds what the model reads.
    pub(crate) fn with_prompt(mut self, prompt: Arc<Prompt>) -> Self {
        self.prompt = Some(prompt);
        self
    }

    /// How many texts it offers.
    pub fn choices(&self) -> usize {
        self.choices.len()
    }

    /// Waits for the next event on this thread, one text after the other; `None` after the end.
    ///
    /// # Panics
    ///
    /// When called from within an async task, which must poll the stream instead.
    pub fn next_blocking(&mut self) -> Option<Result<AnswerEvent, RagError>> {
        let events = self.choices.iter_mut().zip(0..);
        let mut events = events.map(|(choice, at)| (at, choice.next_blocking()));
        match events.find_map(|(at, event)| event.map(|event| (at, event))) {
            Some((at, event)) => Some(self.event_of(at, event)),
            None => self.end(),
        }
    }

    fn event_of(
        &mut self,
        choice: usize,
        event: Result<ChoiceEvent, EngineError>,
    ) -> Result<AnswerEvent, RagError> {
        match event {
            Ok(ChoiceEvent::Text(piece)) => Ok(AnswerEvent::Text { choice, piece }),
            Ok(ChoiceEvent::ToolCall { index, call }) => Ok(AnswerEvent::ToolCall {
                choice,
                index,
                call,
            }),
            Ok(ChoiceEvent::Finished {
                finish_reason,
                usage,
                support,
                tokens,
                written,
            }) => {
                self.count(choice, usage);
                Ok(AnswerEvent::Finished {
                    choice,
                    finish_reason,
                    support,
                    tokens,
                    written,
                })
            }
            Err(error) => {
                // One text is missing for good: the others are given up with it.
                self.choices.clear();
                self.ended = true;
                Err(error.into())
            }
        }
    }

    /// All choices read the same prompt, and the first one may have read it for the others.
    fn count(&mut self, choice: usize, usage: Usage) {
        self.open -= 1;
        self.usage.completion_tokens += usage.completion_tokens;
        if choice == 0 {
            self.usage.prompt_tokens = usage.prompt_tokens;
            self.usage.cached_tokens = usage.cached_tokens;
        }
    }

    fn end(&mut self) -> Option<Result<AnswerEvent, RagError>> {
        if self.ended || self.open > 0 {
            return None;
        }
        self.ended = true;
        Some(Ok(AnswerEvent::Done {
            usage: self.usage,
            ledger: std::mem::take(&mut self.ledger),
        }))
    }
}

impl Stream for Answer {
    type Item = Result<AnswerEvent, RagError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut pending = false;
        for _ in 0..self.choices.len() {
            let at = self.turn;
            self.turn = (at + 1) % self.choices.len();
            match self.choices[at].poll(context) {
                Poll::Ready(Some(event)) => return Poll::Ready(Some(self.event_of(at, event))),
                Poll::Ready(None) => {}
                Poll::Pending => pending = true,
            }
        }
        match pending {
            true => Poll::Pending,
            false => Poll::Ready(self.end()),
        }
    }
}
