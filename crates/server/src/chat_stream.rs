//! The events of a chat completion: a chunk that opens, chunks of text, a chunk that closes, `usage`
//! if asked for, `[DONE]`.

use axum::response::sse::Event;
use rag::{Answer, AnswerEvent, Ledger};

use crate::answering::Whole;
use crate::error::ApiError;
use crate::sse::Telling;
use crate::wire::chunk::{Chunk, Chunks, Ended};
use crate::wire::completion::Grounds;
use crate::wire::groundedness::GroundednessObject;
use crate::wire::tools::ToolCallObject;

/// Tells an answer in chunks.
pub(crate) struct ChatTelling {
    chunks: Chunks,
    /// A choice that finished and was not told yet: the last one to finish tells more. With it
    /// stands what the answer rests on, if it was withheld in the end.
    finished: Option<(Ended, Option<Grounds>)>,
}

impl ChatTelling {
    pub(crate) fn new(chunks: Chunks) -> Self {
        Self {
            chunks,
            finished: None,
        }
    }

    /// Tells that a choice finished, if one did; and that it was refused after all, if it was.
    fn close(&mut self, last: Option<(&Ledger, Option<GroundednessObject>)>) -> Option<Event> {
        let (ended, withheld) = self.finished.take()?;
        let (ledger, groundedness) = last.unzip();
        let mut chunk = self.chunks.closing(&ended, ledger);
        chunk.groundedness = groundedness.flatten();
        chunk.grounds = withheld;
        Some(event(&chunk))
    }
}

impl Telling for ChatTelling {
    fn begin(&mut self, answer: &Answer) -> Vec<Event> {
        let mut grounds = Some(Grounds::from(answer));
        let chunks = &self.chunks;
        let choices = 0..answer.choices();
        choices
            .map(|choice| event(&chunks.opening(choice, grounds.take())))
            .collect()
    }

    fn push(&mut self, step: AnswerEvent, answer: &Answer) -> Vec<Event> {
        let closed = self.close(None);
        let told = match step {
            AnswerEvent::Text { choice, piece } => Some(event(&self.chunks.text(choice, piece))),
            AnswerEvent::ToolCall {
                choice,
                index,
                call,
            } => {
                let call = ToolCallObject::streamed(&call, index);
                Some(event(&self.chunks.tool_call(choice, call)))
            }
            AnswerEvent::Finished {
                choice,
                finish_reason,
                support,
                ..
            } => {
                let withheld = choice == 0 && support.is_some_and(|support| support.withheld);
                let grounds = withheld.then(|| Grounds::from(answer).in_the_end(support.as_ref()));
                let ended = Ended {
                    choice,
                    finish_reason,
                    support,
                };
                self.finished = Some((ended, grounds));
                None
            }
            AnswerEvent::Done { .. } => None,
        };
        closed.into_iter().chain(told).collect()
    }

    fn end(&mut self, whole: &Whole) -> Vec<Event> {
        let groundedness = whole.record.groundedness.clone();
        let closed = self.close(Some((&whole.ending.ledger, groundedness)));
        let usage = self.chunks.usage(&whole.ending.usage);
        let done = Event::default().data("[DONE]");
        let told = closed.into_iter().chain(usage.as_ref().map(event));
        told.chain([done]).collect()
    }

    fn fail(&self, error: &ApiError) -> Event {
        Event::default().data(error.body().to_string())
    }
}

fn event(chunk: &Chunk<'_>) -> Event {
    let event = Event::default().json_data(chunk);
    event.expect("a chunk has string keys only, so it is always JSON")
}
