//! `POST /v1/chat/completions`: what is answered, whole and in pieces.

use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use server::engine::{
    Engine, EngineError, Load, ModelInfo, Prompt, Request, ScriptedEngine, Sharing, Token,
    TokenScore, TokenStream,
};

use crate::harness::{TestServer, chat, events, must_not_be_asked, says};

const SKY: &str = "# The sky\n\nThe sky is blue because air scatters short waves most. \
    Sunsets are red because the light comes a long way.\n";
const SKY_QUESTION: &str = "Why is the sky blue?";
const SKY_ANSWER: &str = "The sky is blue because air scatters short waves most.";

/// Emoji are one code point and two UTF-16 units: a wrong unit shows.
const SEOUL: &str = "# 도시 🏙️\n\n🙂 서울은 대한민국의 수도이다. 부산은 항구 도시이다.\n";
const SEOUL_QUESTION: &str = "대한민국의 수도는 어디인가?";
const SEOUL_ANSWER: &str = "서울은 대한민국의 수도이다.";

/// The characters `start..end` of `text`, as the wire counts them.
fn characters(text: &str, span: &Value) -> String {
    let at = |name: &str| span[name].as_u64().expect("an offset") as usize;
    text.chars()
        .skip(at("start"))
        .take(at("end") - at("start"))
        .collect()
}

/// Every citation of `answer` names the characters that it quotes, and its sentence.
async fn check_citations(server: &TestServer, answer: &Value, sentence: &str) {
    let content = answer["choices"][0]["message"]["content"]
        .as_str()
        .expect("a content");
    let citations = answer["citations"].as_array().expect("citations");
    assert!(!citations.is_empty(), "{answer}");
    for citation in citations {
        let file = citation["file_id"].as_str().expect("a file");
        let text = server.response(&format!("/v1/files/{file}/text")).await;
        let text = text.text().await.expect("a text");
        assert_eq!(characters(&text, citation), citation["quote"], "{citation}");
        assert_eq!(
            characters(content, &citation["sentence"]),
            sentence,
            "{answer}"
        );
    }
}

#[tokio::test]
async fn an_answer_has_openais_fields_and_ours() {
    let server = TestServer::start(says(SKY_ANSWER)).await;
    let file = server.add("sky.md", SKY).await;
    let answer = server.ask(SKY_QUESTION, json!({"answer": "model"})).await;

    assert!(
        answer["id"]
            .as_str()
            .expect("an id")
            .starts_with("chatcmpl-")
    );
    assert_eq!(answer["object"], "chat.completion");
    assert_eq!(answer["model"], "scripted");
    let choice = &answer["choices"][0];
    assert_eq!(
        (&choice["index"], &choice["finish_reason"]),
        (&json!(0), &json!("stop"))
    );
    assert_eq!(choice["message"]["role"], "assistant");
    assert_eq!(choice["message"]["refusal"], Value::Null);
    assert_eq!(choice["message"]["content"], format!("{SKY_ANSWER} [1]"));
    let usage = &answer["usage"];
    let total = usage["prompt_tokens"]
        .as_u64()
        .zip(usage["completion_tokens"].as_u64());
    assert_eq!(
        usage["total_tokens"].as_u64(),
        total.map(|(prompt, completion)| prompt + completion)
    );
    assert_eq!(usage["prompt_tokens_details"]["cached_tokens"], 0);

    assert_eq!(answer["answered_by"], "model");
    assert_eq!(answer["evidence"]["answered"], true);
    assert_eq!(answer["search_results"][0]["file_id"], file);
    assert_eq!(answer["ledger"]["passages"][0]["n"], 1);
    check_citations(&server, &answer, SKY_ANSWER).await;
}

#[tokio::test]
async fn annotations_link_to_the_text() {
    let server = TestServer::start(says(SKY_ANSWER)).await;
    server.add("sky.md", SKY).await;
    let answer = server.ask(SKY_QUESTION, json!({"answer": "model"})).await;
    let annotation = &answer["choices"][0]["message"]["annotations"][0];
    assert_eq!(annotation["type"], "url_citation");
    let url = annotation["url_citation"]["url"]
        .as_str()
        .expect("an address");
    assert!(
        url.starts_with(&server.url) && url.contains("/text#char="),
        "{url}"
    );
    let linked = server
        .client()
        .get(url)
        .send()
        .await
        .expect("the server answers");
    assert_eq!(linked.status(), StatusCode::OK);
    let sentence = &answer["citations"][0]["sentence"];
    assert_eq!(annotation["url_citation"]["start_index"], sentence["start"]);
    assert_eq!(annotation["url_citation"]["end_index"], sentence["end"]);
}

