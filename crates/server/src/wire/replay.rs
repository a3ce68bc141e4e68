//! An answer given again, compared with the first time.

use library::KeptAnswer;
use serde::Serialize;
use serde_json::{Map, Value};

use super::completion::{Ending, Grounds};
use super::receipt::receipt;
use crate::answering::{Receipts, Record};
use crate::error::{ApiError, ErrorKind};

/// What became of an answer when it was asked for again.
#[derive(Serialize)]
pub(crate) struct Replay {
    object: &'static str,
    id: String,
    /// Every text is the same, byte for byte.
    identical: bool,
    /// What is not as it was: causes first.
    changed: Vec<Change>,
    choices: Vec<ReplayedChoice>,
}

/// Something that is not as it was.
#[derive(Serialize)]
struct Change {
    /// Where it stands in the receipt.
    what: String,
    was: Value,
    is: Value,
}

#[derive(Serialize)]
struct ReplayedChoice {
    text: String,
    identical: bool,
    /// The first code point that differs; null when none does.
    differs_at: Option<usize>,
}

/// What in a receipt decides an answer, in the order in which one thing causes the next.
const CAUSES: [&str; 8] = [
    "program",
    "model",
    "sampling",
    "collections",
    "passages",
    "prompt_sha256",
    "answered_by",
    "choices",
];

/// The request that led to the answer.
///
/// # Errors
///
/// When it was forgotten with a document that the answer rested on.
pub(crate) fn request_of(kept: &KeptAnswer) -> Result<Map<String, Value>, ApiError> {
    let content = kept.content.as_deref().ok_or_else(|| {
        let files = kept.stale.join(", ");
        let message = format!(
            "the answer '{}' cannot be given again: it rested on files that were deleted ({files}), \
             and what was asked and answered was forgotten with them",
            kept.id
        );
        ApiError::new(ErrorKind::AnswerForgotten, message)
    })?;
    match serde_json::from_str::<Value>(content) {
        Ok(Value::Object(mut content)) => match content.remove("request") {
            Some(Value::Object(request)) => Ok(request),
            _ => Err(ApiError::internal("a kept answer has no request")),
        },
        _ => Err(ApiError::internal("a kept answer is not JSON")),
    }
}

impl Replay {
    /// Compares what was `kept` with the `record` of asking again. May block.
    pub(crate) fn new(
        kept: &KeptAnswer,
        record: &Record,
        receipts: &Receipts,
        grounds: &Grounds,
        ending: &Ending,
    ) -> Self {
        let was = serde_json::from_str(&kept.receipt).unwrap_or(Value::Null);
        // Numbers are compared as they are written.
        let is = receipt(record, receipts, grounds, ending, None).to_string();
        let is = serde_json::from_str(&is).unwrap_or(Value::Null);
        let changed = CAUSES.iter().filter_map(|cause| change(cause, &was, &is));
        let choices = replayed(kept, record);
        Self {
            object: "answer.replay",
            id: kept.id.clone(),
            identical: choices.iter().all(|choice| choice.identical),
            changed: changed.collect(),
            choices,
        }
    }
}

fn change(what: &str, was: &Value, is: &Value) -> Option<Change> {
    let (was, is) = (&was[what], &is[what]);
    // Any change of a collection moves its generation; what counts is what was found.
    (was != is).then(|| Change {
        what: what.to_owned(),
        was: was.clone(),
        is: is.clone(),
    })
}

fn replayed(kept: &KeptAnswer, record: &Record) -> Vec<ReplayedChoice> {
    let content = kept.content.as_deref().unwrap_or("null");
    let content: Value = serde_json::from_str(content).unwrap_or(Value::Null);
    let compare = |(at, content_now): (usize, &super::completion::Content)| {
        let was = content["choices"][at]["text"].as_str().unwrap_or("");
        let differs_at = first_difference(was, &content_now.text);
        ReplayedChoice {
            text: content_now.text.clone(),
            identical: differs_at.is_none(),
            differs_at,
        }
    };
    record.contents().iter().enumerate().map(compare).collect()
}

fn first_difference(was: &str, is: &str) -> Option<usize> {
    let (mut was, mut is) = (was.chars(), is.chars());
    let mut at = 0;
    loop {
        match (was.next(), is.next()) {
            (None, None) => return None,
            (one, other) if one != other => return Some(at),
            _ => at += 1,
        }
    }
}
