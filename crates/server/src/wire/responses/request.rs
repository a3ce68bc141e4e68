//! The body of `POST /v1/responses`, put as a chat request.

use serde_json::{Map, Value, json};

use crate::error::{ApiError, ErrorKind};
use crate::wire::place::{Object, Place};

/// What is asked, as a chat request, and how the answer is to be told.
pub(crate) struct ResponsesRequest {
    /// The chat request that means the same.
    pub(crate) chat: Map<String, Value>,
    /// The answer is to come as it is made.
    pub(crate) stream: bool,
    /// The answer may be kept.
    pub(crate) store: bool,
    /// The response that this one goes on from.
    pub(crate) previous: Option<String>,
    /// The passages are to stand in the item of the search.
    pub(crate) include_results: bool,
    /// What the reply repeats of the request.
    pub(crate) echo: Map<String, Value>,
}

/// Fields that mean the same in both requests. `model` and the sampling among them.
const SAME: [&str; 19] = [
    "model",
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "seed",
    "frequency_penalty",
    "presence_penalty",
    "repetition_penalty",
    "stop",
    "retrieval",
    "citations",
    "answer",
    "support",
    "groundedness",
    "quotations",
    "task",
    "parallel_tool_calls",
    "top_logprobs",
];

/// Fields that would change the answer and cannot be honoured.
const UNSUPPORTED: [(&str, &str); 5] = [
    ("background", "wait for the answer, or stream it"),
    ("conversation", "send previous_response_id, or the items"),
    ("prompt", "send instructions and input"),
    ("max_tool_calls", "tools are run by whoever asked"),
    ("reasoning", "the model reasons as it was made to"),
];

/// What may be included.
const RESULTS: &str = "file_search_call.results";

impl ResponsesRequest {
    /// Reads the body. What is wrong with a field that a chat request has as well, that reader
    /// says; see [`in_our_words`].
    pub(crate) fn read(body: &Object<'_>) -> Result<Self, ApiError> {
        for (field, advice) in UNSUPPORTED {
            if let Some(place) = body.get(field) {
                let asks_nothing = matches!(place.value(), Value::Bool(false));
                if !asks_nothing {
                    let why = format!("is not supported; {advice}");
                    return Err(place.refuse(ErrorKind::UnsupportedParameter, why));
                }
            }
        }
        body.optional("truncation", |place| {
            place.choice(&[("disabled", ())]).map_err(|_| {
                let why = "must be \"disabled\": a conversation is never cut silently";
                place.refuse(ErrorKind::InvalidValue, why)
            })
        })?;
        let mut chat = Map::new();
        for field in SAME {
            if let Some(place) = body.get(field) {
                chat.insert(field.into(), place.value().clone());
            } else if field == "retrieval" && body.mentions(field) {
                chat.insert(field.into(), Value::Null);
            }
        }
        if let Some(most) = body.get("max_output_tokens") {
            chat.insert("max_completion_tokens".into(), most.value().clone());
        }
        if let Some(text) = body.get("text")
            && let Some(format) = text.object()?.get("format")
        {
            chat.insert("response_format".into(), chat_format(&format)?);
        }
        read_tools(body, &mut chat)?;
        chat.insert("messages".into(), read_messages(body)?.into());
        Ok(Self {
            chat,
            stream: body.optional("stream", Place::boolean)?.unwrap_or(false),
            store: body.optional("store", Place::boolean)?.unwrap_or(true),
            previous: body.optional("previous_response_id", |place| {
                Ok(place.string()?.to_owned())
            })?,
            include_results: read_include(body)?,
            echo: echo(body),
        })
    }

    /// Puts an earlier conversation before this one's: its messages and its answer. Instructions
    /// of the earlier response do not carry over.
    pub(crate) fn go_on_from(&mut self, request: &Value, answer: &str) {
        let earlier = request["messages"].as_array().into_iter().flatten();
        let earlier = earlier.filter(|message| message["role"] != "system");
        let answer = json!({"role": "assistant", "content": answer});
        let before: Vec<Value> = earlier.cloned().chain([answer]).collect();
        if let Some(Value::Array(messages)) = self.chat.get_mut("messages") {
            let instructions = usize::from(messages[0]["role"] == "system");
            messages.splice(instructions..instructions, before);
        }
    }
}

/// The refusal of a chat request, naming the fields of a response instead.
pub(crate) fn in_our_words(param: &str) -> Option<String> {
    let renamed = [
        ("messages", "input"),
        ("max_completion_tokens", "max_output_tokens"),
        ("response_format", "text.format"),
        ("retrieval.collections", "tools"),
    ];
    let renamed = renamed.iter().find(|(chat, _)| param.starts_with(chat));
    renamed.map(|(_, ours)| (*ours).to_owned())
}

/// In a response, the schema stands beside the type.
fn chat_format(place: &Place<'_>) -> Result<Value, ApiError> {
    let fields = place.object()?;
    let kind = fields.require("type")?;
    if kind.string()? != "json_schema" {
        return Ok(json!({"type": kind.value()}));
    }
    let mut schema = Map::new();
    for (name, value) in fields.places().filter(|(name, _)| *name != "type") {
        schema.insert(name.into(), value.value().clone());
    }
    Ok(json!({"type": "json_schema", "json_schema": schema}))
}

#[derive(Clone, Copy)]
enum Tool {
    FileSearch,
    Function,
}

