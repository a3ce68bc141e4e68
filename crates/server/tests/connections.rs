//! How connections begin, stall and end: the accept loop, over raw sockets.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::get;
use engine::{Engine, ScriptedEngine};
use futures_core::Stream;
use library::{Extractor, Library};
use server::app::{App, Limits, Model, Models};
use server::http::{self, HttpSettings};
use server::routes;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Far more than anything here takes; a test that waits this long has failed.
const LONG: Duration = Duration::from_secs(20);

const HELLO: &str = "GET /hello HTTP/1.1\r\nhost: localhost\r\n\r\n";

struct Serving {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<std::io::Result<()>>,
}

async fn serve(router: Router, settings: HttpSettings) -> Serving {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound address");
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async {
        let _ = stopped.await;
    };
    let server = tokio::spawn(http::serve(listener, router, settings, shutdown));
    Serving {
        address,
        stop,
        server,
    }
}

impl Serving {
    /// A connection that has sent `bytes`.
    async fn connect(&self, bytes: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address)
            .await
            .expect("the server listens");
        let sent = stream.write_all(bytes.as_bytes()).await;
        sent.expect("the server reads");
        stream
    }

    /// Asks the server to stop and waits until it has.
    async fn stop(self) {
        self.stop.send(()).expect("the server is running");
        let server = timeout(LONG, self.server).await;
        server
            .expect("it stops in time")
            .expect("it does not panic")
            .expect("it stops well");
    }
}

fn hello() -> Router {
    Router::new().route("/hello", get(|| async { "hello" }))
}

/// What the server sends until it has sent `end`.
async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    let mut buffer = [0; 1024];
    while !text.contains(end) {
        let length = timeout(LONG, stream.read(&mut buffer)).await;
        let length = length
            .expect("the server goes on")
            .expect("the connection is whole");
        assert!(length > 0, "the server closed after {text:?}");
        text.push_str(&String::from_utf8_lossy(&buffer[..length]));
    }
    text
}

/// What the server sends until it closes.
async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = timeout(LONG, stream.read_to_end(&mut bytes)).await;
    read.expect("the server closes in time")
        .expect("it closes well");
    String::from_utf8(bytes).expect("text")
}

#[tokio::test]
async fn headers_that_do_not_come_close_the_connection() {
    let settings = HttpSettings {
        header_read_timeout: Duration::from_millis(50),
        ..HttpSettings::default()
    };
    let serving = serve(hello(), settings).await;
    let mut stream = serving.connect("GET /hello HTTP/1.1\r\nhost:").await;
    let reply = read_to_end(&mut stream).await;
    assert!(!reply.contains("200 OK"), "{reply}");
}

#[tokio::test]
async fn connections_above_the_cap_are_told_so() {
    let settings = HttpSettings {
        max_connections: 1,
        ..HttpSettings::default()
    };
    let serving = serve(hello(), settings).await;
    let mut first = serving.connect(HELLO).await;
    assert!(read_until(&mut first, "hello").await.contains("200 OK"));
    let mut second = serving.connect(HELLO).await;
    let refusal = read_to_end(&mut second).await;
    assert!(refusal.starts_with("HTTP/1.1 503 "), "{refusal}");
    assert!(refusal.contains("server_busy"), "{refusal}");

    first
        .write_all(HELLO.as_bytes())
        .await
        .expect("the first connection is still served");
    assert!(read_until(&mut first, "hello").await.contains("200 OK"));
}

#[tokio::test]
async fn idle_connections_do_not_delay_the_end() {
    let serving = serve(hello(), HttpSettings::default()).await;
    let mut idle = serving.connect(HELLO).await;
    read_until(&mut idle, "hello").await;
    serving.stop().await;
    assert_eq!(read_to_end(&mut idle).await, "");
}

#[tokio::test]
async fn requests_that_do_not_end_are_cut_at_the_deadline() {
    let (started, mut starts) = mpsc::channel(1);
    let endless = move || async move {
        started.send(()).await.expect("the test waits");
        std::future::pending::<()>().await;
    };
    let settings = HttpSettings {
        drain: Duration::ZERO,
        ..HttpSettings::default()
    };
    let serving = serve(Router::new().route("/hello", get(endless)), settings).await;
    let mut waiting = serving.connect(HELLO).await;
    starts.recv().await.expect("the request arrives");
    serving.stop().await;
    assert_eq!(read_to_end(&mut waiting).await, "");
}

/// A body without end; its sender tells when it is dropped.
struct Endless {
    _alive: mpsc::Sender<()>,
}

impl Stream for Endless {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(Some(Ok(Bytes::from_static(&[b'x'; 1024]))))
    }
}

#[tokio::test]
async fn a_reader_that_stalls_is_given_up_on() {
    let (started, mut starts) = mpsc::channel(1);
    let endless = move || async move {
        let (alive, dropped) = mpsc::channel(1);
        started.send(dropped).await.expect("the test waits");
        Body::from_stream(Endless { _alive: alive })
    };
    let settings = HttpSettings {
        write_timeout: Duration::from_millis(50),
        ..HttpSettings::default()
    };
    let serving = serve(Router::new().route("/hello", get(endless)), settings).await;
    let _reads_nothing = serving.connect(HELLO).await;
    let mut dropped = starts.recv().await.expect("the request arrives");
    let end = timeout(LONG, dropped.recv()).await;
    assert_eq!(end.expect("the body is dropped"), None);
}

#[tokio::test]
async fn streams_end_with_an_error_when_the_server_stops() {
    let data_dir = TempDir::new().expect("a temporary folder");
    let engine: Arc<dyn Engine> = Arc::new(
        ScriptedEngine::new(|_| Ok("word ".repeat(4000))).with_pace(Duration::from_millis(20)),
    );
    let app = app(&data_dir, engine);
    let serving = serve(routes::router(app.clone()), HttpSettings::default()).await;
    let body = r#"{"model":"default","stream":true,"max_tokens":3000,"messages":[{"role":"user","content":"Go on"}]}"#;
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len(),
    );
    let mut stream = serving.connect(&request).await;
    read_until(&mut stream, "word").await;
    app.set_stopping();
    let rest = read_to_end(&mut stream).await;
    assert!(rest.contains("server_stopping"), "{rest}");
    assert!(!rest.contains("[DONE]"), "{rest}");
    serving.stop().await;
}

/// A server that cuts its streams as soon as it is told to stop.
fn app(data_dir: &TempDir, engine: Arc<dyn Engine>) -> Arc<App> {
    let settings = library::Settings {
        data_dir: data_dir.path().to_owned(),
        passage_tokens: 100,
        passage_overlap_tokens: 0,
        max_file_bytes: 1_000_000,
    };
    let count_tokens = Arc::new(|text: &str| text.split_whitespace().count());
    let library = Library::open(settings, count_tokens, Extractor::in_process())
        .expect("an empty library opens");
    let model = Model {
        info: engine.model().clone(),
        engine: engine.clone(),
        pipeline: Arc::new(rag::Pipeline::new(engine, rag::Settings::default())),
    };
    let limits = Limits {
        drain: Duration::ZERO,
        ..Limits::default()
    };
    Arc::new(App::new(library, Models::new(vec![model]), limits))
}
