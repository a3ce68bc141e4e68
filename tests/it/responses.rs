//! `POST /v1/responses`: items, events, annotations with exact spans, and going on.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::harness::{TestServer, says};

const SEOUL: &str = "# 도시 🏙️\n\n🙂 서울은 대한민국의 수도이다. 부산은 항구 도시이다.\n";
const QUESTION: &str = "대한민국의 수도는 어디인가?";
const ANSWER: &str = "🙂 네. 서울은 대한민국의 수도이다.";

async fn serving_seoul() -> TestServer {
    let server = TestServer::start(says(ANSWER)).await;
    server.add("seoul.md", SEOUL).await;
    server
}

fn asking(more: Value) -> Value {
    let mut body = json!({"model": "default", "input": QUESTION, "answer": "model"});
    for (key, value) in more.as_object().into_iter().flatten() {
        body[key] = value.clone();
    }
    body
}

fn characters(text: &str, from: &Value, to: &Value) -> String {
    let at = |value: &Value| value.as_u64().expect("an offset") as usize;
    text.chars().take(at(to)).skip(at(from)).collect()
}

/// The named events of a stream.
fn events(stream: &str) -> Vec<Value> {
    let mut events = Vec::new();
    let mut name = None;
    for line in stream.lines() {
        if let Some(event) = line.strip_prefix("event: ") {
            name = Some(event.to_owned());
        } else if let Some(data) = line.strip_prefix("data: ") {
            let event: Value = serde_json::from_str(data).expect("JSON");
            assert_eq!(name.take().as_deref(), event["type"].as_str());
            assert_eq!(event["sequence_number"], events.len(), "{event}");
            events.push(event);
        }
    }
    events
}

#[tokio::test]
async fn a_response_has_items_and_exact_annotations() {
    let server = serving_seoul().await;
    let search = json!([{"type": "file_search", "vector_store_ids": ["default"]}]);
    let body = asking(json!({"tools": search, "include": ["file_search_call.results"]}));
    let (status, response) = server.post_json("/v1/responses", &body).await;
    assert_eq!(status, StatusCode::OK, "{response}");
    assert_eq!(
        (&response["object"], &response["status"]),
        (&json!("response"), &json!("completed"))
    );
    let [call, message] = &response["output"].as_array().expect("items")[..] else {
        panic!("{response}");
    };
    assert_eq!(call["type"], "file_search_call");
    assert_eq!(call["queries"], json!([QUESTION]));
    assert_eq!(call["results"][0]["filename"], "seoul.md");
    let part = &message["content"][0];
    let text = part["text"].as_str().expect("a text");
    let annotation = &part["annotations"][0];
    assert_eq!(annotation["type"], "file_citation");
    let sentence = characters(text, &annotation["start_index"], &annotation["end_index"]);
    assert!(
        sentence.ends_with("서울은 대한민국의 수도이다."),
        "{sentence}"
    );
    let source = &annotation["source"];
    let file = annotation["file_id"].as_str().expect("a file");
    let document = server.response(&format!("/v1/files/{file}/text")).await;
    let document = document.text().await.expect("a text");
    assert_eq!(
        characters(&document, &source["start"], &source["end"]),
        annotation["quote"]
    );
    assert!(response["usage"]["output_tokens"].as_u64() > Some(0));
    assert_eq!(response["answered_by"], "model");

    let id = response["id"].as_str().expect("an id");
    assert!(id.starts_with("resp_"));
    assert_eq!(server.get(&format!("/v1/answers/{id}")).await["id"], id);
}

#[tokio::test]
async fn a_stream_tells_the_same_in_openais_order() {
    let server = serving_seoul().await;
    let (_, whole) = server.post_json("/v1/responses", &asking(json!({}))).await;
    let response = server
        .post("/v1/responses", &asking(json!({"stream": true})))
        .await;
    let events = events(&response.text().await.expect("a stream"));
    let kinds = events.iter().filter_map(|event| event["type"].as_str());
    let mut kinds = kinds.collect::<Vec<_>>();
    kinds.dedup();
    let expected = [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.file_search_call.in_progress",
        "response.file_search_call.searching",
        "response.file_search_call.completed",
        "response.output_item.done",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.annotation.added",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ];
    assert_eq!(kinds, expected);
    let deltas = events
        .iter()
        .filter(|event| event["type"] == "response.output_text.delta");
    let text = deltas
        .filter_map(|event| event["delta"].as_str())
        .collect::<String>();
    assert_eq!(
        text,
        whole["output"][1]["content"][0]["text"]
            .as_str()
            .expect("a text")
    );
    let last = &events.last().expect("events")["response"];
    for same in ["support", "citations", "answered_by", "usage"] {
        assert_eq!(last[same], whole[same], "{same}");
    }
}

#[tokio::test]
async fn a_response_goes_on_from_another() {
    let echo = server::engine::ScriptedEngine::new(|request| {
        let said = request
            .prompt
            .messages
            .iter()
            .map(|message| message.content.as_str());
        Ok(said.collect::<Vec<_>>().join("|"))
    });
    let server = TestServer::start(std::sync::Arc::new(echo)).await;
    let first = json!({"model": "default", "instructions": "Be brief.", "input": [
        {"role": "user", "content": [{"type": "input_text", "text": "One"}]},
    ]});
    let (_, first) = server.post_json("/v1/responses", &first).await;
    let text = |response: &Value| response["output"][0]["content"][0]["text"].clone();
    assert_eq!(text(&first), "Be brief.|One");
    let second = json!({"model": "default", "input": "Two", "previous_response_id": first["id"]});
    let (_, second) = server.post_json("/v1/responses", &second).await;
    assert_eq!(text(&second), "One|Be brief.|One|Two");

    let unkept = json!({"model": "default", "input": "Three", "store": false});
    let (_, unkept) = server.post_json("/v1/responses", &unkept).await;
    let lost = json!({"model": "default", "input": "Four", "previous_response_id": unkept["id"]});
    let (status, error) = server.post_json("/v1/responses", &lost).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(error["error"]["param"], "previous_response_id");
}

#[tokio::test]
async fn refusals_name_the_fields_of_a_response() {
    let server = serving_seoul().await;
    for (more, param) in [
        (json!({"input": []}), "input"),
        (json!({"input": [{"type": "image"}]}), "input[0].type"),
        (json!({"input": 3}), "input"),
        (json!({"max_output_tokens": 0}), "max_output_tokens"),
        (json!({"text": {"format": {"type": "xml"}}}), "text.format"),
        (json!({"tools": [{"type": "web_search"}]}), "tools[0].type"),
        (json!({"truncation": "auto"}), "truncation"),
        (json!({"background": true}), "background"),
        (json!({"include": ["everything"]}), "include[0]"),
        (
            json!({"tools": [{"type": "file_search", "vector_store_ids": ["nowhere"]}]}),
            "tools",
        ),
    ] {
        let (status, error) = server
            .post_json("/v1/responses", &asking(more.clone()))
            .await;
        assert!(status.is_client_error(), "{more}: {error}");
        assert_eq!(error["error"]["param"], param, "{more}: {error}");
    }
}
