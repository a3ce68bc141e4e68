//! OpenAI's standard fields that this server cannot honour.
//!
//! A field that would change the answer is refused rather than ignored, unless it holds the
//! value that asks for nothing (`"functions": []`). Fields we have never heard of are
//! ignored: clients send many.

use serde_json::Value;

use super::place::Object;
use crate::error::{ApiError, ErrorKind};

/// A field that cannot be honoured, the values of it that ask for nothing, and what to do.
struct Unsupported {
    field: &'static str,
    asks_nothing: fn(&Value) -> bool,
    advice: &'static str,
}

const CHAT: &[Unsupported] = &[
    unsupported("best_of", is_one, "ask for several answers with n"),
    unsupported(
        "parallel_tool_calls",
        is_true,
        "the model decides how many tools it calls at a time",
    ),
    unsupported("functions", is_empty, "send them as tools"),
    unsupported("function_call", is_no_tool, "send tools and tool_choice"),
    unsupported(
        "modalities",
        is_text_modality,
        "this server answers in plain text",
    ),
    unsupported("audio", never, "this server answers in plain text"),
    unsupported("prediction", never, "leave it out"),
    unsupported(
        "web_search_options",
        never,
        "this server searches its own collections only",
    ),
];

/// Refuses the first field of a chat request that cannot be honoured.
pub(crate) fn refuse_unsupported(body: &Object<'_>) -> Result<(), ApiError> {
    for entry in CHAT {
        let Some(place) = body.get(entry.field) else {
            continue;
        };
        if !(entry.asks_nothing)(place.value()) {
            let why = format!("is not supported with this value; {}", entry.advice);
            return Err(place.refuse(ErrorKind::UnsupportedParameter, why));
        }
    }
    Ok(())
}

const fn unsupported(
    field: &'static str,
    asks_nothing: fn(&Value) -> bool,
    advice: &'static str,
) -> Unsupported {
    Unsupported {
        field,
        asks_nothing,
        advice,
    }
}

fn never(_: &Value) -> bool {
    false
}

fn is_one(value: &Value) -> bool {
    value.as_f64() == Some(1.0)
}

fn is_true(value: &Value) -> bool {
    value == &Value::Bool(true)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

fn is_no_tool(value: &Value) -> bool {
    matches!(value.as_str(), Some("none" | "auto"))
}

fn is_text_modality(value: &Value) -> bool {
    value
        .as_array()
        .is_some_and(|items| items.iter().all(|item| item == "text"))
}
