//! `response_format`: answers that must be JSON.

use std::sync::Arc;

use reqwest::StatusCode;
use serde_json::{Value, json};
use server::engine::{OutputFormat, Request, ScriptedEngine};

use crate::harness::{TestServer, bundled_model, chat, must_not_be_asked};

const SKY: &str = "# The sky\n\nThe sky is blue because air scatters short waves most.\n";
const QUESTION: &str = "Why is the sky blue?";

fn json_object() -> Value {
    json!({"response_format": {"type": "json_object"}})
}

/// Answers in JSON where that is asked for, and only there.
fn obedient() -> Arc<ScriptedEngine> {
    Arc::new(ScriptedEngine::new(|request: &Request| {
        assert_eq!(request.format, OutputFormat::JsonObject);
        Ok(
            "{\"says\": \"Well \\ud83c\\udf75. The sky is blue because air scatters short waves \
            most.\", \"list\": [1]}"
                .to_owned(),
        )
    }))
}

#[tokio::test]
async fn citations_stay_out_of_the_json() {
    let server = TestServer::start(obedient()).await;
    server.add("sky.md", SKY).await;
    let answer = server.ask(QUESTION, json_object()).await;
    let content = answer["choices"][0]["message"]["content"]
        .as_str()
        .expect("a text");
    let value: Value = serde_json::from_str(content).expect("the content is JSON");
    assert_eq!(
        value["list"],
        json!([1]),
        "what looks like a marker is left alone"
    );
    let citation = &answer["citations"][0];
    let at = |end: &str| citation["sentence"][end].as_u64().expect("an offset") as usize;
    let sentence: String = content.chars().take(at("end")).skip(at("start")).collect();
    assert_eq!(
        sentence,
        "The sky is blue because air scatters short waves most."
    );
    assert_eq!(answer["answered_by"], "model");
    let (chunks, done) = server.ask_streamed(QUESTION, json_object()).await;
    let streamed: String = chunks
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str())
        .collect();
    assert!(done);
    assert_eq!(streamed, content);
    let cited = chunks.iter().find(|chunk| chunk["citations"].is_array());
    assert_eq!(cited.expect("a citation")["citations"], answer["citations"]);
}

#[tokio::test]
async fn a_refusal_is_not_passed_off_as_json() {
    let server = TestServer::start(must_not_be_asked()).await;
    server.add("sky.md", SKY).await;
    let answer = server
        .ask("Who won the football match?", json_object())
        .await;
    let message = &answer["choices"][0]["message"];
    assert_eq!(message["content"], Value::Null);
    let refusal = message["refusal"].as_str().expect("a refusal");
    assert!(
        refusal.starts_with("The documents do not answer"),
        "{answer}"
    );
    let (chunks, _) = server
        .ask_streamed("Who won the football match?", json_object())
        .await;
    let delta = |name: &str| {
        let texts = chunks
            .iter()
            .map(|chunk| &chunk["choices"][0]["delta"][name]);
        texts.filter_map(Value::as_str).collect::<String>()
    };
    assert_eq!(
        (delta("content").as_str(), delta("refusal").as_str()),
        ("", refusal)
    );
}

#[tokio::test]
async fn what_cannot_be_together_is_refused() {
    let server = TestServer::start(bundled_model()).await;
    server.add("sky.md", SKY).await;
    let schema = json!({"type": "object", "properties": {"a": {"type": "animal"}}});
    let schema = json!({"type": "json_schema", "json_schema": {"name": "a", "schema": schema}});
    for (fields, param) in [
        (json!({"citations": "inline"}), "citations"),
        (json!({"answer": "quotes"}), "answer"),
        (json!({"response_format": schema}), "response_format"),
    ] {
        let mut body = chat(QUESTION, json_object());
        for (name, value) in fields.as_object().expect("fields") {
            body[name] = value.clone();
        }
        let (status, error) = server.post_json("/v1/chat/completions", &body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{error}");
        assert_eq!(error["error"]["param"], param, "{error}");
    }
}

#[tokio::test]
async fn the_built_in_model_keeps_to_a_schema() {
    let server = TestServer::start(bundled_model()).await;
    server.add("sky.md", SKY).await;
    let schema = json!({
        "type": "object",
        "properties": {"answer": {"type": "string", "maxLength": 20}, "sure": {"type": "boolean"}},
        "required": ["answer", "sure"],
        "additionalProperties": false,
    });
    let format = json!({"type": "json_schema", "json_schema": {"name": "answer", "strict": true, "schema": schema}});
    let answer = server
        .ask(
            QUESTION,
            json!({"response_format": format, "max_tokens": 200}),
        )
        .await;
    let content = answer["choices"][0]["message"]["content"]
        .as_str()
        .expect("a text");
    let value: Value = serde_json::from_str(content).unwrap_or_else(|e| panic!("{e} in {content}"));
    assert!(
        value["answer"].is_string() && value["sure"].is_boolean(),
        "{content}"
    );
}
