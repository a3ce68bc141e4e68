//! `ibid models pull`, against a hub of the test's own.

use std::collections::HashMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::net::TcpListener;

const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

/// A hub with one model, whose large files are kept at another server, as Hugging Face's are.
struct Hub {
    files: HashMap<&'static str, Vec<u8>>,
    elsewhere: String,
    /// Paths and the `Range` and `Authorization` they were asked with.
    asked: Mutex<Vec<(String, String, String)>>,
    /// How many answers of the other server break off in the middle.
    breaks: Mutex<u32>,
}

fn hash(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn header_of(headers: &HeaderMap, name: header::HeaderName) -> String {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_owned()
}

async fn answer(
    State(hub): State<Arc<Hub>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let path = uri.path().to_owned();
    let range = header_of(&headers, header::RANGE);
    let token = header_of(&headers, header::AUTHORIZATION);
    if method == Method::GET {
        hub.asked
            .lock()
            .expect("no panic")
            .push((path.clone(), range.clone(), token));
    }
    if path == "/api/models/a/b/revision/main" {
        let files = hub.files.keys().map(|name| json!({"rfilename": name}));
        let list = json!({"sha": SHA, "siblings": files.collect::<Vec<_>>()});
        return list.to_string().into_response();
    }
    let small = path.strip_prefix(&format!("/a/b/resolve/{SHA}/"));
    let Some((name, bytes)) = small
        .or_else(|| path.strip_prefix("/stored/"))
        .and_then(|name| hub.files.get_key_value(name))
    else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match small {
        Some(name) if name.ends_with(".json") => {
            let tag = format!("\"{}\"", &hash(bytes)[..40]);
            ([(header::ETAG, tag)], bytes.clone()).into_response()
        }
        Some(_) => Response::builder()
            .status(StatusCode::FOUND)
            .header("x-linked-etag", format!("\"{}\"", hash(bytes)))
            .header("x-linked-size", bytes.len())
            .header(header::LOCATION, format!("{}/stored/{name}", hub.elsewhere))
            .body(Body::empty())
            .expect("good headers"),
        None => stored(&hub, bytes, &range),
    }
}

/// What the other server sends: the range that was asked for, sometimes only a part of it.
fn stored(hub: &Hub, bytes: &[u8], range: &str) -> Response {
    let from = range.strip_prefix("bytes=").and_then(|range| {
        let from = range.strip_suffix('-')?;
        from.parse::<usize>().ok()
    });
    let status = match from {
        Some(_) => StatusCode::PARTIAL_CONTENT,
        None => StatusCode::OK,
    };
    let rest = bytes[from.unwrap_or(0)..].to_vec();
    let mut breaks = hub.breaks.lock().expect("no panic");
    if *breaks == 0 {
        return (status, rest).into_response();
    }
    *breaks -= 1;
    let half = rest[..rest.len() / 2].to_vec();
    let pieces = [
        Ok(half),
        Err(std::io::Error::other("the connection breaks")),
    ];
    let stream = tokio_stream(pieces.into_iter().collect());
    (status, Body::from_stream(stream)).into_response()
}

/// A stream of what is there already.
fn tokio_stream(
    mut pieces: std::collections::VecDeque<Result<Vec<u8>, std::io::Error>>,
) -> impl futures_core::Stream<Item = Result<Vec<u8>, std::io::Error>> {
    struct Ready<F>(F);
    impl<T, F: FnMut() -> Option<T> + Unpin> futures_core::Stream for Ready<F> {
        type Item = T;
        fn poll_next(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<T>> {
            std::task::Poll::Ready((self.0)())
        }
    }
    Ready(move || pieces.pop_front())
}

async fn listen(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn start(files: HashMap<&'static str, Vec<u8>>, breaks: u32) -> (Arc<Hub>, String) {
    let new = |elsewhere| {
        Arc::new(Hub {
            files: files.clone(),
            elsewhere,
            asked: Mutex::default(),
            breaks: Mutex::new(breaks),
        })
    };
    let store = new(String::new());
    let elsewhere = listen(Router::new().fallback(answer).with_state(store.clone())).await;
    // Another name of this machine, so that it is another origin.
    let hub = new(format!("http://localhost:{}", elsewhere.port()));
    let address = listen(Router::new().fallback(answer).with_state(hub)).await;
    (store, format!("http://{address}"))
}

async fn pull(endpoint: &str, cache: &Path, name: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ibid"));
    command
        .env_clear()
        .env("HF_ENDPOINT", endpoint)
        .env("HF_HUB_CACHE", cache)
        .env("HF_TOKEN", "secret")
        .args(["models", "pull", name]);
    let run = tokio::task::spawn_blocking(move || command.output());
    run.await.expect("no panic").expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn weights() -> Vec<u8> {
    (0..3_000_000_u32).map(|i| (i % 251) as u8).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_pulled_into_the_cache_and_found_there() {
    let files = HashMap::from([
        ("config.json", b"{}".to_vec()),
        ("tokenizer.json", b"{\"version\":\"1.0\"}".to_vec()),
        ("model.safetensors", weights()),
        ("pytorch_model.bin", vec![0; 100]),
        ("../../evil.json", b"{}".to_vec()),
    ]);
    let (store, endpoint) = start(files.clone(), 2).await;
    let cache = TempDir::new().expect("a folder");
    let output = pull(&endpoint, cache.path(), "hf:a/b").await;
    assert!(output.status.success(), "{}", text(&output.stderr));
    let folder = cache.path().join("models--a--b/snapshots").join(SHA);
    assert_eq!(text(&output.stdout).trim(), folder.display().to_string());
    for name in ["config.json", "tokenizer.json", "model.safetensors"] {
        let read = fs::read(folder.join(name)).expect("it is there");
        assert!(read == files[name], "{name}");
        let link = fs::read_link(folder.join(name)).expect("a link");
        assert!(link.starts_with("../../blobs"), "{link:?}");
    }
    assert_eq!(fs::read_dir(&folder).expect("a folder").count(), 3);
    // It broke off twice and went on from where it was, and the token stayed with the hub.
    let asked = store.asked.lock().expect("no panic").clone();
    let offset = |range: &str| {
        let from = range
            .strip_prefix("bytes=")
            .and_then(|range| range.strip_suffix('-'));
        from.map_or(0, |from| from.parse::<usize>().expect("a number"))
    };
    let offsets: Vec<usize> = asked.iter().map(|(_, range, _)| offset(range)).collect();
    assert_eq!((offsets.len(), offsets[0]), (3, 0), "{offsets:?}");
    // How much of a half got through before the connection broke is up to the network.
    assert!(offsets.is_sorted() && offsets[2] > 0, "{offsets:?}");
    assert!(
        asked.iter().all(|(.., token)| token.is_empty()),
        "{asked:?}"
    );
    // What is there is not downloaded again.
    let again = pull(&endpoint, cache.path(), "hf:a/b").await;
    assert!(again.status.success(), "{}", text(&again.stderr));
    assert_eq!(store.asked.lock().expect("no panic").len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_pulled_says_why() {
    let files = HashMap::from([("x.Q4_0.gguf", weights()), ("x.Q8_0.gguf", weights())]);
    let (_store, endpoint) = start(files, 0).await;
    let cache = TempDir::new().expect("a folder");
    let error = async |name: &str| {
        let output = pull(&endpoint, cache.path(), name).await;
        assert!(!output.status.success(), "{name}");
        text(&output.stderr)
    };
    let several = error("hf:a/b").await;
    assert!(several.contains("x.Q4_0.gguf") && several.contains("x.Q8_0.gguf"));
    assert!(error("hf:a/b:y.gguf").await.contains("no file y.gguf"));
    assert!(error("hf:a/c").await.contains("is the name right?"));
    assert!(error("qwen").await.contains("hf:OWNER/NAME"));
    let one = pull(&endpoint, cache.path(), "hf:a/b:x.Q8_0.gguf").await;
    assert!(text(&one.stdout).trim().ends_with("x.Q8_0.gguf"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_download_is_thrown_away() {
    let files = HashMap::from([("m.gguf", weights())]);
    let (_store, endpoint) = start(files, 0).await;
    let cache = TempDir::new().expect("a folder");
    // Half of another content is there from before.
    let blobs = cache.path().join("models--a--b/blobs");
    fs::create_dir_all(&blobs).expect("a folder");
    let name = hash(&weights());
    let partial = blobs.join(format!("{name}.incomplete"));
    fs::write(&partial, vec![7; 1_000_000]).expect("written");
    let first = pull(&endpoint, cache.path(), "hf:a/b").await;
    assert!(text(&first.stderr).contains("damaged"), "{first:?}");
    assert!(!partial.exists() && !blobs.join(&name).exists());
    let second = pull(&endpoint, cache.path(), "hf:a/b").await;
    assert!(second.status.success(), "{}", text(&second.stderr));
}
