//! A prompt as the values that a chat template reads, in the form that `transformers` gives them.

use engine::{Message, Prompt, ToolCall};
use minijinja::context;
use minijinja::value::Value;
use serde_json::Value as Json;

/// What the template calls `messages`, `documents` and `tools`. All that comes from a request
/// goes through `protect`, the keys of JSON too.
pub(crate) fn values(prompt: &Prompt, protect: &impl Fn(&str) -> String) -> Value {
    let messages = prompt.messages.iter().map(|one| message(one, protect));
    let documents = prompt.documents.iter().map(|document| {
        context! { title => protect(&document.title), text => protect(&document.text) }
    });
    let tools = prompt.tools.iter().map(|tool| json(tool, protect));
    context! {
        messages => messages.collect::<Value>(),
        documents => none_if_empty(documents),
        tools => none_if_empty(tools),
    }
}

/// Templates ask whether a field is there, so one that says nothing is left out.
fn message(message: &Message, protect: &impl Fn(&str) -> String) -> Value {
    let optional = |text: &Option<String>| text.as_deref().map(|text| protect(text).into());
    let calls = message
        .tool_calls
        .iter()
        .map(|call| tool_call(call, protect));
    let fields = [
        ("role", Some(Value::from(message.role.as_str()))),
        ("tool_call_id", optional(&message.tool_call_id)),
        ("name", optional(&message.name)),
        ("content", Some(protect(&message.content).into())),
        (
            "tool_calls",
            (!message.tool_calls.is_empty()).then(|| calls.collect()),
        ),
    ];
    present(fields)
}

fn tool_call(call: &ToolCall, protect: &impl Fn(&str) -> String) -> Value {
    let function = context! {
        name => protect(&call.name),
        arguments => json(&call.arguments, protect),
    };
    present([
        ("id", call.id.as_deref().map(|id| protect(id).into())),
        ("type", Some("function".into())),
        ("function", Some(function)),
    ])
}

fn present<const N: usize>(fields: [(&'static str, Option<Value>); N]) -> Value {
    let fields = fields.into_iter();
    Value::from_pairs(fields.filter_map(|(name, value)| Some((name, value?))))
}

fn none_if_empty(values: impl ExactSizeIterator<Item = Value>) -> Value {
    match values.len() {
        0 => Value::from(()),
        _ => values.collect(),
    }
}

fn json(value: &Json, protect: &impl Fn(&str) -> String) -> Value {
    match value {
        Json::Null => Value::from(()),
        Json::Bool(flag) => Value::from(*flag),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(whole), _) => Value::from(whole),
            (_, Some(whole)) => Value::from(whole),
            _ => Value::from(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::from(protect(text)),
        Json::Array(items) => items.iter().map(|item| json(item, protect)).collect(),
        Json::Object(fields) => {
            let fields = fields.iter();
            Value::from_pairs(fields.map(|(name, value)| (protect(name), json(value, protect))))
        }
    }
}
