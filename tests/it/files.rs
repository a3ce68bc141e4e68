//! Files and collections: uploaded, attached, listed, searched, deleted.

use reqwest::StatusCode;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use server::config::Config;

use crate::harness::{TestServer, must_not_be_asked};

const TEA: &str =
    "# Tea\n\nGreen tea is steeped at seventy degrees. Black tea wants boiling water.\n";

async fn start() -> TestServer {
    TestServer::start(must_not_be_asked()).await
}

/// Uploads a file to `path` with more fields, and returns status and reply.
async fn upload(
    server: &TestServer,
    path: &str,
    filename: &str,
    content: &'static [u8],
    fields: &[(&'static str, &'static str)],
) -> (StatusCode, Value) {
    let mut form = Form::new().part("file", Part::bytes(content).file_name(filename.to_owned()));
    for (name, value) in fields {
        form = form.text(*name, *value);
    }
    let request = server.client().post(server.path(path)).multipart(form);
    let response = request.send().await.expect("the server answers");
    (response.status(), response.json().await.expect("JSON"))
}

async fn delete(server: &TestServer, path: &str) -> (StatusCode, Value) {
    let response = server
        .client()
        .delete(server.path(path))
        .send()
        .await
        .expect("the server answers");
    (response.status(), response.json().await.expect("JSON"))
}

async fn search(server: &TestServer, query: Value) -> Value {
    let (status, page) = server
        .post_json("/v1/vector_stores/default/search", &json!({"query": query}))
        .await;
    assert_eq!(status, StatusCode::OK, "{page}");
    page
}

