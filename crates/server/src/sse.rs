//! An answer as server-sent events, in OpenAI's order: a chunk that opens, chunks of text,
//! a chunk that closes, `usage` if asked for, `[DONE]`.
//!
//! The stream owns the [`Answer`], so a client that hangs up drops both, which cancels the
//! generation. Nothing is buffered here beyond the events of one step.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_core::Stream;
use rag::{Answer, AnswerEvent, Ledger};
use tokio::task::JoinHandle;

use crate::answering::Record;
use crate::app::App;
use crate::error::{ApiError, ErrorKind};
use crate::wire::chunk::{Chunk, Chunks, Ended};
use crate::wire::completion::{Ending, Grounds};
use crate::wire::groundedness::GroundednessObject;
use crate::wire::tools::ToolCallObject;

/// The reply that streams `answer`.
pub(crate) fn stream_answer(
    app: &Arc<App>,
    answer: Answer,
    record: Record,
    chunks: Chunks,
) -> Response {
    let mut grounds = Some(Grounds::from(&answer));
    let opening =
        (0..answer.choices()).map(|choice| event(&chunks.opening(choice, grounds.take())));
    let stream = AnswerEvents {
        queue: opening.collect(),
        answer,
        app: app.clone(),
        record: Some(record),
        keeping: None,
        ending: Ending::default(),
        chunks,
        finished: None,
        deadline: Box::pin(app.streams_must_end()),
        ended: false,
    };
    let keep_alive = KeepAlive::new().interval(app.limits.sse_keep_alive);
    // nginx would otherwise hold the events back until it has a buffer full of them.
    let unbuffered = [("x-accel-buffering", "no")];
    (unbuffered, Sse::new(stream).keep_alive(keep_alive)).into_response()
}

/// The events of one answer.
struct AnswerEvents {
    answer: Answer,
    app: Arc<App>,
    /// What is noted of it until it ends.
    record: Option<Record>,
    /// The work of keeping it, which comes before the end is told.
    keeping: Option<JoinHandle<Option<GroundednessObject>>>,
    /// What is told at the end.
    ending: Ending,
    chunks: Chunks,
    /// What one step of the answer gave and the client has not taken yet.
    queue: VecDeque<Event>,
    /// A choice that finished and was not told yet: the last one to finish tells the ledger too.
    finished: Option<Ended>,
    /// Resolves when the server stops and has waited long enough.
    deadline: Pin<Box<dyn Future<Output = ()> + Send>>,
    ended: bool,
}

impl Stream for AnswerEvents {
    type Item = Result<Event, Infallible>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(keeping) = &mut this.keeping {
                // What cannot be judged or kept was logged.
                let groundedness = ready!(Pin::new(keeping).poll(context));
                this.keeping = None;
                this.end(groundedness.ok().flatten());
            }
            if let Some(event) = this.queue.pop_front() {
                return Poll::Ready(Some(Ok(event)));
            }
            if this.ended {
                return Poll::Ready(None);
            }
            if this.deadline.as_mut().poll(context).is_ready() {
                this.fail(&ApiError::new(
                    ErrorKind::Stopping,
                    "the server is shutting down",
                ));
                continue;
            }
            match ready!(Pin::new(&mut this.answer).poll_next(context)) {
                Some(Ok(event)) => this.push(event),
                Some(Err(error)) => this.fail(&error.into()),
                None => this.fail(&ApiError::internal("the answer stopped without an end")),
            }
        }
    }
}

impl AnswerEvents {
    fn push(&mut self, answer_event: AnswerEvent) {
        if let Some(record) = &mut self.record {
            record.note(&answer_event);
        }
        match answer_event {
            AnswerEvent::Text { choice, piece } => {
                self.close(None);
                self.queue
                    .push_back(event(&self.chunks.text(choice, piece)));
            }
            AnswerEvent::ToolCall {
                choice,
                index,
                call,
            } => {
                self.close(None);
                let call = ToolCallObject::streamed(&call, index);
                self.queue
                    .push_back(event(&self.chunks.tool_call(choice, call)));
            }
            AnswerEvent::Finished {
                choice,
                finish_reason,
                support,
                ..
            } => {
                self.close(None);
                self.finished = Some(Ended {
                    choice,
                    finish_reason,
                    support,
                });
            }
            AnswerEvent::Done { usage, ledger } => {
                self.ending = Ending { usage, ledger };
                self.keep();
            }
        }
    }

    /// Begins to judge and to keep the whole answer; the end is told behind that.
    fn keep(&mut self) {
        let Some(mut record) = self.record.take() else {
            return;
        };
        let grounds = record.grounds(&self.answer);
        let (app, ending) = (self.app.clone(), self.ending.clone());
        let finish = move || {
            record.finish(&app, &grounds, &ending);
            record.groundedness
        };
        self.keeping = Some(tokio::task::spawn_blocking(finish));
    }

    fn end(&mut self, groundedness: Option<GroundednessObject>) {
        let Ending { usage, ledger } = self.ending.clone();
        self.close(Some((&ledger, groundedness)));
        let usage = self.chunks.usage(&usage);
        self.queue.extend(usage.as_ref().map(event));
        self.queue.push_back(Event::default().data("[DONE]"));
        self.ended = true;
    }

    /// Tells that a choice finished, if one did; and that it was refused after all, if it was.
    /// The last one tells more.
    fn close(&mut self, last: Option<(&Ledger, Option<GroundednessObject>)>) {
        let Some(ended) = self.finished.take() else {
            return;
        };
        let (ledger, groundedness) = last.unzip();
        let mut chunk = self.chunks.closing(&ended, ledger);
        chunk.groundedness = groundedness.flatten();
        if ended.choice == 0 && ended.support.is_some_and(|support| support.withheld) {
            chunk.grounds = Some(Grounds::from(&self.answer).in_the_end(ended.support.as_ref()));
        }
        self.queue.push_back(event(&chunk));
    }

    /// The status line has long been sent: the error goes where the next chunk would. No
    /// `[DONE]` follows, so that a failure cannot look like an end.
    fn fail(&mut self, error: &ApiError) {
        self.queue
            .push_back(Event::default().data(error.body().to_string()));
        self.ended = true;
    }
}

fn event(chunk: &Chunk<'_>) -> Event {
    let event = Event::default().json_data(chunk);
    event.expect("a chunk has string keys only, so it is always JSON")
}
