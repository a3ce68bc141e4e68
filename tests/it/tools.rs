//! `tools`: calls of the model's, whole and streamed, and their results coming back.

use std::sync::{Arc, Mutex};

use reqwest::StatusCode;
use serde_json::{Value, json};
use server::engine::{Engine, Request, Role, ScriptedEngine, ToolCall};

use crate::harness::{TestServer, bundled_model, chat};

fn tools() -> Value {
    let parameters = json!({"type": "object", "properties": {"city": {"type": "string"}}});
    let function = json!({"name": "weather", "description": "Says it.", "parameters": parameters});
    json!([{"type": "function", "function": function}])
}

/// Calls a tool until one has answered; keeps what it was asked.
fn caller() -> (Arc<dyn Engine>, Arc<Mutex<Vec<Request>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let keep = asked.clone();
    let is_answered = |request: &Request| {
        let last = request.prompt.messages.last();
        last.is_some_and(|message| message.role == Role::Tool)
    };
    let says = move |request: &Request| {
        keep.lock()
            .expect("no test panics here")
            .push(request.clone());
        Ok(if is_answered(request) {
            "It rains in Seoul."
        } else {
            ""
        }
        .to_owned())
    };
    let calls = move |request: &Request| match is_answered(request) {
        true => Vec::new(),
        false => ["서울", "Busan"]
            .map(|city| ToolCall {
                id: None,
                name: "weather".into(),
                arguments: json!({"city": city}),
            })
            .into(),
    };
    (Arc::new(ScriptedEngine::new(says).with_calls(calls)), asked)
}

#[tokio::test]
async fn a_call_goes_out_and_its_result_comes_back() {
    let (engine, asked) = caller();
    let server = TestServer::start(engine).await;
    let question = "What is the weather like?";
    let answer = server.ask(question, json!({"tools": tools()})).await;
    let choice = &answer["choices"][0];
    assert_eq!(choice["finish_reason"], "tool_calls");
    let message = &choice["message"];
    assert_eq!(message["content"], Value::Null);
    assert_eq!(answer["citations"], json!([]));
    let call = &message["tool_calls"][0];
    assert_eq!(call["type"], "function");
    assert_eq!(
        call["function"],
        json!({"name": "weather", "arguments": r#"{"city":"서울"}"#})
    );
    assert_ne!(call["id"], message["tool_calls"][1]["id"]);

    let result =
        |call: &Value| json!({"role": "tool", "tool_call_id": call["id"], "content": "rain"});
    let messages = json!([
        {"role": "user", "content": question}, message,
        result(&message["tool_calls"][0]), result(&message["tool_calls"][1]),
    ]);
    let answer = server
        .ask(question, json!({"tools": tools(), "messages": messages}))
        .await;
    assert_eq!(
        answer["choices"][0]["message"]["content"],
        "It rains in Seoul."
    );
    assert!(answer["choices"][0]["message"].get("tool_calls").is_none());
    let asked = asked.lock().expect("no test panics here");
    let prompt = &asked[1].prompt;
    assert_eq!(prompt.tools.len(), 1);
    let read = prompt
        .messages
        .iter()
        .map(|m| (m.role, m.tool_calls.len(), m.name.as_deref()));
    let expected = [
        (Role::User, 0, None),
        (Role::Assistant, 2, None),
        (Role::Tool, 0, Some("weather")),
        (Role::Tool, 0, Some("weather")),
    ];
    assert_eq!(read.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn calls_are_streamed_whole() {
    let (engine, _) = caller();
    let server = TestServer::start(engine).await;
    let (chunks, done) = server
        .ask_streamed("How is it?", json!({"tools": tools(), "n": 2}))
        .await;
    assert!(done);
    for choice in [0, 1] {
        let mut own = chunks
            .iter()
            .filter(|chunk| chunk["choices"][0]["index"] == choice);
        let calls: Vec<&Value> = own
            .clone()
            .filter_map(|chunk| chunk["choices"][0]["delta"]["tool_calls"].as_array())
            .flatten()
            .collect();
        assert_eq!(
            calls.iter().map(|call| &call["index"]).collect::<Vec<_>>(),
            [0, 1]
        );
        assert_eq!(calls[1]["function"]["arguments"], r#"{"city":"Busan"}"#);
        let last = own.next_back().expect("a last chunk");
        assert_eq!(last["choices"][0]["finish_reason"], "tool_calls");
    }
}

/// What the documents do not say, a tool may.
#[tokio::test]
async fn documents_and_tools_are_there_together() {
    let (engine, asked) = caller();
    let server = TestServer::start(engine).await;
    server
        .add(
            "sky.md",
            "# The sky\n\nThe sky is blue because air scatters light.\n",
        )
        .await;
    let tools = json!({"tools": tools()});
    let answer = server.ask("Why is the sky blue?", tools.clone()).await;
    assert_eq!(answer["evidence"]["answered"], true);
    let unanswered = server.ask("Who won the football match?", tools).await;
    assert_eq!(unanswered["answered_by"], "model");
    assert_eq!(unanswered["evidence"]["answered"], false);
    assert_eq!(unanswered["choices"][0]["finish_reason"], "tool_calls");
    let asked = asked.lock().expect("no test panics here");
    let documents = asked.iter().map(|request| request.prompt.documents.len());
    assert_eq!(documents.collect::<Vec<_>>(), [1, 0]);
}

#[tokio::test]
async fn what_cannot_be_called_is_refused() {
    let server = TestServer::start(bundled_model()).await;
    let body = chat("How is it?", json!({"tools": tools()}));
    let (status, error) = server.post_json("/v1/chat/completions", &body).await;
    assert_eq!(
        (status, &error["error"]["param"]),
        (StatusCode::BAD_REQUEST, &json!("tools"))
    );
    let message = error["error"]["message"].as_str().expect("a message");
    assert!(message.contains("chat template"), "{message}");
    let none = json!({"tools": tools(), "tool_choice": "none", "retrieval": null, "max_tokens": 4});
    server.ask("How is it?", none).await;
}
