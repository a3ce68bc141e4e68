//! The bounded channel from a worker back to whoever asked.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use tokio::sync::mpsc;

use crate::{EngineError, ToolCall};

/// What a [`TokenStream`] yields.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// One generated token.
    Token(Token),
    /// The end; nothing follows.
    Done {
        /// Why generation ended.
        finish_reason: FinishReason,
        /// What it took.
        usage: Usage,
    },
}

/// One generated token.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Token {
    /// The token's place in the vocabulary.
    pub id: u32,
    /// The text that became certain with this token. Empty while the token is the beginning
    /// of a character, or may be the beginning of a stop string.
    pub text: String,
    /// How likely the tokens were whose text began to be certain with this one, if the request
    /// asks for it. Tokens that are no text, such as the one that ends the turn, have none, nor
    /// have those behind a stop string.
    pub logprobs: Vec<TokenLogprobs>,
    /// The calls of tools that were complete with this token, in the order they were made. Their
    /// text is not in `text`. What looks like a call and cannot be understood is.
    pub tool_calls: Vec<ToolCall>,
    /// How much attention each of [`Request::watch`](crate::Request) got when this token was
    /// chosen, from 0 to 1: its share of all the attention that was paid, so that what is missing
    /// from a sum of 1 went elsewhere (to the question, the instructions, the first token of all).
    /// A mean over the heads of some layers from the middle of the model on. Empty if nothing is
    /// watched, and from an engine that cannot tell.
    pub attention: Vec<f32>,
}

/// How likely a generated token was, and which others were likely.
///
/// The probabilities are the model's own: the softmax of its logits, before temperature,
/// penalties, biases and formats change them.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenLogprobs {
    /// The token that was generated.
    pub chosen: Logprob,
    /// The most likely tokens, best first; as many as the request asks for.
    pub top: Vec<Logprob>,
}

/// A token and its probability.
#[derive(Clone, Debug, PartialEq)]
pub struct Logprob {
    /// The token's place in the vocabulary.
    pub id: u32,
    /// The bytes that the token adds to the text; not always whole characters. The name of a
    /// token that is no text.
    pub bytes: Vec<u8>,
    /// The natural logarithm of its probability.
    pub logprob: f32,
}

/// Why generation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinishReason {
    /// The model ended its turn, or a stop string came up.
    Stop,
    /// The model ended its turn to have tools called.
    ToolCalls,
    /// The token limit or the end of the context was reached.
    Length,
}

/// Tokens a request took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the prompt.
    pub prompt_tokens: usize,
    /// Tokens generated.
    pub completion_tokens: usize,
    /// Prompt tokens whose keys and values were already there.
    pub cached_tokens: usize,
}

/// The receiving end: tokens in order, then one [`Event::Done`] or one error.
///
/// Dropping it cancels the request.
pub struct TokenStream {
    receiver: mpsc::Receiver<Result<Event, EngineError>>,
    ended: bool,
}

impl TokenStream {
    /// A channel for an answer of at most `max_tokens` tokens.
    ///
    /// The channel has room for the whole answer, so a worker never waits for a slow reader,
    /// and no reader can make it hold more than that.
    pub fn channel(max_tokens: usize) -> (TokenSender, TokenStream) {
        let end = 1;
        let (sender, receiver) = mpsc::channel(max_tokens + end);
        (
            TokenSender { sender },
            TokenStream {
                receiver,
                ended: false,
            },
        )
    }

    /// Waits for the next event on this thread; `None` after the end.
    ///
    /// # Panics
    ///
    /// When called from within an async task, which must poll the stream instead.
    pub fn next_blocking(&mut self) -> Option<Result<Event, EngineError>> {
        if self.ended {
            return None;
        }
        let received = self.receiver.blocking_recv();
        Some(self.checked(received))
    }

    /// Turns a sender that vanished into an error, so that a failure cannot look like an end.
    fn checked(
        &mut self,
        received: Option<Result<Event, EngineError>>,
    ) -> Result<Event, EngineError> {
        let event = received
            .unwrap_or_else(|| Err(EngineError::Failed("the engine stopped mid-answer".into())));
        self.ended = !matches!(event, Ok(Event::Token(_)));
        event
    }
}

impl Stream for TokenStream {
    type Item = Result<Event, EngineError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        self.receiver
            .poll_recv(context)
            .map(|received| Some(self.checked(received)))
    }
}

/// The worker's end of a [`TokenStream`].
///
/// Dropping it without [`done`](TokenSender::done) or [`fail`](TokenSender::fail) reads as a
/// failure on the other side.
pub struct TokenSender {
    sender: mpsc::Sender<Result<Event, EngineError>>,
}

impl TokenSender {
    /// Nobody is listening any more: the request is to be dropped.
    pub fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Sends one token. Sending more than the channel was made for is a bug in the engine;
    /// such tokens are lost.
    pub fn token(&self, token: Token) {
        let sent = self.sender.try_send(Ok(Event::Token(token)));
        debug_assert!(
            !matches!(sent, Err(mpsc::error::TrySendError::Full(_))),
            "more tokens than promised"
        );
    }

    /// Ends the stream well.
    pub fn done(self, finish_reason: FinishReason, usage: Usage) {
        let _ = self.sender.try_send(Ok(Event::Done {
            finish_reason,
            usage,
        }));
    }

    /// Ends the stream with an error.
    pub fn fail(self, error: EngineError) {
        let _ = self.sender.try_send(Err(error));
    }
}