#[tokio::test]
async fn offsets_are_code_points() {
    let server = TestServer::start(says(SEOUL_ANSWER)).await;
    server.add("도시.md", SEOUL).await;
    for answer in ["model", "quotes"] {
        let answer = server.ask(SEOUL_QUESTION, json!({"answer": answer})).await;
        let content = answer["choices"][0]["message"]["content"]
            .as_str()
            .expect("a content");
        let sentence = content.strip_suffix(" [1]").expect("a marker at the end");
        check_citations(&server, &answer, sentence).await;
    }
}

#[tokio::test]
async fn a_stream_comes_in_openais_order() {
    let server = TestServer::start(says(SKY_ANSWER)).await;
    server.add("sky.md", SKY).await;
    let (chunks, done) = server
        .ask_streamed(SKY_QUESTION, json!({"answer": "model"}))
        .await;
    assert!(done);
    let (first, last) = (&chunks[0], &chunks[chunks.len() - 1]);
    assert_eq!(
        first["choices"][0]["delta"],
        json!({"role": "assistant", "content": ""})
    );
    assert_eq!(first["answered_by"], "model");
    assert!(first["search_results"][0]["text"].is_string());
    assert_eq!(last["choices"][0]["delta"], json!({}));
    assert_eq!(last["choices"][0]["finish_reason"], "stop");
    assert!(last["ledger"]["context"].is_number());
    for chunk in &chunks {
        assert_eq!(chunk["object"], "chat.completion.chunk");
        assert_eq!(
            (&chunk["id"], &chunk["created"]),
            (&first["id"], &first["created"])
        );
        assert_eq!(chunk.get("usage"), None);
    }
    for chunk in &chunks[..chunks.len() - 1] {
        assert_eq!(chunk["choices"][0]["finish_reason"], Value::Null);
    }
}

#[tokio::test]
async fn a_stream_says_the_same_as_the_whole() {
    let server = TestServer::start(says(SKY_ANSWER)).await;
    server.add("sky.md", SKY).await;
    for more in [
        json!({"answer": "model"}),
        json!({"answer": "quotes"}),
        json!({"citations": "off"}),
    ] {
        let whole = server.ask(SKY_QUESTION, more.clone()).await;
        let (chunks, _) = server.ask_streamed(SKY_QUESTION, more).await;
        let content: String = chunks
            .iter()
            .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str())
            .collect();
        assert_eq!(whole["choices"][0]["message"]["content"], content);
        let citations: Vec<_> = chunks
            .iter()
            .filter_map(|chunk| chunk["citations"].as_array())
            .flatten()
            .cloned()
            .collect();
        assert_eq!(whole["citations"], json!(citations));
        assert_eq!(whole["search_results"], chunks[0]["search_results"]);
        assert_eq!(whole["evidence"], chunks[0]["evidence"]);
        assert_eq!(whole["ledger"], chunks[chunks.len() - 1]["ledger"]);
    }
}

#[tokio::test]
async fn usage_is_streamed_when_asked_for() {
    let server = TestServer::start(says("Hello.")).await;
    let more = json!({"stream_options": {"include_usage": true}});
    let (chunks, done) = server.ask_streamed("Hello?", more).await;
    assert!(done);
    let (last, others) = chunks.split_last().expect("chunks");
    assert_eq!(last["choices"], json!([]));
    assert!(
        last["usage"]["total_tokens"]
            .as_u64()
            .is_some_and(|tokens| tokens > 0)
    );
    assert!(
        others
            .iter()
            .all(|chunk| chunk.get("usage") == Some(&Value::Null))
    );
}

#[tokio::test]
async fn streams_are_not_buffered_on_the_way() {
    let server = TestServer::start(says("Hello.")).await;
    let response = server
        .post(
            "/v1/chat/completions",
            &chat("Hello?", json!({"stream": true})),
        )
        .await;
    assert_eq!(response.headers()["x-accel-buffering"], "no");
    assert_eq!(response.headers()["cache-control"], "no-store");
}

#[tokio::test]
async fn collections_are_chosen_by_request() {
    let server = TestServer::start(says(SKY_ANSWER)).await;
    server.add("sky.md", SKY).await;
    let created = server
        .post_json("/v1/vector_stores", &json!({"name": "empty"}))
        .await;
    assert_eq!(created.0, StatusCode::OK, "{}", created.1);
    for (more, answered_by, results) in [
        (json!({"answer": "model"}), "model", 1),
        (
            json!({"answer": "model", "model": "default@default"}),
            "model",
            1,
        ),
        (
            json!({"answer": "model", "model": "scripted@default"}),
            "model",
            1,
        ),
        (json!({"model": "scripted@empty"}), "refusal", 0),
        (
            json!({"retrieval": {"collections": ["empty"]}}),
            "refusal",
            0,
        ),
        (
            json!({"answer": "quotes", "retrieval": {"collections": ["empty", "default"]}}),
            "quotes",
            1,
        ),
        (
            json!({"answer": "quotes", "retrieval": {"top_k": 1}}),
            "quotes",
            1,
        ),
        (json!({"retrieval": null}), "model", 0),
        (
            json!({"retrieval": null, "model": "scripted@empty"}),
            "model",
            0,
        ),
    ] {
        let answer = server.ask(SKY_QUESTION, more.clone()).await;
        assert_eq!(answer["answered_by"], answered_by, "{more}");
        assert_eq!(
            answer["search_results"].as_array().map(Vec::len),
            Some(results),
            "{more}"
        );
    }
}

