//! Embeddings, reranking, and searches by meaning.

use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use server::config::{Config, RetrievalConfig};
use server::engine::{EngineError, ScriptedEmbedder, ScriptedReranker};
use server::{Encoders, startup};

use crate::harness::{TestServer, must_not_be_asked};

/// An embedder that knows two meanings, and a reranker that likes short passages.
fn scripted() -> Encoders {
    let about = |text: &str, words: &[&str]| {
        let text = text.to_lowercase();
        words.iter().filter(|word| text.contains(**word)).count() as f32
    };
    let embedder = ScriptedEmbedder::new("two-meanings", move |text| {
        let vehicles = about(text, &["car", "truck", "lorry"]);
        let animals = about(text, &["cat", "dog", "hound"]);
        Ok(vec![vehicles, animals, 0.1])
    });
    Encoders {
        embedder: Some(Arc::new(embedder.with_max_tokens(50))),
        reranker: Some(Arc::new(ScriptedReranker::new(|_, passage| {
            -(passage.len() as f32)
        }))),
        ..Encoders::default()
    }
}

async fn server(encoders: Encoders) -> TestServer {
    TestServer::start_encoding(Config::default(), must_not_be_asked(), encoders).await
}

/// Posts what must be refused and returns status, code and field.
async fn refused(server: &TestServer, path: &str, body: Value) -> (u16, String, Value) {
    let (status, reply) = server.post_json(path, &body).await;
    let error = &reply["error"];
    let code = error["code"].as_str().unwrap_or_default().to_owned();
    (status.as_u16(), code, error["param"].clone())
}

async fn search(server: &TestServer, body: Value) -> Vec<String> {
    let path = "/v1/vector_stores/default/search";
    let (status, page) = server.post_json(path, &body).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    let data = page["data"].as_array().expect("a list").iter();
    data.map(|item| item["filename"].as_str().expect("a name").to_owned())
        .collect()
}

#[tokio::test]
async fn embeddings_come_in_every_form_that_clients_ask_for() {
    let server = server(scripted()).await;
    let embed = async |body: Value| {
        let (status, reply) = server.post_json("/v1/embeddings", &body).await;
        assert_eq!(status, StatusCode::OK, "{reply}");
        reply
    };
    let one = embed(json!({"model": "two-meanings", "input": "a truck"})).await;
    assert_eq!(
        (&one["object"], &one["model"]),
        (&json!("list"), &json!("two-meanings"))
    );
    assert_eq!(one["usage"], json!({"prompt_tokens": 2, "total_tokens": 2}));
    let vector = one["data"][0]["embedding"].as_array().expect("numbers");
    assert_eq!(vector.len(), 3);

    let many = vec!["a dog"; 70];
    let many = embed(json!({"model": "default", "input": many, "encoding_format": "base64"})).await;
    let data = many["data"].as_array().expect("a list");
    assert_eq!((data.len(), &data[69]["index"]), (70, &json!(69)));
    // Three f32 are twelve bytes, which are sixteen characters.
    assert_eq!(data[0]["embedding"].as_str().map(str::len), Some(16));

    for input in [json!([1, 2]), json!([[1, 2], [3]])] {
        let tokens = embed(json!({"model": "default", "input": input, "dimensions": 3})).await;
        assert_eq!(tokens["data"][0]["object"], "embedding");
    }
}

#[tokio::test]
async fn bad_embedding_requests_are_refused_by_field() {
    let server = server(scripted()).await;
    let check = async |body: Value, status: u16, code: &str, param: &str| {
        let found = refused(&server, "/v1/embeddings", body.clone()).await;
        assert_eq!(found, (status, code.to_owned(), json!(param)), "{body}");
    };
    let with = |key: &str, value: Value| {
        let mut body = json!({"model": "default", "input": "a dog"});
        body[key] = value;
        body
    };
    let required = "missing_required_parameter";
    check(json!({"model": "default"}), 400, required, "input").await;
    check(with("model", json!("gpt")), 404, "model_not_found", "model").await;
    check(with("input", json!("")), 400, "invalid_value", "input").await;
    check(with("input", json!([])), 400, "invalid_value", "input").await;
    check(with("input", json!(7)), 400, "invalid_type", "input").await;
    check(
        with("input", json!(["a", 7])),
        400,
        "invalid_type",
        "input[1]",
    )
    .await;
    check(
        with("input", json!([1, "a"])),
        400,
        "invalid_type",
        "input[1]",
    )
    .await;
    check(
        with("input", json!(vec!["a"; 2049])),
        400,
        "invalid_value",
        "input",
    )
    .await;
    check(
        with("dimensions", json!(2)),
        400,
        "invalid_value",
        "dimensions",
    )
    .await;
    check(
        with("encoding_format", json!("hex")),
        400,
        "invalid_value",
        "encoding_format",
    )
    .await;
    let long = "word ".repeat(51);
    let too_long = "context_length_exceeded";
    check(with("input", json!(["a", long])), 400, too_long, "input[1]").await;
}

