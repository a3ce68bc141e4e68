//! What is told of an answer: which of its sentences have no source, how it came about, and
//! whether it can be had again.

use reqwest::StatusCode;
use serde_json::{Value, json};
use server::config::{Config, ReceiptsConfig};

use crate::harness::{TestServer, bundled_model, says};

const SKY: &str = "# The sky\n\nThe sky is blue because air scatters short waves most. \
    Sunsets are red because the light comes a long way.\n";
const QUESTION: &str = "Why is the sky blue?";
const HALF_TRUE: &str =
    "The sky is blue because air scatters short waves most. 🙂 Painters love it very much.";
const UNFOUNDED: &str = "Painters decided so long ago.";

async fn serving_sky(reply: &'static str) -> (TestServer, String) {
    let server = TestServer::start(says(reply)).await;
    let file = server.add("sky.md", SKY).await;
    (server, file)
}

fn by_model(more: Value) -> Value {
    let mut fields = json!({"answer": "model"});
    for (key, value) in more.as_object().into_iter().flatten() {
        fields[key] = value.clone();
    }
    fields
}

#[tokio::test]
async fn a_sentence_without_a_source_is_marked() {
    let (server, _) = serving_sky(HALF_TRUE).await;
    let answer = server.ask(QUESTION, by_model(json!({}))).await;
    let content = answer["choices"][0]["message"]["content"]
        .as_str()
        .expect("a text");
    let unsupported = answer["unsupported"].as_array().expect("a list");
    assert_eq!(unsupported.len(), 1, "{answer}");
    let span = &unsupported[0]["sentence"];
    let at = |end: &str| span[end].as_u64().expect("an offset") as usize;
    let sentence = content.chars().take(at("end")).skip(at("start"));
    let sentence = sentence.collect::<String>();
    assert!(
        sentence.ends_with("Painters love it very much."),
        "{sentence}"
    );
    assert_eq!(
        answer["support"],
        json!({"sentences": 2, "supported": 1, "unsupported": 1, "declining": 0, "withheld": false})
    );
    let votes = &answer["citations"][0]["votes"];
    assert_eq!(votes, &json!(["verbatim", "words"]), "{answer}");

    let (chunks, done) = server.ask_streamed(QUESTION, by_model(json!({}))).await;
    assert!(done);
    let streamed = chunks
        .iter()
        .flat_map(|chunk| chunk["unsupported"].as_array());
    let streamed = streamed.flatten().collect::<Vec<_>>();
    assert_eq!(streamed, unsupported.iter().collect::<Vec<_>>());
    let last = chunks.last().expect("chunks");
    assert_eq!(last["support"], answer["support"]);

    let off = server
        .ask(QUESTION, by_model(json!({"support": "off"})))
        .await;
    assert_eq!(off["unsupported"], json!([]));
}

#[tokio::test]
async fn strict_gives_a_refusal_in_place_of_what_nothing_supports() {
    let (server, _) = serving_sky(UNFOUNDED).await;
    let strict = || by_model(json!({"support": "strict"}));
    let answer = server.ask(QUESTION, strict()).await;
    let content = &answer["choices"][0]["message"]["content"];
    assert!(
        content
            .as_str()
            .is_some_and(|text| text.contains("do not support")),
        "{answer}"
    );
    assert!(!answer.to_string().contains("Painters"), "{answer}");
    assert_eq!(answer["answered_by"], "refusal");
    assert_eq!(answer["evidence"]["answered"], false);

    let (chunks, _) = server.ask_streamed(QUESTION, strict()).await;
    let text = chunks
        .iter()
        .map(|chunk| &chunk["choices"][0]["delta"]["content"]);
    let text = text.filter_map(Value::as_str).collect::<String>();
    assert_eq!(text, content.as_str().expect("a text"));
    let last = chunks.last().expect("chunks");
    assert_eq!(last["answered_by"], "refusal");
    assert_eq!(last["evidence"]["answered"], false);
}

