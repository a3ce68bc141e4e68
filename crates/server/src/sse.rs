//! An answer as server-sent events, in whichever of OpenAI's formats a [`Telling`] writes.
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
use rag::{Answer, AnswerEvent};
use tokio::task::JoinHandle;

use crate::answering::{Record, Whole};
use crate::app::App;
use crate::error::{ApiError, ErrorKind};
use crate::wire::completion::Ending;

/// How one of the formats tells an answer.
pub(crate) trait Telling: Send + Unpin + 'static {
    /// What comes before all text.
    fn begin(&mut self, answer: &Answer) -> Vec<Event>;

    /// A step of the answer, but never [`AnswerEvent::Done`].
    fn push(&mut self, step: AnswerEvent, answer: &Answer) -> Vec<Event>;

    /// The end of an answer that was judged and kept.
    fn end(&mut self, whole: &Whole) -> Vec<Event>;

    /// The status line has long been sent: the error goes where the next event would, and nothing
    /// follows that could look like an end.
    fn fail(&self, error: &ApiError) -> Event;
}

/// The reply that streams `answer`.
pub(crate) fn stream_answer(
    app: &Arc<App>,
    answer: Answer,
    record: Record,
    mut telling: impl Telling,
) -> Response {
    let stream = Events {
        queue: telling.begin(&answer).into(),
        answer,
        telling,
        app: app.clone(),
        record: Some(record),
        keeping: None,
        deadline: Box::pin(app.streams_must_end()),
        ended: false,
    };
    let keep_alive = KeepAlive::new().interval(app.limits.sse_keep_alive);
    // nginx would otherwise hold the events back until it has a buffer full of them.
    let unbuffered = [("x-accel-buffering", "no")];
    (unbuffered, Sse::new(stream).keep_alive(keep_alive)).into_response()
}

/// The events of one answer.
struct Events<T> {
    answer: Answer,
    telling: T,
    app: Arc<App>,
    /// What is noted of the answer until it ends.
    record: Option<Record>,
    /// The work of judging and keeping it, which comes before the end is told.
    keeping: Option<JoinHandle<Whole>>,
    /// What one step of the answer gave and the client has not taken yet.
    queue: VecDeque<Event>,
    /// Resolves when the server stops and has waited long enough.
    deadline: Pin<Box<dyn Future<Output = ()> + Send>>,
    ended: bool,
}

impl<T: Telling> Stream for Events<T> {
    type Item = Result<Event, Infallible>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(keeping) = &mut this.keeping {
                let kept = ready!(Pin::new(keeping).poll(context));
                this.keeping = None;
                match kept {
                    Ok(whole) => this.end(&whole),
                    Err(_) => this.fail(&ApiError::internal("keeping an answer panicked")),
                }
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
                Some(Ok(step)) => this.push(step),
                Some(Err(error)) => this.fail(&error.into()),
                None => this.fail(&ApiError::internal("the answer stopped without an end")),
            }
        }
    }
}

impl<T: Telling> Events<T> {
    fn push(&mut self, step: AnswerEvent) {
        if let Some(record) = &mut self.record {
            record.note(&step);
        }
        match step {
            AnswerEvent::Done { usage, ledger } => self.keep(Ending { usage, ledger }),
            step => self.queue.extend(self.telling.push(step, &self.answer)),
        }
    }

    /// Begins to judge and to keep the whole answer; the end is told behind that. What cannot be
    /// judged or kept is logged.
    fn keep(&mut self, ending: Ending) {
        let Some(record) = self.record.take() else {
            return;
        };
        let grounds = record.grounds(&self.answer);
        let app = self.app.clone();
        let finish = move || record.finish(&app, grounds, ending);
        self.keeping = Some(tokio::task::spawn_blocking(finish));
    }

    fn end(&mut self, whole: &Whole) {
        self.queue.extend(self.telling.end(whole));
        self.ended = true;
    }

    fn fail(&mut self, error: &ApiError) {
        self.queue.push_back(self.telling.fail(error));
        self.ended = true;
    }
}
