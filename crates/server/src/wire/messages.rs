//! The conversation of a chat request.

use engine::{Message, Role};

use super::place::{Object, Place};
use super::tools::read_tool_calls;
use crate::app::Limits;
use crate::error::{ApiError, ErrorKind};

/// The roles a message may have. `developer` is what OpenAI now calls `system`.
const ROLES: &[(&str, Role)] = &[
    ("system", Role::System),
    ("developer", Role::System),
    ("user", Role::User),
    ("assistant", Role::Assistant),
    ("tool", Role::Tool),
];

/// Reads `messages`: at least one, of which the last is the user's question, or what a tool said
/// to it.
pub(crate) fn read_messages(body: &Object<'_>, limits: &Limits) -> Result<Vec<Message>, ApiError> {
    let place = body.require("messages")?;
    let items = place.items()?;
    let Some(last) = items.last() else {
        return Err(place.refuse(ErrorKind::InvalidValue, "must hold at least one message"));
    };
    if items.len() > limits.messages {
        let why = format!("may hold at most {} messages", limits.messages);
        return Err(place.refuse(ErrorKind::InvalidValue, why));
    }
    let mut messages = Vec::new();
    for item in &items {
        let message = read_message(item, &messages)?;
        messages.push(message);
    }
    check_question(last, &messages)?;
    Ok(messages)
}

/// Reads a message that stands behind those `before`.
fn read_message(place: &Place<'_>, before: &[Message]) -> Result<Message, ApiError> {
    let fields = place.object()?;
    let role = fields.require("role")?.choice(ROLES)?;
    let tool_calls = match role {
        Role::Assistant => fields.optional("tool_calls", read_tool_calls)?,
        _ => None,
    };
    let mut message = Message {
        tool_calls: tool_calls.unwrap_or_default(),
        ..Message::new(role, "")
    };
    let may_be_silent = !message.tool_calls.is_empty();
    message.content = match fields.get("content") {
        None if may_be_silent => String::new(),
        _ => read_content(&fields.require("content")?)?,
    };
    if role == Role::Tool {
        let place = fields.require("tool_call_id")?;
        let id = place.string()?;
        let mut calls = before.iter().flat_map(|message| &message.tool_calls);
        let Some(call) = calls.find(|call| call.id.as_deref() == Some(id)) else {
            let why = "is none of the calls in the messages before";
            return Err(place.refuse(ErrorKind::InvalidValue, why));
        };
        message.name = Some(call.name.clone());
        message.tool_call_id = Some(id.to_owned());
    }
    Ok(message)
}

/// A string, or an array of text parts, which become one text with a line for each part.
fn read_content(place: &Place<'_>) -> Result<String, ApiError> {
    if let Some(text) = place.value().as_str() {
        return Ok(text.to_owned());
    }
    let parts = place
        .items()
        .map_err(|_| place.wrong_type("a string or an array of text parts"))?;
    let texts: Vec<_> = parts.iter().map(read_part).collect::<Result<_, _>>()?;
    Ok(texts.join("\n"))
}

fn read_part<'a>(place: &Place<'a>) -> Result<&'a str, ApiError> {
    let fields = place.object()?;
    fields.require("type")?.choice(&[("text", ())])?;
    fields.require("text")?.string()
}

fn check_question(last: &Place<'_>, messages: &[Message]) -> Result<(), ApiError> {
    let question = messages.last().expect("there is at least one message");
    let fields = last.object()?;
    if question.role == Role::Tool {
        return Ok(());
    }
    if question.role != Role::User {
        let why = "must be \"user\" in the last message, which is the question, or \"tool\"";
        return Err(fields.require("role")?.refuse(ErrorKind::InvalidValue, why));
    }
    if question.content.trim().is_empty() {
        let why = "must not be empty in the last message, which is the question";
        return Err(fields
            .require("content")?
            .refuse(ErrorKind::InvalidValue, why));
    }
    Ok(())
}
