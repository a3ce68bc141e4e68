//! The events of a response. They have names, and no `[DONE]` follows.

use axum::response::sse::Event;
use rag::{Answer, AnswerEvent};
use serde_json::{Value, json};

use crate::answering::Whole;
use crate::error::ApiError;
use crate::sse::Telling;
use crate::wire::responses::Responder;

impl Telling for Responder {
    fn begin(&mut self, _: &Answer) -> Vec<Event> {
        Responder::begin(self).iter().map(named).collect()
    }

    fn push(&mut self, step: AnswerEvent, _: &Answer) -> Vec<Event> {
        Responder::push(self, step).iter().map(named).collect()
    }

    fn end(&mut self, whole: &Whole) -> Vec<Event> {
        let last = Responder::end(self, &whole.record, &whole.grounds, &whole.ending);
        last.iter().map(named).collect()
    }

    fn fail(&self, error: &ApiError) -> Event {
        let error = &error.body()["error"];
        named(&json!({
            "type": "error",
            "code": error["code"],
            "message": error["message"],
            "param": error["param"],
        }))
    }
}

/// The event of a name that the value itself tells.
fn named(value: &Value) -> Event {
    let kind = value["type"].as_str().unwrap_or("error");
    Event::default().event(kind).data(value.to_string())
}