/// A search becomes `retrieval`; functions are written one level deeper.
fn read_tools(body: &Object<'_>, chat: &mut Map<String, Value>) -> Result<(), ApiError> {
    let mut functions = Vec::new();
    let tools = body.get("tools").map(|place| place.items()).transpose()?;
    for tool in tools.unwrap_or_default() {
        let fields = tool.object()?;
        let kinds = [
            ("file_search", Tool::FileSearch),
            ("function", Tool::Function),
        ];
        match fields.require("type")?.choice(&kinds)? {
            Tool::FileSearch => {
                chat.insert("retrieval".into(), file_search(&fields)?);
            }
            Tool::Function => {
                let mut function = Map::new();
                for (name, value) in fields.places().filter(|(name, _)| *name != "type") {
                    function.insert(name.into(), value.value().clone());
                }
                functions.push(json!({"type": "function", "function": function}));
            }
        }
    }
    if let Some(choice) = body.get("tool_choice") {
        let name = choice.value().get("name");
        let searches = choice.value()["type"] == "file_search";
        let choice = match name {
            Some(name) => json!({"type": "function", "function": {"name": name}}),
            // A search is made in any case.
            None if searches => json!("auto"),
            None => choice.value().clone(),
        };
        if !functions.is_empty() || choice.is_object() {
            chat.insert("tool_choice".into(), choice);
        }
    }
    if !functions.is_empty() {
        chat.insert("tools".into(), functions.into());
    }
    Ok(())
}

fn file_search(fields: &Object<'_>) -> Result<Value, ApiError> {
    let stores = fields.require("vector_store_ids")?;
    let mut retrieval = json!({"collections": stores.value()});
    if let Some(most) = fields.get("max_num_results") {
        retrieval["top_k"] = most.integer(1..=50)?.into();
    }
    if let Some(filters) = fields.get("filters") {
        retrieval["filters"] = filters.value().clone();
    }
    Ok(retrieval)
}

/// `instructions` and `input`, as messages.
fn read_messages(body: &Object<'_>) -> Result<Vec<Value>, ApiError> {
    let mut messages = Vec::new();
    if let Some(instructions) = body.get("instructions") {
        messages.push(json!({"role": "system", "content": instructions.string()?}));
    }
    let input = body.require("input")?;
    if let Value::String(text) = input.value() {
        messages.push(json!({"role": "user", "content": text}));
        return Ok(messages);
    }
    let items = input
        .items()
        .map_err(|_| input.wrong_type("a string or an array of items"))?;
    for item in &items {
        messages.extend(message(item)?);
    }
    Ok(messages)
}

#[derive(Clone, Copy)]
enum Item {
    Message,
    Call,
    Output,
    Search,
}

/// The message that an item of the input is; the record of a search says nothing more.
fn message(place: &Place<'_>) -> Result<Option<Value>, ApiError> {
    let fields = place.object()?;
    let kind = fields.optional("type", |kind| {
        kind.choice(&[
            ("message", Item::Message),
            ("function_call", Item::Call),
            ("function_call_output", Item::Output),
            ("file_search_call", Item::Search),
            ("reasoning", Item::Search),
        ])
    })?;
    let text = |name| Ok::<_, ApiError>(fields.require(name)?.string()?.to_owned());
    Ok(match kind.unwrap_or(Item::Message) {
        Item::Search => None,
        Item::Message => {
            let role = text("role")?;
            let content = content(&fields.require("content")?)?;
            Some(json!({"role": role, "content": content}))
        }
        Item::Call => Some(
            json!({"role": "assistant", "content": null, "tool_calls": [{
                "id": text("call_id")?,
                "type": "function",
                "function": {"name": text("name")?, "arguments": text("arguments")?},
            }]}),
        ),
        Item::Output => Some(json!({
            "role": "tool",
            "tool_call_id": text("call_id")?,
            "content": text("output")?,
        })),
    })
}

/// A text, or parts of text, which become one with a line for each.
fn content(place: &Place<'_>) -> Result<String, ApiError> {
    if let Value::String(text) = place.value() {
        return Ok(text.clone());
    }
    let part = |part: &Place<'_>| {
        let fields = part.object()?;
        let kinds = [
            ("input_text", "text"),
            ("output_text", "text"),
            ("refusal", "refusal"),
        ];
        let field = fields.require("type")?.choice(&kinds)?;
        Ok(fields.require(field)?.string()?.to_owned())
    };
    let parts = place
        .items()
        .map_err(|_| place.wrong_type("a string or an array of text parts"))?;
    let parts = parts
        .iter()
        .map(part)
        .collect::<Result<Vec<_>, ApiError>>()?;
    Ok(parts.join("\n"))
}

fn read_include(body: &Object<'_>) -> Result<bool, ApiError> {
    let included = body.get("include").map(|place| place.items()).transpose()?;
    let mut results = false;
    for place in included.unwrap_or_default() {
        results |= place.choice(&[(RESULTS, true)]).map_err(|_| {
            let why = format!("must be \"{RESULTS}\"");
            place.refuse(ErrorKind::UnsupportedParameter, why)
        })?;
    }
    Ok(results)
}

fn echo(body: &Object<'_>) -> Map<String, Value> {
    let or = |name: &str, default: Value| body.get(name).map_or(default, |p| p.value().clone());
    let fields = [
        ("instructions", Value::Null),
        ("max_output_tokens", Value::Null),
        ("previous_response_id", Value::Null),
        ("metadata", json!({})),
        ("parallel_tool_calls", json!(true)),
        ("temperature", json!(0.0)),
        ("top_p", json!(1.0)),
        ("text", json!({"format": {"type": "text"}})),
        ("tools", json!([])),
        ("tool_choice", json!("auto")),
        ("truncation", json!("disabled")),
        ("store", json!(true)),
        ("user", Value::Null),
    ];
    let echoed = fields.map(|(name, default)| (name.to_owned(), or(name, default)));
    let mut echoed: Map<String, Value> = echoed.into_iter().collect();
    echoed.insert("reasoning".into(), json!({"effort": null, "summary": null}));
    echoed
}
