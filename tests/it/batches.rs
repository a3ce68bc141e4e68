//! Many files at once, and what happens to them as it happens.

use reqwest::StatusCode;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::harness::{TestServer, must_not_be_asked};

const BATCHES: &str = "/v1/vector_stores/default/file_batches";

async fn start() -> TestServer {
    TestServer::start(must_not_be_asked()).await
}

async fn store(server: &TestServer, filename: &str, content: Vec<u8>) -> String {
    let form = Form::new().part("file", Part::bytes(content).file_name(filename.to_owned()));
    let request = server
        .client()
        .post(server.path("/v1/files"))
        .multipart(form);
    let response = request.send().await.expect("the server answers");
    let file: Value = response.json().await.expect("JSON");
    assert_eq!(file["durability"], "fsync", "{file}");
    file["id"].as_str().expect("an id").to_owned()
}

async fn until_done(server: &TestServer, batch: &Value) -> Value {
    let path = format!("{BATCHES}/{}", batch["id"].as_str().expect("an id"));
    loop {
        let batch = server.get(&path).await;
        if batch["status"] != "in_progress" {
            return batch;
        }
    }
}

#[tokio::test]
async fn a_batch_is_attached_and_followed() {
    let server = start().await;
    let tea = store(&server, "tea.md", b"Green tea.".to_vec()).await;
    let coffee = store(&server, "coffee.md", b"Black coffee.".to_vec()).await;
    let broken = store(&server, "x.png", b"\x89PNG\r\n\x1a\n\0\0\0".to_vec()).await;
    let body = json!({"file_ids": [tea, coffee, broken, tea], "attributes": {"kind": "drink"}});
    let (status, batch) = server.post_json(BATCHES, &body).await;
    assert_eq!(status, StatusCode::OK, "{batch}");
    assert_eq!(batch["object"], "vector_store.files_batch");
    assert!(
        batch["id"]
            .as_str()
            .is_some_and(|id| id.starts_with("vsfb_"))
    );

    let batch = until_done(&server, &batch).await;
    assert_eq!(batch["status"], "completed");
    assert_eq!(
        batch["file_counts"],
        json!({"in_progress": 0, "completed": 2, "failed": 1, "cancelled": 0, "total": 3})
    );
    let files = format!("{BATCHES}/{}/files", batch["id"].as_str().expect("an id"));
    let completed = server
        .get(&format!("{files}?filter=completed&order=asc"))
        .await;
    assert_eq!(completed["data"][0]["id"], tea);
    assert_eq!(completed["data"][1]["attributes"], json!({"kind": "drink"}));
    assert_eq!(completed["data"].as_array().map(Vec::len), Some(2));
    let waiting = server.get(&format!("{files}?filter=in_progress")).await;
    assert_eq!(waiting["data"], json!([]));

    let each = json!({"files": [{"file_id": tea, "attributes": {"kind": "leaf"}}]});
    let (_, batch) = server.post_json(BATCHES, &each).await;
    until_done(&server, &batch).await;
    let path = format!("/v1/vector_stores/default/files/{tea}");
    assert_eq!(server.get(&path).await["attributes"]["kind"], "leaf");
    let cancel = format!("{BATCHES}/{}/cancel", batch["id"].as_str().expect("an id"));
    let (status, cancelled) = server.post_json(&cancel, &json!({})).await;
    assert_eq!(status, StatusCode::OK, "{cancelled}");
    assert_eq!(cancelled["status"], "cancelled");
    assert_eq!(cancelled["file_counts"]["completed"], 1);
}