#[tokio::test]
async fn an_answer_has_a_receipt_and_a_disclosure() {
    let (server, file) = serving_sky(HALF_TRUE).await;
    let answer = server.ask(QUESTION, by_model(json!({"seed": 7}))).await;
    assert_eq!(answer["disclosure"]["ai_generated"], true);
    assert_eq!(answer["disclosure"]["model"], "scripted");
    let id = answer["id"].as_str().expect("an id");
    let receipt = server.get(&format!("/v1/answers/{id}")).await;
    assert_eq!(
        (&receipt["object"], &receipt["id"]),
        (&json!("answer"), &answer["id"])
    );
    assert_eq!(receipt["stale"], false);
    assert_eq!(receipt["passages"][0]["file_id"], file.as_str());
    assert_eq!(
        receipt["passages"][0]["sha256"].as_str().map(str::len),
        Some(64)
    );
    assert_eq!(receipt["prompt_sha256"].as_str().map(str::len), Some(64));
    assert_eq!(receipt["sampling"]["seed"], 7);
    assert_eq!(receipt["collections"][0]["collection"], "default");
    assert_eq!(receipt["energy"]["method"], "estimate");
    assert!(receipt["timings"]["total_ms"].as_f64() > Some(0.0));
    let content = &receipt["content"];
    assert_eq!(
        content["choices"][0]["text"],
        answer["choices"][0]["message"]["content"]
    );
    assert_eq!(content["request"]["messages"][0]["content"], QUESTION);

    // A streamed answer has one, too, by the time its stream has ended.
    let (chunks, _) = server.ask_streamed(QUESTION, by_model(json!({}))).await;
    assert_eq!(chunks[0]["disclosure"]["ai_generated"], true);
    let id = chunks[0]["id"].as_str().expect("an id");
    let streamed = server.get(&format!("/v1/answers/{id}")).await;
    assert_eq!(
        streamed["content"]["choices"][0]["text"],
        content["choices"][0]["text"]
    );
    let list = server.get("/v1/answers?limit=1").await;
    assert_eq!(
        (&list["data"][0]["id"], &list["has_more"]),
        (&json!(id), &json!(true))
    );

    let quotes = server.ask(QUESTION, json!({"answer": "quotes"})).await;
    assert_eq!(quotes["disclosure"]["ai_generated"], false);
}

#[tokio::test]
async fn an_answer_is_stale_when_its_source_goes_and_forgets_what_it_said() {
    let (server, file) = serving_sky(HALF_TRUE).await;
    let answer = server.ask(QUESTION, by_model(json!({}))).await;
    let id = answer["id"].as_str().expect("an id");
    let stale = || server.get("/v1/answers?stale=true");
    assert_eq!(stale().await["data"], json!([]));

    let detach = server.path(&format!("/v1/vector_stores/default/files/{file}"));
    server
        .client()
        .delete(detach)
        .send()
        .await
        .expect("a reply");
    let list = stale().await;
    assert_eq!(list["data"][0]["id"], id);
    assert_eq!(list["data"][0]["stale_files"], json!([file]));
    assert!(!list["data"][0]["content"].is_null());

    let delete = server.path(&format!("/v1/files/{file}"));
    let deleted = server
        .client()
        .delete(delete)
        .send()
        .await
        .expect("a reply");
    let deleted: Value = deleted.json().await.expect("JSON");
    assert_eq!(deleted["purged"]["answers"], 1, "{deleted}");
    let receipt = server.get(&format!("/v1/answers/{id}")).await;
    assert!(receipt["content"].is_null(), "{receipt}");
    assert!(!receipt.to_string().contains("scatters"), "{receipt}");
    let (status, error) = server
        .post_json(&format!("/v1/answers/{id}/replay"), &json!({}))
        .await;
    assert_eq!(status, StatusCode::GONE);
    assert_eq!(error["error"]["code"], "answer_forgotten");
}

