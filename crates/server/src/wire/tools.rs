//! The tools of a chat request, and the calls of them.

use std::collections::BTreeSet;

use engine::{ToolCall, ToolChoice};
use serde::Serialize;
use serde_json::{Value, json};

use super::id::tool_call_id;
use super::place::{Object, Place};
use crate::error::{ApiError, ErrorKind};

/// The most tools of one request, and the most characters of a name, as OpenAI has them.
const MAX_TOOLS: usize = 128;
const MAX_NAME: usize = 64;

/// What the model may call, and whether it must.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tools {
    /// Each as OpenAI writes it. Empty when no tool may be called.
    pub(crate) tools: Vec<Value>,
    pub(crate) choice: ToolChoice,
}

/// A call as it stands in a message.
#[derive(Clone, Serialize)]
pub(crate) struct ToolCallObject {
    /// Only in a stream: which of the message's calls this is.
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
    id: String,
    r#type: &'static str,
    function: FunctionObject,
}

#[derive(Clone, Serialize)]
struct FunctionObject {
    name: String,
    arguments: String,
}

impl Tools {
    /// Reads `tools` and `tool_choice`.
    pub(super) fn read(body: &Object<'_>) -> Result<Self, ApiError> {
        let tools = body.optional("tools", read_tools)?.unwrap_or_default();
        let Some(place) = body.get("tool_choice") else {
            return Ok(Self {
                tools,
                choice: ToolChoice::Auto,
            });
        };
        match read_choice(&place, &tools)? {
            Some(choice) => Ok(Self { tools, choice }),
            None => Ok(Self::default()),
        }
    }
}

impl ToolCallObject {
    /// The object for a call that was made, in a whole message.
    pub(crate) fn new(call: &ToolCall) -> Self {
        Self::with_index(call, None)
    }

    /// The object for a call that was made, in a stream.
    pub(crate) fn streamed(call: &ToolCall, index: usize) -> Self {
        Self::with_index(call, Some(index))
    }

    fn with_index(call: &ToolCall, index: Option<usize>) -> Self {
        let arguments = match &call.arguments {
            Value::String(text) => text.clone(),
            arguments => arguments.to_string(),
        };
        Self {
            index,
            id: tool_call_id(),
            r#type: "function",
            function: FunctionObject {
                name: call.name.clone(),
                arguments,
            },
        }
    }
}

/// The calls of an earlier message of the model's.
pub(super) fn read_tool_calls(place: &Place<'_>) -> Result<Vec<ToolCall>, ApiError> {
    let read = |place: &Place<'_>| {
        let fields = place.object()?;
        fields.require("type")?.choice(&[("function", ())])?;
        let function = fields.require("function")?.object()?;
        let arguments = function.require("arguments")?.string()?;
        Ok(ToolCall {
            id: Some(fields.require("id")?.string()?.to_owned()),
            name: read_name(&function.require("name")?)?.to_owned(),
            // What is no JSON was written by a model, and goes back to it as it is.
            arguments: serde_json::from_str(arguments).unwrap_or_else(|_| arguments.into()),
        })
    };
    place.items()?.iter().map(read).collect()
}

fn read_tools(place: &Place<'_>) -> Result<Vec<Value>, ApiError> {
    let items = place.items()?;
    if items.len() > MAX_TOOLS {
        let why = format!("may hold at most {MAX_TOOLS} tools");
        return Err(place.refuse(ErrorKind::InvalidValue, why));
    }
    let mut names = BTreeSet::new();
    let mut tools = Vec::new();
    for item in &items {
        let fields = item.object()?;
        fields.require("type")?.choice(&[("function", ())])?;
        let function = fields.require("function")?.object()?;
        let place = function.require("name")?;
        let name = read_name(&place)?;
        if !names.insert(name) {
            return Err(place.refuse(ErrorKind::InvalidValue, "names two tools"));
        }
        tools.push(read_function(name, &function)?);
    }
    Ok(tools)
}

/// The tool as templates know it. `strict` is accepted, and changes nothing.
fn read_function(name: &str, function: &Object<'_>) -> Result<Value, ApiError> {
    function.optional("strict", Place::boolean)?;
    let description = function.optional("description", Place::string)?;
    let parameters = function.get("parameters");
    if let Some(parameters) = &parameters {
        parameters.object()?;
    }
    let parameters = parameters.map(|place| place.value().clone());
    Ok(json!({
        "type": "function",
        "function": {
            "name": name,
            "description": description.unwrap_or(""),
            "parameters": parameters.unwrap_or_else(|| json!({"type": "object", "properties": {}})),
        },
    }))
}

/// `None` when no tool may be called.
fn read_choice(place: &Place<'_>, tools: &[Value]) -> Result<Option<ToolChoice>, ApiError> {
    let must_call = match place.value().as_str() {
        Some(_) => place.choice(&[
            ("none", None),
            ("auto", Some(false)),
            ("required", Some(true)),
        ])?,
        None => Some(true),
    };
    match must_call {
        None => Ok(None),
        Some(false) => Ok(Some(ToolChoice::Auto)),
        Some(true) if tools.is_empty() => {
            Err(place.refuse(ErrorKind::InvalidValue, "needs \"tools\" beside it"))
        }
        Some(true) if place.value().is_string() => Ok(Some(ToolChoice::Required)),
        Some(true) => read_named(place, tools).map(Some),
    }
}

fn read_named(place: &Place<'_>, tools: &[Value]) -> Result<ToolChoice, ApiError> {
    let expected = "\"none\", \"auto\", \"required\", or an object that names a function";
    let fields = place.object().map_err(|_| place.wrong_type(expected))?;
    fields.require("type")?.choice(&[("function", ())])?;
    let name = fields.require("function")?.object()?.require("name")?;
    let known = tools
        .iter()
        .any(|tool| tool["function"]["name"] == *name.value());
    if !known {
        return Err(name.refuse(ErrorKind::InvalidValue, "is none of the \"tools\""));
    }
    Ok(ToolChoice::Named(name.string()?.to_owned()))
}

fn read_name<'a>(place: &Place<'a>) -> Result<&'a str, ApiError> {
    let name = place.string()?;
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if (1..=MAX_NAME).contains(&name.len()) && name.chars().all(is_allowed) {
        return Ok(name);
    }
    let why = format!("must be 1 to {MAX_NAME} letters, digits, underscores or hyphens");
    Err(place.refuse(ErrorKind::InvalidValue, why))
}