#[tokio::test]
async fn documents_are_reranked() {
    let server = server(scripted()).await;
    let documents = json!(["a long document", {"text": "short"}, "a document"]);
    let body = json!({"model": "scripted-reranker", "query": "q", "documents": documents,
        "top_n": 2, "return_documents": true});
    let (status, page) = server.post_json("/v1/rerank", &body).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    let results = page["results"].as_array().expect("a list");
    assert_eq!(results.len(), 2);
    assert_eq!(
        (&results[0]["index"], &results[1]["index"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(results[0]["document"]["text"], "short");
    let score = results[0]["relevance_score"].as_f64().expect("a number");
    assert!((0.0..=1.0).contains(&score));
    assert_eq!(page["usage"]["total_tokens"], 9);

    let body = json!({"query": "q", "documents": []});
    let found = refused(&server, "/v1/rerank", body).await;
    assert_eq!(found, (400, "invalid_value".into(), json!("documents")));
}

#[tokio::test]
async fn a_search_finds_by_meaning_what_shares_no_word() {
    let encoders = Encoders {
        reranker: None,
        ..scripted()
    };
    let server = server(encoders).await;
    server
        .add("roads.txt", "The lorry was parked by the gate.")
        .await;
    server
        .add("pets.txt", "The hound was lying by the fire.")
        .await;
    for n in 0..30 {
        let text = format!("Number {n} of thirty other things.");
        server.add(&format!("other-{n}.txt"), text).await;
    }
    server.until_embedded().await;
    let query = |mode: &str| json!({"query": "truck", "mode": mode, "max_num_results": 1});
    assert_eq!(search(&server, query("dense")).await, ["roads.txt"]);
    assert_eq!(search(&server, query("hybrid")).await, ["roads.txt"]);
    assert!(search(&server, query("lexical")).await.is_empty());
    let weights = json!({"hybrid_search": {"embedding_weight": 1, "text_weight": 0}});
    let body = json!({"query": "truck fire", "ranking_options": weights, "max_num_results": 1});
    assert_eq!(search(&server, body).await, ["roads.txt"]);
}

#[tokio::test]
async fn a_reranker_orders_what_was_found_again() {
    let server = server(scripted()).await;
    server
        .add("long.txt", "gate gate gate, and a long text after it")
        .await;
    server.add("short.txt", "a gate").await;
    let found = search(&server, json!({"query": "gate", "mode": "lexical"})).await;
    assert_eq!(found, ["short.txt", "long.txt"]);
}

#[tokio::test]
async fn a_query_as_long_as_the_reranker_reads_is_answered_all_the_same() {
    let reranker = ScriptedReranker::new(|_, passage| -(passage.len() as f32));
    let server = server(Encoders {
        reranker: Some(Arc::new(reranker.with_max_tokens(40))),
        ..Encoders::default()
    })
    .await;
    server.add("gates.txt", "gate gate gate".repeat(20)).await;
    server.add("gate.txt", "a gate").await;
    for words in [1, 29, 31, 39, 40, 41, 100] {
        let query = vec!["gate"; words].join(" ");
        let found = search(&server, json!({"query": query})).await;
        assert_eq!(found.len(), 2, "{words} words");
    }
}

#[tokio::test]
async fn without_models_the_server_says_what_is_missing() {
    let server = server(Encoders::default()).await;
    server.add("a.txt", "A truck.").await;
    let body = json!({"model": "default", "input": "a"});
    let (status, reply) = server.post_json("/v1/embeddings", &body).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let message = reply["error"]["message"].as_str().expect("a text");
    assert!(message.contains("retrieval.embedder"), "{message}");
    let body = json!({"query": "a", "documents": ["b"]});
    let (status, reply) = server.post_json("/v1/rerank", &body).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let message = reply["error"]["message"].as_str().expect("a text");
    assert!(message.contains("retrieval.reranker"), "{message}");
    let dense = json!({"query": "truck", "mode": "dense"});
    let found = refused(&server, "/v1/vector_stores/default/search", dense).await;
    assert_eq!(found, (400, "invalid_value".into(), json!("mode")));
    assert_eq!(search(&server, json!({"query": "truck"})).await, ["a.txt"]);
    let chat = json!({"model": "default", "messages": [{"role": "user", "content": "truck?"}],
        "retrieval": {"mode": "dense"}});
    let found = refused(&server, "/v1/chat/completions", chat).await;
    assert_eq!(
        found,
        (400, "invalid_value".into(), json!("retrieval.mode"))
    );
}

/// More askers than the embedder has places for are answered by words, as they were before there
/// was one; who wants meaning alone comes back later.
#[tokio::test]
async fn a_search_does_not_fail_for_want_of_a_place_at_the_embedder() {
    let embedder = ScriptedEmbedder::new("crowded", |text| match text.ends_with('?') {
        true => Err(EngineError::Busy {
            retry_after: Duration::from_secs(1),
        }),
        false => Ok(vec![1.0, 0.1]),
    });
    let server = server(Encoders {
        embedder: Some(Arc::new(embedder)),
        ..Encoders::default()
    })
    .await;
    server.add("a.txt", "A truck carries sand.").await;
    server.until_embedded().await;
    let query = "where is the truck?";
    assert_eq!(search(&server, json!({"query": query})).await, ["a.txt"]);
    let chat = json!({"model": "default", "answer": "quotes", "messages":
        [{"role": "user", "content": "what does the truck carry?"}]});
    let (status, reply) = server.post_json("/v1/chat/completions", &chat).await;
    assert_eq!(status, StatusCode::OK, "{reply}");
    assert_eq!(reply["answered_by"], "quotes", "{reply}");
    let dense = json!({"query": query, "mode": "dense"});
    let (status, _, _) = refused(&server, "/v1/vector_stores/default/search", dense).await;
    assert_eq!(status, 503);
}

/// With the embedder inside the program, whose questions and answers share no word here, or no
/// language.
#[tokio::test]
async fn the_built_in_embedder_finds_the_same_in_other_words() {
    let encoders = startup::load_encoders(&RetrievalConfig::default()).expect("it loads");
    let server = server(encoders).await;
    let facts = [
        ("rent.txt", "임대인은 약정한 차임의 증액을 청구할 수 있다."),
        ("leave.txt", "근로자에게는 15일의 유급휴가를 주어야 한다."),
        (
            "heart.txt",
            "Cardiac arrest requires immediate chest compressions.",
        ),
        ("sea.txt", "Coral reefs bleach when the ocean gets warmer."),
    ];
    for (name, text) in facts {
        server.add(name, text).await;
    }
    server.until_embedded().await;
    let cases = [
        ("집주인이 월세를 올려도 되나요?", "rent.txt"),
        ("may the landlord ask for more money?", "rent.txt"),
        ("바닷물이 따뜻해지면 산호초는 어떻게 되나요?", "sea.txt"),
        ("damage to marine life by climate change", "sea.txt"),
    ];
    for (query, expected) in cases {
        let body = json!({"query": query, "max_num_results": 1});
        assert_eq!(search(&server, body).await, [expected], "{query}");
    }
}

#[test]
fn an_embedder_is_built_in_named_or_none() {
    let loaded = |embedder: &str| {
        let config = RetrievalConfig {
            embedder: embedder.into(),
            ..RetrievalConfig::default()
        };
        startup::load_encoders(&config)
    };
    let name = |embedder| {
        let encoders = loaded(embedder).expect("it loads");
        encoders.embedder.map(|found| found.model().name.clone())
    };
    assert_eq!(name("none"), None);
    assert!(name("built-in").is_some_and(|name| name.contains("e5")));
    let missing = loaded("no/such/folder")
        .err()
        .map(|error| error.to_string());
    assert!(missing.is_some_and(|text| text.contains("no/such/folder")));
}

/// With a published model, in the folder that the environment names; `.ci/run` fetches one.
#[tokio::test]
async fn a_real_embedder_finds_a_paraphrase() {
    let Some(folder) = std::env::var_os("TEST_EMBEDDER") else {
        eprintln!("skipped: TEST_EMBEDDER names no folder of an embedder");
        return;
    };
    let config = RetrievalConfig {
        embedder: folder.into(),
        ..RetrievalConfig::default()
    };
    let encoders = startup::load_encoders(&config).expect("the embedder loads");
    let server = server(encoders).await;
    let facts = [
        (
            "heart.txt",
            "Cardiac arrest requires immediate chest compressions.",
        ),
        (
            "tax.txt",
            "Revenue authorities expect the annual return in May.",
        ),
        ("sea.txt", "Coral reefs bleach when the ocean gets warmer."),
        (
            "code.txt",
            "The borrow checker rejects aliased mutable references.",
        ),
    ];
    for (name, text) in facts {
        server.add(name, text).await;
    }
    server.until_embedded().await;
    let cases = [
        ("what to do when someone's pulse stops", "heart.txt"),
        ("deadline for declaring my income to the state", "tax.txt"),
        ("damage to marine life by climate change", "sea.txt"),
    ];
    for (query, expected) in cases {
        let body = json!({"query": query, "mode": "dense", "max_num_results": 1});
        assert_eq!(search(&server, body).await, [expected], "{query}");
    }
}