#[tokio::test]
async fn a_replay_gives_the_same_or_says_what_changed() {
    let server = TestServer::start(bundled_model()).await;
    server.add("sky.md", SKY).await;
    let asked = json!({"temperature": 1.0, "max_tokens": 24, "n": 2});
    let answer = server.ask(QUESTION, by_model(asked)).await;
    let id = answer["id"].as_str().expect("an id");
    let receipt = server.get(&format!("/v1/answers/{id}")).await;
    assert!(
        receipt["sampling"]["seed"].is_i64(),
        "a seed was drawn: {receipt}"
    );
    assert_eq!(
        receipt["model"]["weights_sha256"].as_str().map(str::len),
        Some(64)
    );
    assert!(
        receipt["content"]["choices"][1]["token_ids"]
            .as_array()
            .is_some_and(|tokens| !tokens.is_empty()),
        "{receipt}"
    );

    let replay = format!("/v1/answers/{id}/replay");
    let nothing = json!({});
    let (status, same) = server.post_json(&replay, &nothing).await;
    assert_eq!(status, StatusCode::OK, "{same}");
    assert_eq!(
        (&same["identical"], &same["changed"]),
        (&json!(true), &json!([])),
        "{same}"
    );
    assert_eq!(
        same["choices"][0]["text"],
        answer["choices"][0]["message"]["content"]
    );

    server
        .add(
            "more.md",
            "# Blue sky\n\nThe blue sky is blue over Paris. Why is the sky so blue?",
        )
        .await;
    let (_, other) = server.post_json(&replay, &nothing).await;
    let changed = other["changed"].as_array().expect("a list").iter();
    let changed = changed.map(|change| &change["what"]).collect::<Vec<_>>();
    assert!(changed.contains(&&json!("passages")), "{other}");
    let list = server.get("/v1/answers").await;
    assert_eq!(
        list["data"].as_array().map(Vec::len),
        Some(1),
        "replays are not kept"
    );
}

#[tokio::test]
async fn off_means_off() {
    let config = Config {
        receipts: ReceiptsConfig {
            keep_days: 0,
            ..ReceiptsConfig::default()
        },
        ..Config::default()
    };
    let server = TestServer::start_with(config, says(HALF_TRUE)).await;
    server.add("sky.md", SKY).await;
    let answer = server.ask(QUESTION, by_model(json!({}))).await;
    let id = answer["id"].as_str().expect("an id");
    let response = server.response(&format!("/v1/answers/{id}")).await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    let error: Value = response.json().await.expect("JSON");
    assert_eq!(error["error"]["code"], "answer_not_found");
    let message = error["error"]["message"].as_str().expect("a message");
    assert!(message.contains("keep_days"), "{message}");
}

/// What the model is sent last, said back.
fn echoing() -> std::sync::Arc<dyn server::engine::Engine> {
    std::sync::Arc::new(server::engine::ScriptedEngine::new(|request| {
        let last = request.prompt.messages.last();
        Ok(last.map_or_else(String::new, |message| message.content.clone()))
    }))
}

#[tokio::test]
async fn tasks_go_to_the_model_without_a_search_unless_one_is_asked_for() {
    let server = TestServer::start(echoing()).await;
    server.add("sky.md", SKY).await;
    let translate = json!({"task": {"type": "translate", "to": "Korean"}});
    let answer = server.ask("The sky is blue.", translate).await;
    let said = answer["choices"][0]["message"]["content"]
        .as_str()
        .expect("a text");
    assert!(
        said.contains("into Korean") && said.contains("The sky is blue."),
        "{said}"
    );
    assert_eq!(
        (&answer["evidence"], &answer["search_results"]),
        (&Value::Null, &json!([]))
    );

    let about = json!({"task": "summarise", "retrieval": {}, "include": ["context"]});
    let answer = server.ask("the colour of the sky", about).await;
    assert_eq!(answer["search_results"][0]["filename"], "sky.md");
    let context = &answer["choices"][0]["message"]["context"];
    assert_eq!(context["citations"][0]["filepath"], "sky.md");
    assert_eq!(context["intent"], "[\"the colour of the sky\"]");
}