#[tokio::test]
async fn a_batch_is_all_or_nothing() {
    let server = start().await;
    let tea = store(&server, "tea.md", b"Green tea.".to_vec()).await;
    let ids: Vec<String> = (0..2001).map(|n| n.to_string()).collect();
    for (body, param) in [
        (json!({"file_ids": [tea, "file-0"]}), "file_id"),
        (json!({"file_ids": []}), "file_ids"),
        (json!({"file_ids": ids}), "file_ids"),
        (json!({"files": [{"attributes": {}}]}), "files[0].file_id"),
        (json!({"files": [], "file_ids": [tea]}), "file_ids"),
        (json!({}), "file_ids"),
    ] {
        let (status, refusal) = server.post_json(BATCHES, &body).await;
        assert!(status.is_client_error(), "{refusal}");
        assert_eq!(refusal["error"]["param"], param, "{refusal}");
    }
    let files = server.get("/v1/vector_stores/default/files").await;
    assert_eq!(files["data"], json!([]));
    let unknown = server.response(&format!("{BATCHES}/vsfb_0")).await;
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_file_replaces_the_one_of_its_name() {
    let server = start().await;
    let upload = async |text: &'static str| {
        let part = Part::bytes(text.as_bytes()).file_name("tea.md");
        let form = Form::new().part("file", part).text("replace", "true");
        let path = server.path("/v1/vector_stores/default/files");
        let request = server.client().post(path).multipart(form);
        let response = request.send().await.expect("the server answers");
        let added: Value = response.json().await.expect("JSON");
        let id = added["id"].as_str().expect("an id").to_owned();
        server.until_indexed(&id).await;
        id
    };
    let old = upload("Green tea is old.").await;
    assert_eq!(upload("Green tea is old.").await, old);
    let new = upload("Green tea is new.").await;
    let files = server.get("/v1/files").await;
    assert_eq!(files["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(files["data"][0]["id"], new);
    let query = json!({"query": "green tea"});
    let search = "/v1/vector_stores/default/search";
    let (_, page) = server.post_json(search, &query).await;
    assert_eq!(page["data"].as_array().map(Vec::len), Some(1), "{page}");
    assert_eq!(page["index"], "complete");
    assert_eq!(page["data"][0]["file_id"], new);
}

#[tokio::test]
async fn large_files_come_and_go_in_pieces() {
    let server = start().await;
    let content: Vec<u8> = (0..5_000_000u32).map(|n| (n % 251) as u8).collect();
    let id = store(&server, "large.bin", content.clone()).await;
    let response = server.response(&format!("/v1/files/{id}/content")).await;
    assert_eq!(response.headers()["content-length"], "5000000");
    assert!(response.bytes().await.expect("bytes") == content);
}

#[tokio::test]
async fn events_tell_what_happens() {
    let server = start().await;
    let path = "/v1/vector_stores/default/events";
    let mut stream = server.response(path).await;
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let id = server.add("tea.md", "Green tea.").await;
    let deleted = server
        .client()
        .delete(server.path(&format!("/v1/files/{id}")));
    deleted.send().await.expect("the server answers");

    let mut events = Vec::new();
    let mut text = String::new();
    let wanted = |events: &[Value], name: &str| events.iter().any(|event| event["type"] == name);
    while !wanted(&events, "vector_store.file.removed") {
        let chunk = stream.chunk().await.expect("a stream").expect("no end");
        text += std::str::from_utf8(&chunk).expect("text");
        while let Some((event, rest)) = text.split_once("\n\n") {
            if let Some(data) = event.strip_prefix("data: ") {
                events.push(serde_json::from_str::<Value>(data).expect("JSON"));
            }
            text = rest.to_owned();
        }
    }
    assert_eq!(events[0]["type"], "vector_store.updated");
    assert_eq!(events[0]["vector_store"]["file_counts"]["total"], 0);
    let of_file: Vec<&Value> = events
        .iter()
        .filter(|event| event["file_id"] == *id)
        .collect();
    let types: Vec<&Value> = of_file.iter().map(|event| &event["type"]).collect();
    assert_eq!(
        types,
        [
            "vector_store.file.in_progress",
            "vector_store.file.completed",
            "vector_store.file.removed"
        ]
    );
    assert_eq!(of_file[1]["filename"], "tea.md");
    let unknown = server.response("/v1/vector_stores/none/events").await;
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
}
