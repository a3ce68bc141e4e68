//! Searches narrowed by what is noted about files.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::harness::{TestServer, must_not_be_asked};

/// A server whose default collection holds a note on tea of each year.
async fn start() -> TestServer {
    let server = TestServer::start(must_not_be_asked()).await;
    for (year, kind) in [(2023, "minutes"), (2024, "report"), (2025, "minutes")] {
        let text =
            format!("Green tea was steeped at seventy degrees, says the {kind} of {year}.\n");
        let file = server.add(&format!("{year}.md"), text).await;
        let attributes = json!({"file_id": file, "attributes": {"year": year, "kind": kind}});
        let (status, reply) = server
            .post_json("/v1/vector_stores/default/files", &attributes)
            .await;
        assert_eq!(status, StatusCode::OK, "{reply}");
    }
    server
}

async fn check(server: &TestServer, filters: Value, expected: &[&str]) {
    let body = json!({"query": ["green tea", "degrees"], "filters": filters});
    let (status, page) = server
        .post_json("/v1/vector_stores/default/search", &body)
        .await;
    assert_eq!(status, StatusCode::OK, "{page}");
    let hits = page["data"].as_array().expect("a list").iter();
    let mut names: Vec<&str> = hits.filter_map(|hit| hit["filename"].as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, expected, "{filters}");
}

#[tokio::test]
async fn filters_are_exact_in_search() {
    let server = start().await;
    let year = |kind: &str, year: i64| json!({"type": kind, "key": "year", "value": year});
    check(&server, Value::Null, &["2023.md", "2024.md", "2025.md"]).await;
    check(&server, year("eq", 2024), &["2024.md"]).await;
    check(&server, year("ne", 2024), &["2023.md", "2025.md"]).await;
    check(&server, year("gt", 2024), &["2025.md"]).await;
    check(&server, year("lte", 2024), &["2023.md", "2024.md"]).await;
    let minutes = json!({"type": "in", "key": "kind", "value": ["minutes", "memo"]});
    check(&server, minutes.clone(), &["2023.md", "2025.md"]).await;
    let both = json!({"type": "and", "filters": [minutes, year("gte", 2024)]});
    check(&server, both, &["2025.md"]).await;
    let name = json!({"type": "eq", "key": "filename", "value": "2023.md"});
    check(&server, name, &["2023.md"]).await;
    check(&server, year("eq", 1999), &[]).await;
    let language = |code: &str| json!({"type": "eq", "key": "language", "value": code});
    check(&server, language("en"), &["2023.md", "2024.md", "2025.md"]).await;
    check(&server, language("ko"), &[]).await;
}

#[tokio::test]
async fn filters_are_exact_in_chat() {
    let server = start().await;
    let filters = json!({"type": "eq", "key": "year", "value": 2024});
    let more = json!({"answer": "quotes", "retrieval": {"filters": filters}});
    let answer = server.ask("How was green tea steeped?", more).await;
    let results = answer["search_results"].as_array().expect("a list");
    assert_eq!(results.len(), 1, "{answer}");
    assert_eq!(results[0]["filename"], "2024.md");
}

#[tokio::test]
async fn quotes_and_minus_signs_narrow_a_search() {
    let server = start().await;
    let body = json!({"query": "tea -minutes"});
    let path = "/v1/vector_stores/default/search";
    let (_, page) = server.post_json(path, &body).await;
    assert_eq!(page["data"][0]["filename"], "2024.md", "{page}");
    assert_eq!(page["data"].as_array().map(Vec::len), Some(1), "{page}");
    let body = json!({"query": "tea \"minutes of 2025\""});
    let (_, page) = server.post_json(path, &body).await;
    assert_eq!(page["data"][0]["filename"], "2025.md", "{page}");
    assert_eq!(page["data"].as_array().map(Vec::len), Some(1), "{page}");
}