#[tokio::test]
async fn a_collection_has_a_profile() {
    let server = TestServer::start(says(UNFOUNDED)).await;
    server.add("sky.md", SKY).await;
    let store = "/v1/vector_stores/default";
    let (status, error) = server
        .post_json(store, &json!({"metadata": {"profile": "legal"}}))
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(error["error"]["param"], "metadata.profile");
    let medical = json!({"metadata": {"profile": "medical", "owner": "me"}});
    let (status, changed) = server.post_json(store, &medical).await;
    assert_eq!(status, StatusCode::OK, "{changed}");
    assert_eq!(changed["metadata"]["owner"], "me");

    let quotes = server.ask(QUESTION, json!({"answer": "quotes"})).await;
    let said = quotes["choices"][0]["message"]["content"]
        .as_str()
        .expect("a text");
    assert!(said.ends_with("ask a physician or pharmacist."), "{said}");
    // The profile is strict, and a question cannot undo that.
    let answer = server
        .ask(QUESTION, by_model(json!({"support": "off"})))
        .await;
    assert_eq!(answer["answered_by"], "refusal", "{answer}");

    server.post_json(store, &json!({"metadata": {}})).await;
    let answer = server.ask(QUESTION, by_model(json!({}))).await;
    assert_eq!(answer["answered_by"], "model");
}

#[tokio::test]
async fn the_model_judges_what_it_wrote_with_and_without_the_sources() {
    let server = TestServer::start(bundled_model()).await;
    server.add("sky.md", SKY).await;
    let judged = || by_model(json!({"groundedness": true, "max_tokens": 32}));
    let answer = server.ask(QUESTION, judged()).await;
    let groundedness = &answer["groundedness"];
    let number = |value: &Value| value.as_f64().expect("a number");
    let whole = (
        number(&groundedness["with_sources"]),
        number(&groundedness["without_sources"]),
    );
    assert!(whole.0 < 0.0 && whole.1 < 0.0, "{groundedness}");
    let difference = number(&groundedness["difference"]);
    assert!(
        (whole.0 - whole.1 - difference).abs() < 1e-4,
        "{groundedness}"
    );
    let sentences = groundedness["sentences"].as_array().expect("a list");
    let probability = number(&groundedness["probability"]);
    assert!((0.0..=1.0).contains(&probability), "{groundedness}");
    assert_eq!(answer["support"]["sentences"], sentences.len());

    let (chunks, _) = server.ask_streamed(QUESTION, judged()).await;
    let told = chunks
        .iter()
        .filter(|chunk| chunk.get("groundedness").is_some());
    let told = told.collect::<Vec<_>>();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["groundedness"], *groundedness);
    // Other tests share the model; nothing stays for ever.
    while !server.engine.load().is_idle() {
        tokio::task::yield_now().await;
    }

    let plain = server
        .ask(QUESTION, by_model(json!({"max_tokens": 8})))
        .await;
    assert_eq!(plain.get("groundedness"), None);
}

#[tokio::test]
async fn quotations_may_be_made_to_be_verbatim() {
    let server = TestServer::start(bundled_model()).await;
    server.add("sky.md", SKY).await;
    let mut quoting = by_model(json!({"quotations": "verbatim", "max_tokens": 24}));
    quoting["citations"] = "off".into();
    let answer = server.ask(QUESTION, quoting).await;
    let said = answer["choices"][0]["message"]["content"]
        .as_str()
        .expect("a text");
    for quotation in said.split('"').skip(1).step_by(2) {
        assert!(SKY.contains(quotation), "{said}");
    }
    let tool = json!([{"type": "function", "function": {"name": "look", "parameters": {}}}]);
    let body = crate::harness::chat(QUESTION, json!({"quotations": "verbatim", "tools": tool}));
    let (status, error) = server.post_json("/v1/chat/completions", &body).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let param = error["error"]["param"].as_str();
    assert!(matches!(param, Some("quotations" | "tools")), "{error}");
}
