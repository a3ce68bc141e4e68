//! An answer told as a response: items and events, in OpenAI's order.

use engine::{FinishReason, ToolCall};
use rag::{Answer, AnswerEvent, AnsweredBy, SearchResult, TextPiece};
use serde_json::{Map, Value, json};

use super::items;
use crate::answering::Record;
use crate::wire::completion::{Ending, Grounds, objects};
use crate::wire::disclosure::Disclosure;
use crate::wire::grounding::{CitationObject, LedgerObject, SupportObject, UnsupportedObject};
use crate::wire::id::random_id;

/// How a response is to be told.
pub(crate) struct ResponseForm {
    pub(crate) id: String,
    pub(crate) created: u64,
    pub(crate) model: String,
    pub(crate) provider: String,
    /// What it repeats of the request.
    pub(crate) echo: Map<String, Value>,
    pub(crate) include_results: bool,
    /// What is searched for, if anything is.
    pub(crate) query: String,
    /// The text must be JSON, which a refusal is not.
    pub(crate) is_json: bool,
}

/// Tells one answer.
pub(crate) struct Responder {
    form: ResponseForm,
    searched: bool,
    as_refusal: bool,
    results: Vec<SearchResult>,
    /// Items that are complete.
    output: Vec<Value>,
    message: Option<OpenMessage>,
    finish: Option<FinishReason>,
    events: u64,
}

/// The message while it is written.
struct OpenMessage {
    id: String,
    text: String,
    annotations: Vec<Value>,
}

impl Responder {
    /// Nothing was told yet.
    pub(crate) fn new(form: ResponseForm, answer: &Answer) -> Self {
        let is_refused = answer.answered_by == AnsweredBy::Refusal;
        Self {
            searched: answer.evidence.is_some(),
            as_refusal: form.is_json && is_refused,
            results: answer.search_results.clone(),
            form,
            output: Vec::new(),
            message: None,
            finish: None,
            events: 0,
        }
    }

    /// The first events: that there is a response, and what was searched.
    pub(crate) fn begin(&mut self) -> Vec<Value> {
        let begun = self.object("in_progress", json!({}));
        let mut events = vec![
            json!({"type": "response.created", "response": begun}),
            json!({"type": "response.in_progress", "response": begun}),
        ];
        if self.searched {
            let id = random_id("fs_");
            let query = self.form.query.clone();
            let item = |status: &str, results: Option<&[SearchResult]>| {
                items::file_search_call(&id, status, &query, results)
            };
            let results = self.form.include_results.then_some(&self.results[..]);
            let done = item("completed", results);
            events.push(added(0, &item("in_progress", None)));
            for step in ["in_progress", "searching", "completed"] {
                events.push(json!({
                    "type": format!("response.file_search_call.{step}"),
                    "output_index": 0,
                    "item_id": id,
                }));
            }
            events.push(closed(0, &done));
            self.output.push(done);
        }
        self.numbered(events)
    }

    /// The events of what came next. Nothing is told of the end, see [`Responder::end`].
    pub(crate) fn push(&mut self, event: AnswerEvent) -> Vec<Value> {
        let events = match event {
            AnswerEvent::Text { piece, .. } => self.text(piece),
            AnswerEvent::ToolCall { call, .. } => self.call(&call),
            AnswerEvent::Finished { finish_reason, .. } => {
                self.finish = Some(finish_reason);
                self.close_message()
            }
            AnswerEvent::Done { .. } => Vec::new(),
        };
        self.numbered(events)
    }

    /// The last event, with the whole response.
    pub(crate) fn end(
        &mut self,
        record: &Record,
        grounds: &Grounds,
        ending: &Ending,
    ) -> Vec<Value> {
        let response = self.whole(record, grounds, ending);
        let kind = format!(
            "response.{}",
            response["status"].as_str().unwrap_or("completed")
        );
        self.numbered(vec![json!({"type": kind, "response": response})])
    }

    /// The whole response.
    pub(crate) fn whole(&self, record: &Record, grounds: &Grounds, ending: &Ending) -> Value {
        let is_cut = self.finish == Some(FinishReason::Length);
        let status = if is_cut { "incomplete" } else { "completed" };
        let content = record.contents().first();
        let usage = &ending.usage;
        let (form, ledger) = (&self.form, LedgerObject::from(&ending.ledger));
        self.object(
            status,
            json!({
                "incomplete_details": is_cut.then(|| json!({"reason": "max_output_tokens"})),
                "usage": {
                    "input_tokens": usage.prompt_tokens,
                    "input_tokens_details": {"cached_tokens": usage.cached_tokens},
                    "output_tokens": usage.completion_tokens,
                    "output_tokens_details": {"reasoning_tokens": 0},
                    "total_tokens": usage.prompt_tokens + usage.completion_tokens,
                },
                "citations": content.map(|c| objects::<_, CitationObject>(&c.citations)),
                "unsupported": content.map(|c| objects::<_, UnsupportedObject>(&c.unsupported)),
                "support": content.and_then(|c| c.support.as_ref().map(SupportObject::from)),
                "groundedness": record.groundedness,
                "search_results": grounds.search_results,
                "answered_by": grounds.answered_by,
                "evidence": grounds.evidence,
                "ledger": ledger,
                "disclosure": Disclosure::new(grounds.answered_by, &form.model, &form.provider),
            }),
        )
    }