#[tokio::test]
async fn a_file_is_stored_attached_read_and_deleted() {
    let server = start().await;
    let fields = [("purpose", "assistants")];
    let (status, file) = upload(&server, "/v1/files", "tea.md", TEA.as_bytes(), &fields).await;
    assert_eq!(status, StatusCode::OK, "{file}");
    let id = file["id"].as_str().expect("an id");
    assert!(id.starts_with("file-"), "{id}");
    assert_eq!(file["object"], "file");
    assert_eq!(
        (&file["bytes"], &file["purpose"]),
        (&json!(TEA.len()), &json!("assistants"))
    );
    assert_eq!(server.get(&format!("/v1/files/{id}")).await, file);
    let text = format!("/v1/files/{id}/text");
    assert_eq!(server.response(&text).await.status(), StatusCode::NOT_FOUND);

    let attach = json!({"file_id": id, "attributes": {"kind": "drink"}});
    let (_, attached) = server
        .post_json("/v1/vector_stores/default/files", &attach)
        .await;
    assert_eq!(
        (&attached["id"], &attached["object"]),
        (&json!(id), &json!("vector_store.file"))
    );
    let completed = server.until_indexed(id).await;
    assert_eq!(completed["status"], "completed", "{completed}");
    assert_eq!(completed["attributes"], json!({"kind": "drink"}));
    assert_eq!(completed["language"], "en");

    let response = server.response(&text).await;
    assert_eq!(
        response.headers()["content-type"],
        "text/plain; charset=utf-8"
    );
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    assert!(
        response
            .text()
            .await
            .expect("a text")
            .contains("seventy degrees")
    );
    let content = server.response(&format!("/v1/files/{id}/content")).await;
    assert_eq!(content.bytes().await.expect("bytes"), TEA.as_bytes());

    let (_, deleted) = delete(&server, &format!("/v1/files/{id}")).await;
    assert_eq!(
        deleted,
        json!({
            "id": id, "object": "file", "deleted": true, "durability": "fsync",
            "purged": {
                "bytes": TEA.len(), "text_bytes": TEA.len(), "passages": 1, "answers": 0,
                "vector_store_ids": [attached["vector_store_id"]],
                "cached_bytes": 0,
            },
        })
    );
    assert_eq!(server.response(&text).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(search(&server, json!("green tea")).await["data"], json!([]));
    assert_eq!(
        delete(&server, &format!("/v1/files/{id}")).await.0,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn an_upload_can_be_attached_at_once() {
    let server = start().await;
    let fields = [("attributes", r#"{"year": 2024}"#)];
    let path = "/v1/vector_stores/default/files";
    let (status, attached) = upload(&server, path, "tea.md", TEA.as_bytes(), &fields).await;
    assert_eq!(status, StatusCode::OK, "{attached}");
    let id = attached["id"].as_str().expect("an id");
    server.until_indexed(id).await;

    let page = search(&server, json!("green tea")).await;
    assert_eq!(page["object"], "vector_store.search_results.page");
    assert_eq!(page["search_query"], json!(["green tea"]));
    let item = &page["data"][0];
    assert_eq!(
        (&item["file_id"], &item["filename"]),
        (&json!(id), &json!("tea.md"))
    );
    assert!(
        item["score"]
            .as_f64()
            .is_some_and(|score| (0.0..=1.0).contains(&score))
    );
    let attributes = &item["attributes"];
    assert_eq!(attributes["year"], 2024);
    let at = |name: &str| attributes[name].as_u64().expect("an offset") as usize;
    let text = server
        .response(&format!("/v1/files/{id}/text"))
        .await
        .text()
        .await
        .expect("a text");
    let passage: String = text
        .chars()
        .skip(at("ibid.start"))
        .take(at("ibid.end") - at("ibid.start"))
        .collect();
    assert_eq!(item["content"], json!([{"type": "text", "text": passage}]));
}

#[tokio::test]
async fn attributes_are_replaced() {
    let server = start().await;
    let id = server.add("tea.md", TEA).await;
    let path = format!("/v1/vector_stores/default/files/{id}");
    let update = async |attributes: Value| {
        let body = json!({"attributes": attributes});
        server.post_json(&path, &body).await
    };
    let noted = json!({"author": "기윤", "draft": false, "year": 2024.5});
    let (status, updated) = update(noted.clone()).await;
    assert_eq!(status, StatusCode::OK, "{updated}");
    assert_eq!(updated["attributes"], noted);
    assert_eq!(server.get(&path).await["attributes"], noted);
    let list = server.get("/v1/vector_stores/default/files").await;
    assert_eq!(list["data"][0]["attributes"], noted);
    let found = search(&server, json!("green tea")).await;
    assert_eq!(found["data"][0]["attributes"]["author"], "기윤");

    let seventeen: serde_json::Map<_, _> = (0..17).map(|n| (n.to_string(), json!(n))).collect();
    for wrong in [
        json!(seventeen),
        json!({"k".repeat(65): 1}),
        json!({"key": "v".repeat(513)}),
        json!({"key": [1]}),
        json!({"ibid.page": 1}),
    ] {
        let (status, refusal) = update(wrong).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{refusal}");
    }
    assert_eq!(server.get(&path).await["attributes"], noted);
    let (_, refusal) = server.post_json(&path, &json!({})).await;
    assert_eq!(refusal["error"]["param"], "attributes");
    assert_eq!(update(json!(null)).await.1["attributes"], json!({}));
    let elsewhere = "/v1/vector_stores/default/files/file-0";
    let (status, _) = server
        .post_json(elsewhere, &json!({"attributes": {}}))
        .await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn several_queries_find_each_passage_once() {
    let server = start().await;
    server.add("tea.md", TEA).await;
    let page = search(&server, json!(["green tea", "black tea"])).await;
    assert_eq!(page["data"].as_array().map(Vec::len), Some(1), "{page}");
}

#[tokio::test]
async fn the_same_document_twice_is_one() {
    let server = start().await;
    let first = server.add("tea.md", TEA).await;
    let second = server.add("tea.md", TEA).await;
    assert_eq!(first, second);
    assert_eq!(
        server.get("/v1/files").await["data"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
}

#[tokio::test]
async fn an_unreadable_file_fails_alone_and_says_why() {
    let server = start().await;
    let path = "/v1/vector_stores/default/files";
    let binary = b"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xfe\xfd";
    let (status, attached) = upload(&server, path, "program", binary, &[]).await;
    assert_eq!(status, StatusCode::OK, "{attached}");
    let failed = server
        .until_indexed(attached["id"].as_str().expect("an id"))
        .await;
    assert_eq!(failed["status"], "failed");
    assert_eq!(failed["last_error"]["code"], "unsupported_file", "{failed}");

    server.add("tea.md", TEA).await;
    let collection = server.get("/v1/vector_stores/default").await;
    assert_eq!(
        collection["file_counts"],
        json!({"in_progress": 0, "completed": 1, "failed": 1, "cancelled": 0, "total": 2})
    );
    let failures = server
        .get("/v1/vector_stores/default/files?filter=failed")
        .await;
    assert_eq!(failures["data"], json!([failed]));
}

#[tokio::test]
async fn lists_are_walked_page_by_page() {
    let server = start().await;
    let mut added = Vec::new();
    for (name, text) in [
        ("a.md", "# A\n\nApples."),
        ("b.md", "# B\n\nBears."),
        ("c.md", "# C\n\nCats."),
    ] {
        added.push(server.add(name, text).await);
    }
    for list in ["/v1/files", "/v1/vector_stores/default/files"] {
        let first = server.get(&format!("{list}?limit=2&order=asc")).await;
        assert_eq!(
            (&first["object"], &first["has_more"]),
            (&json!("list"), &json!(true)),
            "{list}"
        );
        assert_eq!(
            (&first["first_id"], &first["last_id"]),
            (&json!(added[0]), &json!(added[1]))
        );
        let rest = server
            .get(&format!("{list}?limit=2&order=asc&after={}", added[1]))
            .await;
        assert_eq!(
            (&rest["first_id"], &rest["has_more"]),
            (&json!(added[2]), &json!(false)),
            "{list}"
        );
        let newest = server.get(&format!("{list}?limit=1")).await;
        assert_eq!(newest["first_id"], added[2], "{list}");
    }
}

#[tokio::test]
async fn a_collection_goes_by_id_and_by_name() {
    let server = start().await;
    let by_name = server.get("/v1/vector_stores/default").await;
    assert_eq!(
        (&by_name["object"], &by_name["name"]),
        (&json!("vector_store"), &json!("default"))
    );
    let id = by_name["id"].as_str().expect("an id");
    assert_eq!(
        server.get(&format!("/v1/vector_stores/{id}")).await,
        by_name
    );
    assert_eq!(
        server.get("/v1/vector_stores").await["data"],
        json!([by_name])
    );

    let (_, created) = server
        .post_json("/v1/vector_stores", &json!({"name": "law"}))
        .await;
    assert_eq!(created["status"], "completed", "{created}");
    let (status, refused) = server
        .post_json("/v1/vector_stores", &json!({"name": "law"}))
        .await;
    assert_eq!(
        (status, &refused["error"]["param"]),
        (StatusCode::BAD_REQUEST, &json!("name"))
    );
    let (_, deleted) = delete(&server, "/v1/vector_stores/law").await;
    assert_eq!(deleted["object"], "vector_store.deleted");
}

#[tokio::test]
async fn detaching_keeps_the_file() {
    let server = start().await;
    let id = server.add("tea.md", TEA).await;
    let (_, detached) = delete(&server, &format!("/v1/vector_stores/default/files/{id}")).await;
    assert_eq!(
        detached,
        json!({
            "id": id, "object": "vector_store.file.deleted", "deleted": true,
            "durability": "fsync",
        })
    );
    assert_eq!(search(&server, json!("green tea")).await["data"], json!([]));
    assert_eq!(server.get(&format!("/v1/files/{id}")).await["id"], id);
}

#[tokio::test]
async fn nothing_is_fetched_unless_that_is_switched_on() {
    let path = "/v1/vector_stores/default/files";
    let refused = async |server: &TestServer, body: Value| {
        let (status, reply) = server.post_json(path, &body).await;
        let error = reply["error"].clone();
        assert_eq!(status, StatusCode::BAD_REQUEST, "{reply}");
        let text = |key: &str| error[key].as_str().unwrap_or_default().to_owned();
        (text("code"), text("param"), text("message"))
    };
    let server = start().await;
    let (code, param, message) = refused(&server, json!({"url": "https://example.org/"})).await;
    assert_eq!((&*code, &*param), ("unsupported_parameter", "url"));
    assert!(message.contains("[fetch]"), "{message}");

    let mut config = Config::default();
    config.fetch.enabled = true;
    let server = TestServer::start_with(config, must_not_be_asked()).await;
    let inside = server.path("/healthz").replace("127.0.0.1", "localhost");
    for url in [
        "http://127.0.0.1/",
        "http://[::1]/",
        "file:///etc/passwd",
        &inside,
    ] {
        let (code, param, message) = refused(&server, json!({"url": url})).await;
        assert_eq!((&*code, &*param), ("invalid_value", "url"), "{url}");
        assert!(message.contains("not fetched"), "{message}");
    }
    let both = json!({"url": "http://127.0.0.1/", "file_id": "file-1"});
    let (code, param, _) = refused(&server, both).await;
    assert_eq!((&*code, &*param), ("invalid_value", "file_id"));
}
