//! `n` and `logprobs`: several answers to one question, and how likely their tokens were.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use server::engine::{Engine, ScriptedEngine};

use crate::harness::{TestServer, bundled_model, must_not_be_asked, says};

const SKY: &str = "# The sky\n\nThe sky is blue because air scatters short waves most. \
    Sunsets are red because the light comes a long way.\n";

/// Says one sentence of [`SKY`], then the other, and so on.
fn alternating() -> Arc<dyn Engine> {
    let asked = AtomicUsize::new(0);
    Arc::new(ScriptedEngine::new(move |_| {
        let sentences = [
            "Well, the sky is blue because air scatters short waves most.",
            "Sunsets are red because the light comes a long way.",
        ];
        Ok(sentences[asked.fetch_add(1, Ordering::SeqCst) % 2].to_owned())
    }))
}

fn messages(answer: &Value) -> Vec<&Value> {
    let choices = answer["choices"].as_array().expect("choices").iter();
    choices.map(|choice| &choice["message"]).collect()
}

fn contents(answer: &Value) -> Vec<String> {
    let text = |message: &&Value| message["content"].as_str().expect("a text").to_owned();
    messages(answer).iter().map(text).collect()
}

#[tokio::test]
async fn several_answers_have_their_own_citations() {
    let server = TestServer::start(alternating()).await;
    server.add("sky.md", SKY).await;
    let fields = json!({"answer": "model", "n": 2});
    let answer = server.ask("Why is the sky blue?", fields.clone()).await;
    let indexes = answer["choices"].as_array().expect("choices").iter();
    assert_eq!(
        indexes.map(|choice| &choice["index"]).collect::<Vec<_>>(),
        [0, 1]
    );
    let messages = messages(&answer);
    for (message, quote) in messages.iter().zip(["The sky is blue", "Sunsets are red"]) {
        let citation = &message["citations"][0];
        assert!(
            citation["quote"]
                .as_str()
                .expect("a quote")
                .starts_with(quote),
            "{answer}"
        );
        assert_eq!(message["annotations"].as_array().map(Vec::len), Some(1));
    }
    assert_eq!(answer["citations"], messages[0]["citations"]);
    let prompt = server
        .ask("Why is the sky blue?", json!({"answer": "model"}))
        .await;
    let usage = &answer["usage"];
    assert_eq!(
        usage["prompt_tokens"], prompt["usage"]["prompt_tokens"],
        "counted once"
    );
    assert_eq!(usage["completion_tokens"], 11 + 10, "summed");
    assert!(
        prompt["choices"][0]["message"].get("citations").is_none(),
        "{prompt}"
    );
}

#[tokio::test]
async fn several_answers_are_streamed_side_by_side() {
    let server = TestServer::start(alternating()).await;
    server.add("sky.md", SKY).await;
    let fields = json!({"answer": "model", "n": 2, "stream_options": {"include_usage": true}});
    let (chunks, done) = server.ask_streamed("Why is the sky blue?", fields).await;
    assert!(done);
    let (usage, chunks) = chunks.split_last().expect("chunks");
    assert_eq!(usage["usage"]["completion_tokens"], 21);
    for index in [0, 1] {
        let own: Vec<&Value> = chunks
            .iter()
            .filter(|chunk| chunk["choices"][0]["index"] == index)
            .collect();
        assert_eq!(own[0]["choices"][0]["delta"]["role"], "assistant");
        let finished = own.last().expect("a last chunk");
        assert_eq!(finished["choices"][0]["finish_reason"], "stop");
        let text: String = own
            .iter()
            .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str())
            .collect();
        assert!(text.ends_with(" [1]"), "{text}");
        let of_choice = own
            .iter()
            .filter(|chunk| chunk["choices"][0]["delta"]["citations"].is_array());
        assert_eq!(of_choice.count(), 1);
        let on_top = own.iter().filter(|chunk| chunk["citations"].is_array());
        assert_eq!(on_top.count(), usize::from(index == 0));
    }
    let with = |field: &str| {
        chunks
            .iter()
            .filter(|chunk| !chunk[field].is_null())
            .count()
    };
    assert_eq!((with("search_results"), with("ledger")), (1, 1));
    assert!(chunks[0]["search_results"].is_array());
    assert!(chunks.last().expect("a last chunk")["ledger"].is_object());
}

#[tokio::test]
async fn quotes_and_refusals_are_offered_as_often_as_asked() {
    let server = TestServer::start(must_not_be_asked()).await;
    server.add("sky.md", SKY).await;
    let fields = json!({"answer": "quotes", "n": 3, "logprobs": true});
    for question in ["Why is the sky blue?", "Who won the football match?"] {
        let answer = server.ask(question, fields.clone()).await;
        let contents = contents(&answer);
        assert_eq!(contents.len(), 3, "{answer}");
        assert!(contents.iter().all(|content| *content == contents[0]));
        assert_eq!(answer["choices"][2]["logprobs"], Value::Null);
    }
}

#[tokio::test]
async fn probabilities_come_whole_and_streamed() {
    let server = TestServer::start(says("Well, it is so.")).await;
    let fields = json!({"retrieval": null, "logprobs": true, "top_logprobs": 2});
    let answer = server.ask("Why?", fields.clone()).await;
    let tokens = answer["choices"][0]["logprobs"]["content"]
        .as_array()
        .expect("tokens");
    let texts: Vec<&str> = tokens
        .iter()
        .filter_map(|token| token["token"].as_str())
        .collect();
    assert_eq!(texts, ["Well, ", "it ", "is ", "so."]);
    assert_eq!(tokens[3]["bytes"], json!([115, 111, 46]));
    assert_eq!(tokens[3]["top_logprobs"].as_array().map(Vec::len), Some(2));
    let (chunks, _) = server.ask_streamed("Why?", fields).await;
    let streamed: Vec<&Value> = chunks
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["logprobs"]["content"].as_array())
        .flatten()
        .collect();
    assert_eq!(streamed, tokens.iter().collect::<Vec<_>>());
    let without = server.ask("Why?", json!({"retrieval": null})).await;
    assert_eq!(without["choices"][0]["logprobs"], Value::Null);
}

/// On the built-in model: the same seed gives the same text, each choice has the next seed, and
/// all of it also in company and with probabilities asked for.
#[tokio::test]
async fn each_choice_is_that_of_its_seed() {
    let server = TestServer::start(bundled_model()).await;
    let tea = "Tea is a drink. Tea is brewed for minutes. Tea is made of leaves. Tea is grown on \
        hills. Tea is sold in boxes. Tea is drunk hot. Tea is loved in Asia. Tea is old.";
    server.add("tea.md", tea).await;
    let fields = |n: usize, seed: i64, logprobs: bool| {
        json!({
            "answer": "model", "temperature": 2.0, "max_tokens": 3,
            "n": n, "seed": seed, "logprobs": logprobs,
        })
    };
    let question = "What is tea?";
    let together = contents(&server.ask(question, fields(3, -1, true)).await);
    assert_eq!(
        together,
        contents(&server.ask(question, fields(3, -1, false)).await)
    );
    for (seed, text) in (-1..).zip(&together) {
        let alone = server.ask(question, fields(1, seed, false)).await;
        assert_eq!(contents(&alone), std::slice::from_ref(text));
    }
    assert!(
        together[0] != together[1] || together[1] != together[2],
        "{together:?}"
    );
}