    fn object(&self, status: &str, more: Value) -> Value {
        let mut object = json!({
            "id": self.form.id,
            "object": "response",
            "created_at": self.form.created,
            "status": status,
            "error": null,
            "incomplete_details": null,
            "model": self.form.model,
            "output": self.output,
            "usage": null,
        });
        let fields = object.as_object_mut().expect("it is an object");
        fields.extend(self.form.echo.clone());
        if let Value::Object(more) = more {
            fields.extend(more);
        }
        object
    }

    fn text(&mut self, piece: TextPiece) -> Vec<Value> {
        let index = self.output.len();
        let mut events = Vec::new();
        if self.message.is_none() {
            let id = random_id("msg_");
            events.push(added(
                index,
                &items::message(&id, "in_progress", Vec::new()),
            ));
            events.push(json!({
                "type": "response.content_part.added",
                "item_id": id,
                "output_index": index,
                "content_index": 0,
                "part": self.part("", &[]),
            }));
            self.message = Some(OpenMessage {
                id,
                text: String::new(),
                annotations: Vec::new(),
            });
        }
        let kind = match self.as_refusal {
            true => "response.refusal.delta",
            false => "response.output_text.delta",
        };
        let message = self.message.as_mut().expect("it was just opened");
        message.text.push_str(&piece.text);
        events.push(json!({
            "type": kind,
            "item_id": message.id,
            "output_index": index,
            "content_index": 0,
            "delta": piece.text,
            "logprobs": [],
        }));
        for citation in &piece.citations {
            let annotation = items::annotation(citation);
            events.push(json!({
                "type": "response.output_text.annotation.added",
                "item_id": message.id,
                "output_index": index,
                "content_index": 0,
                "annotation_index": message.annotations.len(),
                "annotation": annotation,
            }));
            message.annotations.push(annotation);
        }
        events
    }

    /// What a message holds.
    fn part(&self, text: &str, annotations: &[Value]) -> Value {
        match self.as_refusal {
            true => items::refusal(text),
            false => items::output_text(text, annotations),
        }
    }

    fn close_message(&mut self) -> Vec<Value> {
        let Some(message) = self.message.take() else {
            return Vec::new();
        };
        let index = self.output.len();
        let OpenMessage {
            id,
            text,
            annotations,
        } = message;
        let part = self.part(&text, &annotations);
        let (kind, field) = match self.as_refusal {
            true => ("response.refusal.done", "refusal"),
            false => ("response.output_text.done", "text"),
        };
        let is_cut = self.finish == Some(FinishReason::Length);
        let status = if is_cut { "incomplete" } else { "completed" };
        let item = items::message(&id, status, vec![part.clone()]);
        let mut done = json!({
            "type": kind,
            "item_id": id,
            "output_index": index,
            "content_index": 0,
            "logprobs": [],
        });
        done[field] = text.into();
        let events = vec![
            done,
            json!({
                "type": "response.content_part.done",
                "item_id": id,
                "output_index": index,
                "content_index": 0,
                "part": part,
            }),
            closed(index, &item),
        ];
        self.output.push(item);
        events
    }

    fn call(&mut self, call: &ToolCall) -> Vec<Value> {
        let mut events = self.close_message();
        let index = self.output.len();
        let id = random_id("fc_");
        let item = items::function_call(&id, "completed", call);
        let arguments = item["arguments"].clone();
        let mut begun = items::function_call(&id, "in_progress", call);
        begun["arguments"] = "".into();
        events.push(added(index, &begun));
        for (step, field) in [("delta", "delta"), ("done", "arguments")] {
            let mut event = json!({
                "type": format!("response.function_call_arguments.{step}"),
                "item_id": id,
                "output_index": index,
            });
            event[field] = arguments.clone();
            events.push(event);
        }
        events.push(closed(index, &item));
        self.output.push(item);
        events
    }

    fn numbered(&mut self, mut events: Vec<Value>) -> Vec<Value> {
        for event in &mut events {
            event["sequence_number"] = self.events.into();
            self.events += 1;
        }
        events
    }
}

fn added(index: usize, item: &Value) -> Value {
    json!({"type": "response.output_item.added", "output_index": index, "item": item})
}

fn closed(index: usize, item: &Value) -> Value {
    json!({"type": "response.output_item.done", "output_index": index, "item": item})
}
