//! Bad input: each a clear error in OpenAI's shape, with the field at fault.

use reqwest::multipart::{Form, Part};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use server::config::Config;

use crate::harness::{TestServer, chat, must_not_be_asked, says};

const CHAT: &str = "/v1/chat/completions";
const SEARCH: &str = "/v1/vector_stores/default/search";
const JSON: &str = "application/json";

async fn send(
    server: &TestServer,
    method: &str,
    path: &str,
    content_type: &str,
    body: String,
) -> Response {
    let method = Method::from_bytes(method.as_bytes()).expect("a method");
    let request = server.client().request(method, server.path(path));
    let request = request.header("content-type", content_type).body(body);
    request.send().await.expect("the server answers")
}

/// The reply is an error of OpenAI's shape with this status, field and code.
async fn check_error(response: Response, status: u16, param: Value, code: &str, case: &str) {
    let found = response.status().as_u16();
    assert_eq!(response.headers()["content-type"], JSON, "{case}");
    let body: Value = response.json().await.expect("an error is JSON");
    let error = &body["error"];
    assert_eq!(
        (found, &error["param"], &error["code"]),
        (status, &param, &json!(code)),
        "{case}: {body}"
    );
    assert!(
        error["message"]
            .as_str()
            .is_some_and(|message| message.len() > 10),
        "{case}: {body}"
    );
    assert!(error["type"].is_string(), "{case}: {body}");
}

#[tokio::test]
async fn bodies_that_cannot_be_read() {
    let server = TestServer::start(must_not_be_asked()).await;
    let deep = format!("{{\"model\":{}", "[".repeat(100_000));
    for (path, content_type, body, status, code) in [
        (CHAT, JSON, "", 400, "invalid_json"),
        (CHAT, JSON, "{\"model\":", 400, "invalid_json"),
        (CHAT, JSON, "[1]", 400, "invalid_json"),
        (CHAT, JSON, deep.as_str(), 400, "invalid_json"),
        (CHAT, "text/plain", "{}", 415, "unsupported_media_type"),
        (
            CHAT,
            "application/x-www-form-urlencoded",
            "a=b",
            415,
            "unsupported_media_type",
        ),
        (SEARCH, JSON, "{", 400, "invalid_json"),
        ("/v1/files", JSON, "{}", 415, "unsupported_media_type"),
        ("/v1/files", "multipart/form-data", "x", 400, "invalid_form"),
        (
            "/v1/files",
            "multipart/form-data; boundary=b",
            "--b\r\ngarbage",
            400,
            "invalid_form",
        ),
        (
            "/v1/vector_stores/default/files",
            "text/plain",
            "x",
            415,
            "unsupported_media_type",
        ),
    ] {
        let response = send(&server, "POST", path, content_type, body.to_owned()).await;
        let case = format!("{path} {content_type} {body:.20}");
        check_error(response, status, Value::Null, code, &case).await;
    }
}

