//! What requests mean and which are refused, as data.

mod accepted;
mod refused;

use serde_json::{Value, json};

use super::chat_request::ChatRequest;
use super::place::{Object, parse_object};
use crate::app::Limits;
use crate::error::ApiError;

/// A valid chat request with `fields` on top.
fn chat_body(fields: &Value) -> Value {
    let mut body = json!({"model": "default", "messages": [{"role": "user", "content": "Why?"}]});
    let fields = fields.as_object().expect("a case is an object").clone();
    body.as_object_mut()
        .expect("the body is an object")
        .extend(fields);
    body
}

fn read_chat(body: &Value) -> Result<ChatRequest, ApiError> {
    let fields = parse_object(body.to_string().as_bytes())?;
    ChatRequest::read(&Object::root(&fields), &Limits::default())
}
