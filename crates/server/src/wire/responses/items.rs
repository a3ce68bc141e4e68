//! The items of a response, and what annotates them.

use rag::{Citation, SearchResult};
use serde_json::{Value, json};

/// The search that was made, with its results if they are wanted.
pub(super) fn file_search_call(
    id: &str,
    status: &str,
    query: &str,
    results: Option<&[SearchResult]>,
) -> Value {
    let result = |result: &SearchResult| {
        json!({
            "file_id": result.file_id,
            "filename": result.filename,
            "score": result.score,
            "text": result.text,
            "attributes": {},
        })
    };
    json!({
        "type": "file_search_call",
        "id": id,
        "status": status,
        "queries": [query],
        "results": results.map(|results| results.iter().map(result).collect::<Vec<_>>()),
    })
}

/// The message, with all of its text.
pub(super) fn message(id: &str, status: &str, content: Vec<Value>) -> Value {
    json!({
        "type": "message",
        "id": id,
        "role": "assistant",
        "status": status,
        "content": content,
    })
}

/// The text of a message.
pub(super) fn output_text(text: &str, annotations: &[Value]) -> Value {
    json!({"type": "output_text", "text": text, "annotations": annotations, "logprobs": []})
}

/// A refusal where the text would have to be JSON.
pub(super) fn refusal(text: &str) -> Value {
    json!({"type": "refusal", "refusal": text})
}

/// A call of a function, whole.
pub(super) fn function_call(id: &str, status: &str, call: &engine::ToolCall) -> Value {
    let arguments = match &call.arguments {
        Value::String(text) => text.clone(),
        arguments => arguments.to_string(),
    };
    json!({
        "type": "function_call",
        "id": id,
        "call_id": call.id.clone().unwrap_or_else(|| id.replacen("fc_", "call_", 1)),
        "name": call.name,
        "arguments": arguments,
        "status": status,
    })
}

/// A footnote. `index` is where it stands in the text, as OpenAI's own replies have it; the
/// fields behind it are ours: the sentence, and the exact span and words of the source.
pub(super) fn annotation(citation: &Citation) -> Value {
    let Citation {
        file_id,
        start,
        end,
        ..
    } = citation;
    json!({
        "type": "file_citation",
        "file_id": file_id,
        "filename": citation.filename,
        "index": citation.sentence.end,
        "start_index": citation.sentence.start,
        "end_index": citation.sentence.end,
        "quote": citation.quote,
        "source": {
            "start": start,
            "end": end,
            "page": citation.page,
            "chunk_id": format!("{file_id}:{start}-{end}"),
        },
    })
}