#[tokio::test]
async fn fields_at_fault_are_named() {
    let server = TestServer::start(must_not_be_asked()).await;
    server.add("sky.md", "# Sky\n\nThe sky is blue.").await;
    let long = "why ".repeat(1000);
    for (path, body, status, param, code) in [
        (CHAT, json!({}), 400, "model", "missing_required_parameter"),
        (
            CHAT,
            json!({"model": "default", "messages": []}),
            400,
            "messages",
            "invalid_value",
        ),
        (
            CHAT,
            chat("", json!({})),
            400,
            "messages[0].content",
            "invalid_value",
        ),
        (
            CHAT,
            chat(&long, json!({})),
            400,
            "messages",
            "invalid_value",
        ),
        (
            CHAT,
            chat("Why?", json!({"temperature": 3})),
            400,
            "temperature",
            "invalid_value",
        ),
        (
            CHAT,
            chat("Why?", json!({"stream": 1})),
            400,
            "stream",
            "invalid_type",
        ),
        (
            CHAT,
            chat("Why?", json!({"n": 9})),
            400,
            "n",
            "invalid_value",
        ),
        (
            CHAT,
            chat("Why?", json!({"model": "gpt-4"})),
            404,
            "model",
            "model_not_found",
        ),
        (
            CHAT,
            chat("Why?", json!({"model": "default@nowhere"})),
            404,
            "model",
            "collection_not_found",
        ),
        (
            CHAT,
            chat("Why?", json!({"retrieval": {"collections": ["nowhere"]}})),
            404,
            "retrieval.collections[0]",
            "collection_not_found",
        ),
        (
            SEARCH,
            json!({"query": long}),
            400,
            "query",
            "invalid_value",
        ),
        (
            SEARCH,
            json!({"query": "sky", "max_num_results": 51}),
            400,
            "max_num_results",
            "invalid_value",
        ),
        (
            "/v1/vector_stores",
            json!({"name": ""}),
            400,
            "name",
            "invalid_value",
        ),
        (
            "/v1/vector_stores/default/files",
            json!({}),
            400,
            "file_id",
            "missing_required_parameter",
        ),
        (
            "/v1/vector_stores/default/files",
            json!({"file_id": "file-1", "attributes": {"a": [1]}}),
            400,
            "attributes.a",
            "invalid_type",
        ),
    ] {
        let response = server.post(path, &body).await;
        check_error(
            response,
            status,
            json!(param),
            code,
            &format!("{path} {:.60}", body.to_string()),
        )
        .await;
    }
}

#[tokio::test]
async fn what_is_not_there() {
    let server = TestServer::start(must_not_be_asked()).await;
    let (file, collection) = (json!("file_id"), json!("vector_store_id"));
    for (method, path, status, param, code) in [
        ("GET", "/v1/nothing", 404, Value::Null, "unknown_url"),
        ("GET", CHAT, 405, Value::Null, "method_not_allowed"),
        ("PUT", "/v1/files", 405, Value::Null, "method_not_allowed"),
        (
            "GET",
            "/v1/models/gpt-4",
            404,
            json!("model"),
            "model_not_found",
        ),
        (
            "GET",
            "/v1/files/file-1",
            404,
            file.clone(),
            "file_not_found",
        ),
        (
            "GET",
            "/v1/files/file-1/text",
            404,
            file.clone(),
            "file_not_found",
        ),
        (
            "DELETE",
            "/v1/files/file-1",
            404,
            file.clone(),
            "file_not_found",
        ),
        (
            "GET",
            "/v1/vector_stores/nowhere",
            404,
            collection.clone(),
            "collection_not_found",
        ),
        (
            "GET",
            "/v1/vector_stores/nowhere/files",
            404,
            collection.clone(),
            "collection_not_found",
        ),
        (
            "GET",
            "/v1/vector_stores/default/files/file-1",
            404,
            file,
            "file_not_found",
        ),
        (
            "GET",
            "/v1/files?limit=0",
            400,
            json!("limit"),
            "invalid_value",
        ),
        (
            "GET",
            "/v1/files?limit=10001",
            400,
            json!("limit"),
            "invalid_value",
        ),
        (
            "GET",
            "/v1/files?limit=ten",
            400,
            json!("limit"),
            "invalid_value",
        ),
        (
            "GET",
            "/v1/files?order=up",
            400,
            json!("order"),
            "invalid_value",
        ),
        (
            "GET",
            "/v1/files?after=file-1",
            400,
            json!("after"),
            "invalid_value",
        ),
        (
            "GET",
            "/v1/vector_stores?limit=101",
            400,
            json!("limit"),
            "invalid_value",
        ),
        (
            "GET",
            "/v1/vector_stores/default/files?filter=lost",
            400,
            json!("filter"),
            "invalid_value",
        ),
        (
            "DELETE",
            "/v1/vector_stores/default",
            400,
            collection,
            "invalid_value",
        ),
    ] {
        let response = send(&server, method, path, JSON, String::new()).await;
        check_error(response, status, param, code, &format!("{method} {path}")).await;
    }
}

