//! Calls of tools, taken out of what a model writes.

use engine::{Engine, EngineError, Event, FinishReason, Request, ToolChoice};
use engine_candle::{CandleEngine, Settings};
use serde_json::json;

use crate::asking::question;
use crate::models::bundled;
use crate::recital::{self, Ending};

/// A template that tells of tools, in the manner of Qwen.
const TEMPLATE: &str =
    "{{ messages[0].content }}{% if tools %}{{ tools | tojson }} <tool_call>{% endif %}<s>";

fn reciting(pieces: &[&[u8]]) -> CandleEngine {
    recital::engine_with(TEMPLATE, pieces, Ending::EndOfTurn, Settings::default())
}

fn with_tools(choice: ToolChoice) -> Request {
    let mut request = question("What is the weather like?");
    let function = json!({"name": "weather", "parameters": {}});
    request.prompt.tools = vec![json!({"type": "function", "function": function})];
    request.tool_choice = choice;
    request.logprobs = Some(0);
    request
}

/// The text, the calls, the bytes whose probabilities were told, and how it ended.
fn told(engine: &CandleEngine, request: Request) -> (String, Vec<String>, String, FinishReason) {
    let mut stream = engine.generate(request).expect("taken");
    let (mut text, mut calls, mut bytes) = (String::new(), Vec::new(), Vec::new());
    while let Some(event) = stream.next_blocking() {
        match event.expect("good") {
            Event::Token(token) => {
                text.push_str(&token.text);
                let called = token.tool_calls.iter();
                calls.extend(called.map(|call| format!("{} {}", call.name, call.arguments)));
                bytes.extend(token.logprobs.into_iter().flat_map(|one| one.chosen.bytes));
            }
            Event::Done { finish_reason, .. } => {
                let bytes = String::from_utf8(bytes).expect("text");
                return (text, calls, bytes, finish_reason);
            }
        }
    }
    panic!("the stream ended without saying so")
}

#[test]
fn calls_are_told_apart_from_text() {
    let pieces: [&[u8]; 5] = [
        b"I look. ",
        b"<tool_c",
        b"all>{\"name\": \"weather\", ",
        b"\"arguments\": {\"city\": \"Seoul\"}}",
        b"</tool_call>",
    ];
    let engine = reciting(&pieces);
    let (text, calls, bytes, finish_reason) = told(&engine, with_tools(ToolChoice::Auto));
    assert_eq!(text, "I look. ");
    assert_eq!(calls, [r#"weather {"city":"Seoul"}"#]);
    assert_eq!(bytes, "I look. ", "probabilities are told of text only");
    assert_eq!(finish_reason, FinishReason::ToolCalls);

    let plain = Request {
        logprobs: Some(0),
        ..question("What is the weather like?")
    };
    let (text, calls, ..) = told(&engine, plain);
    assert!(
        text.contains("<tool_call>{"),
        "without tools it is text: {text}"
    );
    assert_eq!(calls, [] as [String; 0]);
}

#[test]
fn what_cannot_be_understood_is_text() {
    let pieces: [&[u8]; 3] = [b"<tool_call>", b"{\"name\": ", b"</tool_call>"];
    let (text, calls, bytes, finish_reason) =
        told(&reciting(&pieces), with_tools(ToolChoice::Auto));
    assert_eq!(text, "<tool_call>{\"name\": </tool_call>");
    assert_eq!((calls.len(), bytes.as_str()), (0, text.as_str()));
    assert_eq!(finish_reason, FinishReason::Stop);
}

/// What the model is made to begin with ends in a blank, and the recital goes on from there.
#[test]
fn a_tool_that_was_chosen_is_called() {
    let engine = reciting(&[b" ", b"{\"city\": \"Busan\"}}", b"</tool_call>"]);
    let named = with_tools(ToolChoice::Named("weather".into()));
    let (text, calls, bytes, finish_reason) = told(&engine, named);
    assert_eq!((text.as_str(), bytes.as_str()), ("", ""));
    assert_eq!(calls, [r#"weather {"city":"Busan"}"#]);
    assert_eq!(finish_reason, FinishReason::ToolCalls);
}

#[test]
fn a_model_without_a_format_takes_no_tools() {
    let engine = bundled(Settings::default());
    assert!(!engine.model().reads_tools);
    match engine.generate(with_tools(ToolChoice::Auto)) {
        Err(EngineError::InvalidRequest { param, .. }) => assert_eq!(param, "tools"),
        other => panic!("{:?}", other.err()),
    }
}
