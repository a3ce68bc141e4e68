//! An answer as the server-sent events of a response. They have names, and no `[DONE]` follows.
//!
//! As in `sse`, the stream owns the [`Answer`]: who hangs up cancels the generation.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_core::Stream;
use rag::{Answer, AnswerEvent};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::answering::Record;
use crate::app::App;
use crate::error::{ApiError, ErrorKind};
use crate::wire::completion::{Ending, Grounds};
use crate::wire::responses::Responder;

/// The reply that streams `answer`.
pub(crate) fn stream_response(
    app: &Arc<App>,
    mut responder: Responder,
    answer: Answer,
    record: Record,
) -> Response {
    let stream = ResponseEvents {
        queue: responder.begin().into(),
        answer,
        responder,
        record: Some(record),
        keeping: None,
        app: app.clone(),
        deadline: Box::pin(app.streams_must_end()),
        ended: false,
    };
    let keep_alive = KeepAlive::new().interval(app.limits.sse_keep_alive);
    // nginx would otherwise hold the events back until it has a buffer full of them.
    let unbuffered = [("x-accel-buffering", "no")];
    (unbuffered, Sse::new(stream).keep_alive(keep_alive)).into_response()
}

/// The events of one response.
struct ResponseEvents {
    answer: Answer,
    responder: Responder,
    /// What is noted of the answer until it ends.
    record: Option<Record>,
    /// The work of keeping it, which comes before the end is told.
    keeping: Option<JoinHandle<(Record, Grounds, Ending)>>,
    app: Arc<App>,
    /// What one step gave and the client has not taken yet.
    queue: VecDeque<Value>,
    /// Resolves when the server stops and has waited long enough.
    deadline: Pin<Box<dyn Future<Output = ()> + Send>>,
    ended: bool,
}

impl Stream for ResponseEvents {
    type Item = Result<Event, Infallible>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(keeping) = &mut this.keeping {
                let kept = ready!(Pin::new(keeping).poll(context));
                this.keeping = None;
                this.end(kept.ok());
            }
            if let Some(value) = this.queue.pop_front() {
                return Poll::Ready(Some(Ok(named(&value))));
            }
            if this.ended {
                return Poll::Ready(None);
            }
            if this.deadline.as_mut().poll(context).is_ready() {
                let error = ApiError::new(ErrorKind::Stopping, "the server is shutting down");
                this.fail(&error);
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

impl ResponseEvents {
    fn push(&mut self, event: AnswerEvent) {
        if let Some(record) = &mut self.record {
            record.note(&event);
        }
        let AnswerEvent::Done { usage, ledger } = event else {
            self.queue.extend(self.responder.push(event));
            return;
        };
        let Some(mut record) = self.record.take() else {
            return;
        };
        let grounds = record.grounds(&self.answer);
        let ending = Ending { usage, ledger };
        let app = self.app.clone();
        // What cannot be judged or kept is logged.
        let finish = move || {
            record.finish(&app, &grounds, &ending);
            (record, grounds, ending)
        };
        self.keeping = Some(tokio::task::spawn_blocking(finish));
    }

    fn end(&mut self, kept: Option<(Record, Grounds, Ending)>) {
        let Some((record, grounds, ending)) = kept else {
            self.fail(&ApiError::internal("keeping an answer panicked"));
            return;
        };
        let last = self.responder.end(&record, &grounds, &ending);
        self.queue.extend(last);
        self.ended = true;
    }

    fn fail(&mut self, error: &ApiError) {
        let error = &error.body()["error"];
        self.queue.push_back(json!({
            "type": "error",
            "code": error["code"],
            "message": error["message"],
            "param": error["param"],
        }));
        self.ended = true;
    }
}

/// The event of a name that the value itself tells.
fn named(value: &Value) -> Event {
    let kind = value["type"].as_str().unwrap_or("error");
    Event::default().event(kind).data(value.to_string())
}