#[tokio::test]
async fn forms_without_what_they_need() {
    let server = TestServer::start(must_not_be_asked()).await;
    let file = |content: &'static [u8], name: &'static str| Part::bytes(content).file_name(name);
    for (form, param, code) in [
        (
            Form::new().text("purpose", "user_data"),
            "file",
            "missing_required_parameter",
        ),
        (
            Form::new().text("file", "just text"),
            "file",
            "invalid_value",
        ),
        (
            Form::new().part("file", file(b"", "empty.txt")),
            "file",
            "invalid_value",
        ),
        (
            Form::new()
                .part("file", file(b"x", "x.txt"))
                .part("purpose", Part::bytes(&b"\xff"[..])),
            "purpose",
            "invalid_value",
        ),
    ] {
        let request = server
            .client()
            .post(server.path("/v1/files"))
            .multipart(form);
        let response = request.send().await.expect("the server answers");
        check_error(response, 400, json!(param), code, param).await;
    }
    let form = Form::new()
        .part("file", file(b"x", "x.txt"))
        .text("attributes", "{");
    let path = server.path("/v1/vector_stores/default/files");
    let response = server
        .client()
        .post(path)
        .multipart(form)
        .send()
        .await
        .expect("the server answers");
    check_error(
        response,
        400,
        json!("attributes"),
        "invalid_json",
        "attributes",
    )
    .await;
}

#[tokio::test]
async fn bodies_that_are_too_large() {
    let mut config = Config::default();
    config.limits.body_bytes = 1000;
    config.limits.upload_bytes = 1000;
    let server = TestServer::start_with(config, says("Hello.")).await;
    let exact = |bytes: usize| {
        let mut body = chat("", json!({})).to_string();
        let padding = "x".repeat(bytes - body.len());
        body = chat(&padding, json!({})).to_string();
        assert_eq!(body.len(), bytes);
        body
    };
    let fits = send(&server, "POST", CHAT, JSON, exact(1000)).await;
    assert_eq!(fits.status(), StatusCode::OK);
    for bytes in [1001, 1_000_000] {
        let refused = send(&server, "POST", CHAT, JSON, exact(bytes)).await;
        check_error(refused, 413, Value::Null, "request_too_large", "JSON").await;
    }
    for (bytes, status) in [(1000, 200), (1001, 413), (3_000_000, 413)] {
        let form = Form::new().part("file", Part::bytes(vec![b'x'; bytes]).file_name("x.txt"));
        let request = server
            .client()
            .post(server.path("/v1/files"))
            .multipart(form);
        let response = request.send().await.expect("the server answers");
        assert_eq!(response.status().as_u16(), status, "{bytes}");
    }
}

#[tokio::test]
async fn a_conversation_that_does_not_fit() {
    let server = TestServer::start(says("Hello.")).await;
    let response = server
        .post(CHAT, &chat(&"word ".repeat(5000), json!({})))
        .await;
    check_error(
        response,
        400,
        json!("messages"),
        "context_length_exceeded",
        "5000 words",
    )
    .await;
}

#[tokio::test]
async fn every_reply_carries_the_headers_that_protect_browsers() {
    let server = TestServer::start(must_not_be_asked()).await;
    for path in ["/", "/healthz", "/readyz", "/v1/models", "/v1/nothing"] {
        let response = server.response(path).await;
        let header = |name: &str| {
            response
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        assert_eq!(header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(header("referrer-policy"), Some("no-referrer"), "{path}");
        assert_eq!(header("cache-control"), Some("no-store"), "{path}");
        assert!(
            header("content-security-policy")
                .is_some_and(|policy| policy.starts_with("default-src 'none'"))
        );
        assert!(
            header("x-request-id").is_some_and(|id| id.starts_with("req_")),
            "{path}"
        );
        assert_eq!(header("access-control-allow-origin"), None, "{path}");
    }
}

#[tokio::test]
async fn too_many_headers_are_refused() {
    let server = TestServer::start(must_not_be_asked()).await;
    let mut request = server.client().get(server.path("/healthz"));
    for n in 0..100 {
        request = request.header(format!("x-{n}"), "1");
    }
    let response = request.send().await.expect("the server answers");
    assert_eq!(
        response.status(),
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
    );
}