#[tokio::test]
async fn without_documents_the_model_just_talks() {
    let server = TestServer::start(says("Hello.")).await;
    let answer = server.ask("Hello?", json!({})).await;
    assert_eq!(answer["choices"][0]["message"]["content"], "Hello.");
    assert_eq!(
        (&answer["evidence"], &answer["citations"]),
        (&Value::Null, &json!([]))
    );
}

#[tokio::test]
async fn refusals_and_quotes_do_not_ask_the_model() {
    let server = TestServer::start(must_not_be_asked()).await;
    server.add("sky.md", SKY).await;
    let refusal = server.ask("Who discovered penicillin?", json!({})).await;
    assert_eq!(refusal["answered_by"], "refusal");
    assert_eq!(refusal["evidence"]["answered"], false);
    assert_eq!(refusal["choices"][0]["finish_reason"], "stop");
    let quotes = server.ask(SKY_QUESTION, json!({"answer": "quotes"})).await;
    assert_eq!(quotes["answered_by"], "quotes");
}

#[tokio::test]
async fn a_busy_model_says_when_to_come_back() {
    let engine = ScriptedEngine::new(|_| Ok("Hello.".into())).with_slots(0);
    let server = TestServer::start(Arc::new(engine)).await;
    for stream in [false, true] {
        let response = server
            .post(
                "/v1/chat/completions",
                &chat("Hello?", json!({"stream": stream})),
            )
            .await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()["retry-after"], "1");
    }
}

#[tokio::test]
async fn a_client_that_hangs_up_cancels_its_answer() {
    let endless = ScriptedEngine::new(|_| Ok("word ".repeat(4000)));
    let server = TestServer::start(Arc::new(endless.with_pace(Duration::from_millis(20)))).await;
    for stream in [true, false] {
        let body = chat("Go on?", json!({"stream": stream, "max_tokens": 3000}));
        let request = server
            .client()
            .post(server.path("/v1/chat/completions"))
            .json(&body);
        let asking = tokio::spawn(request.send());
        while server.engine.load().running == 0 {
            tokio::task::yield_now().await;
        }
        asking.abort();
        drop(asking.await);
        // Generating it all would take a minute.
        let freed = async {
            while server.engine.load().running > 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), freed)
            .await
            .expect("the slot is freed");
    }
}

/// An engine that fails after its first word.
struct Stumbling(ModelInfo);

impl Engine for Stumbling {
    fn model(&self) -> &ModelInfo {
        &self.0
    }

    fn count_tokens(&self, text: &str) -> usize {
        text.split_whitespace().count()
    }

    fn count_prompt_tokens(&self, _: &Prompt) -> Result<usize, EngineError> {
        Ok(10)
    }

    fn generate(&self, _: Request) -> Result<TokenStream, EngineError> {
        let (sender, stream) = TokenStream::channel(1);
        sender.token(Token {
            text: "Well, ".into(),
            ..Token::default()
        });
        sender.fail(EngineError::Failed("a kernel panicked".into()));
        Ok(stream)
    }

    fn score(&self, _: &Prompt, _: &str, _: &Sharing) -> Result<Vec<TokenScore>, EngineError> {
        Ok(Vec::new())
    }

    fn load(&self) -> Load {
        Load::default()
    }
}

#[tokio::test]
async fn a_failure_on_the_way_is_an_error_event() {
    let model = ScriptedEngine::new(|_| Ok(String::new())).model().clone();
    let server = TestServer::start(Arc::new(Stumbling(model))).await;
    let response = server
        .post(
            "/v1/chat/completions",
            &chat("Well?", json!({"stream": true})),
        )
        .await;
    assert_eq!(response.status(), StatusCode::OK);
    let (chunks, done) = events(&response.text().await.expect("the stream ends"));
    assert!(!done, "a failure must not look like an end");
    let error = &chunks.last().expect("chunks")["error"];
    assert_eq!(error["type"], "server_error");
    assert!(
        !error.to_string().contains("kernel"),
        "causes are for the log: {error}"
    );

    let (status, _) = server
        .post_json("/v1/chat/completions", &chat("Well?", json!({})))
        .await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
}
