//! The built-in model over HTTP, from document to cited answer.

use serde_json::{Value, json};

use crate::harness::{TestServer, bundled_model};

async fn serving_tea() -> TestServer {
    let server = TestServer::start(bundled_model()).await;
    server
        .add(
            "tea.md",
            "# Tea\n\nTea is brewed for four minutes. The water must boil.",
        )
        .await;
    server
}

fn text(answer: &Value) -> &str {
    answer["choices"][0]["message"]["content"]
        .as_str()
        .expect("text")
}

#[tokio::test]
async fn the_model_speaks_and_its_citations_are_exact() {
    let document = "# Normans\n\nThe Normans gave their name to Normandy. They were descended from Norse raiders.";
    let server = TestServer::start(bundled_model()).await;
    server.add("normans.md", document).await;
    let answer = server
        .ask(
            "Who were the Normans descended from?",
            json!({"answer": "model"}),
        )
        .await;
    assert_eq!(answer["answered_by"], "model");
    assert!(!text(&answer).is_empty(), "{answer}");
    assert!(
        answer["usage"]["completion_tokens"].as_u64() > Some(0),
        "{answer}"
    );
    for citation in answer["citations"].as_array().expect("a list") {
        let place = ["start", "end"].map(|end| citation[end].as_u64().expect("a number") as usize);
        let quoted: String = document.chars().take(place[1]).skip(place[0]).collect();
        assert_eq!(citation["quote"], quoted, "{answer}");
    }
}

#[tokio::test]
async fn its_card_says_that_quotes_are_better() {
    let server = serving_tea().await;
    let answer = server.ask("How long is tea brewed?", json!({})).await;
    assert_eq!(answer["answered_by"], "quotes");
    assert!(
        text(&answer).contains("Tea is brewed for four minutes. [1]"),
        "{answer}"
    );
}

#[tokio::test]
async fn it_answers_in_the_words_of_a_source() {
    let server = serving_tea().await;
    let asked = json!({"answer": "model"});
    let answer = server.ask("How long is tea brewed?", asked).await;
    assert_eq!(answer["answered_by"], "model");
    assert!(
        text(&answer).contains("Tea is brewed for four minutes. [1]"),
        "{answer}"
    );
}

#[tokio::test]
async fn it_answers_in_a_sentence_of_two_hundred_tokens() {
    let leaves = "whether its leaves come from Darjeeling or Assam or Uji or Hadong, ".repeat(8);
    let sentence = format!("Tea is brewed for four minutes, {leaves}as the label says.");
    let document = format!("# Tea\n\nTea is a drink. {sentence} Sugar is optional.\n");
    let server = TestServer::start(bundled_model()).await;
    server.add("tea.md", document.as_str()).await;
    let asked = json!({"answer": "model"});
    let answer = server.ask("How long is tea brewed?", asked).await;
    assert_eq!(answer["answered_by"], "model");
    assert!(text(&answer).contains(&sentence), "{answer}");
}

#[tokio::test]
async fn it_sums_up_in_sentences_of_the_sources() {
    let document = "# Tea\n\nTea is a drink made of leaves. The leaves of tea are dried. Tea is \
        brewed for four minutes. Ships brought tea and its leaves to Europe. Sugar is optional.";
    let server = TestServer::start(bundled_model()).await;
    server.add("tea.md", document).await;
    let asked = json!({"task": "summarise", "retrieval": {}, "citations": "fields"});
    let answer = server.ask("tea", asked).await;
    let sentences = text(&answer).split("\n\n").collect::<Vec<_>>();
    assert!((1..=3).contains(&sentences.len()), "{answer}");
    assert!(
        sentences
            .iter()
            .all(|sentence| !sentence.is_empty() && document.contains(sentence)),
        "{answer}"
    );
}

#[tokio::test]
async fn streamed_and_whole_answers_are_the_same() {
    let server = serving_tea().await;
    for mode in ["model", "quotes"] {
        let whole = server
            .ask("How long is tea brewed?", json!({"answer": mode}))
            .await;
        let (chunks, done) = server
            .ask_streamed("How long is tea brewed?", json!({"answer": mode}))
            .await;
        let streamed: String = chunks
            .iter()
            .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str())
            .collect();
        assert!(done);
        assert_eq!(streamed, text(&whole));
        let citations: Vec<&Value> = chunks
            .iter()
            .filter_map(|chunk| chunk["citations"].as_array())
            .flatten()
            .collect();
        assert_eq!(
            citations,
            whole["citations"]
                .as_array()
                .expect("a list")
                .iter()
                .collect::<Vec<_>>()
        );
    }
}

#[tokio::test]
async fn closing_the_connection_frees_the_model() {
    let server = serving_tea().await;
    let body = json!({
        "model": "default", "stream": true, "retrieval": null, "max_tokens": 1000, "temperature": 2.0, "seed": 7,
        "messages": [{"role": "user", "content": "Tell me everything about tea."}],
    });
    let mut response = server.post("/v1/chat/completions", &body).await;
    response.chunk().await.expect("a first chunk");
    drop(response);
    while !server.engine.load().is_idle() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_deleted_text_is_kept_in_no_prompt() {
    let server = TestServer::start(bundled_model()).await;
    let tea = "Tea is brewed for four minutes. ".repeat(12);
    let id = server.add("tea.md", tea).await;
    let more = json!({"answer": "model", "max_tokens": 4});
    server.ask("How long is tea brewed?", more).await;
    let cached = || server.engine.load().kv.cached_bytes;
    assert!(cached() > 0);
    let url = server.path(&format!("/v1/files/{id}"));
    let deleted = server.client().delete(url).send().await.expect("a reply");
    let deleted: Value = deleted.json().await.expect("JSON");
    assert!(
        deleted["purged"]["cached_bytes"].as_u64() > Some(0),
        "{deleted}"
    );
    assert_eq!(cached(), 0);
}

#[tokio::test]
async fn what_was_read_before_is_told() {
    let server = TestServer::start(bundled_model()).await;
    let question = "Tea is brewed for four minutes. ".repeat(12);
    let more = json!({
        "retrieval": null, "max_tokens": 4, "stream_options": {"include_usage": true},
    });
    let told = |usage: &Value| {
        let tokens = &usage["prompt_tokens_details"]["cached_tokens"];
        tokens.as_u64().expect("a number")
    };
    let plain = json!({"retrieval": null, "max_tokens": 4});
    let first = server.ask(&question, plain.clone()).await;
    assert_eq!(told(&first["usage"]), 0, "{first}");
    let second = server.ask(&question, plain).await;
    assert!(told(&second["usage"]) >= 32, "{second}");
    assert_eq!(text(&second), text(&first));
    let salted = |salt: &str| json!({"retrieval": null, "max_tokens": 4, "cache_salt": salt});
    for (salt, shares) in [("ours", false), ("theirs", false), ("ours", true)] {
        let answer = server.ask(&question, salted(salt)).await;
        assert_eq!(told(&answer["usage"]) > 0, shares, "{salt}: {answer}");
        assert_eq!(text(&answer), text(&first));
    }
    let (chunks, _) = server.ask_streamed(&question, more).await;
    let usage = &chunks.last().expect("chunks")["usage"];
    assert_eq!(usage, &second["usage"]);
}
