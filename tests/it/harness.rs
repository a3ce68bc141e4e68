//! A real server on a free port: start it, talk to it, drop it.

use std::io;
use std::sync::{Arc, LazyLock};

use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use server::Extractor;
use server::config::{Config, ModelConfig};
use server::engine::{Engine, EngineError, Request, ScriptedEngine};
use server::http::{self, HttpSettings};
use server::{Encoders, routes, startup};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A server of its own for one test; it stops when dropped.
pub(crate) struct TestServer {
    pub(crate) url: String,
    pub(crate) engine: Arc<dyn Engine>,
    client: Client,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<io::Result<()>>,
    data_dir: TempDir,
}

impl TestServer {
    /// An empty library, and the given engine.
    pub(crate) async fn start(engine: Arc<dyn Engine>) -> Self {
        Self::start_with(Config::default(), engine).await
    }

    /// An empty library, the given engine, and another configuration.
    pub(crate) async fn start_with(config: Config, engine: Arc<dyn Engine>) -> Self {
        Self::start_encoding(config, engine, Encoders::default()).await
    }

    /// An empty library, the given engine, and models that help to find passages.
    pub(crate) async fn start_encoding(
        config: Config,
        engine: Arc<dyn Engine>,
        encoders: Encoders,
    ) -> Self {
        let data_dir = TempDir::new().expect("a temporary folder");
        Self::start_in(data_dir, config, engine, encoders).await
    }

    /// The library in a folder.
    pub(crate) async fn start_in(
        data_dir: TempDir,
        config: Config,
        engine: Arc<dyn Engine>,
        encoders: Encoders,
    ) -> Self {
        // The sandbox is tested with the program itself, in `crates/server/tests`.
        let extractor = Extractor::in_process();
        let library =
            startup::open_library_with(&config, data_dir.path(), &engine, extractor, &encoders)
                .expect("the library opens");
        let app = startup::app_with_models(&config, vec![engine.clone()], library, encoders)
            .expect("the shipped prompts are good");
        app.set_ready();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("a bound address"));
        let (stop, stopped) = oneshot::channel();
        let shutdown = async {
            let _ = stopped.await;
        };
        let serving = tokio::spawn(http::serve(
            listener,
            routes::router(app),
            HttpSettings::default(),
            shutdown,
        ));
        Self {
            url,
            engine,
            client: Client::new(),
            stop,
            serving,
            data_dir,
        }
    }

    /// Ends it as a signal would, and returns the folder of its library.
    pub(crate) async fn stop(self) -> TempDir {
        drop(self.stop);
        let served = self.serving.await.expect("no panic");
        served.expect("it served to the end");
        self.data_dir
    }

    /// Adds a document to the collection `default` and waits until it can be found.
    pub(crate) async fn add(&self, filename: &str, text: impl Into<Vec<u8>>) -> String {
        let part = reqwest::multipart::Part::bytes(text.into()).file_name(filename.to_owned());
        let form = reqwest::multipart::Form::new().part("file", part);
        let request = self
            .client
            .post(self.path("/v1/vector_stores/default/files"))
            .multipart(form);
        let added = json_of(request.send().await.expect("the server answers")).await;
        let id = added["id"]
            .as_str()
            .unwrap_or_else(|| panic!("no id in {added}"))
            .to_owned();
        self.until_indexed(&id).await;
        id
    }

    /// Waits until a document is no longer in progress, and returns its membership.
    pub(crate) async fn until_indexed(&self, id: &str) -> Value {
        loop {
            let file = self
                .get(&format!("/v1/vector_stores/default/files/{id}"))
                .await;
            if file["status"] != "in_progress" {
                return file;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Waits until every passage of the collection `default` has its vector.
    pub(crate) async fn until_embedded(&self) {
        loop {
            let collection = self.get("/v1/vector_stores/default").await;
            let embedding = &collection["embedding"];
            if embedding["searchable"] == true && embedding["files_left"] == 0 {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    /// What a path answers, which must be JSON.
    pub(crate) async fn get(&self, path: &str) -> Value {
        json_of(self.response(path).await).await
    }

    /// The raw answer of a path.
    pub(crate) async fn response(&self, path: &str) -> Response {
        self.client
            .get(self.path(path))
            .send()
            .await
            .expect("the server answers")
    }

    /// The raw answer to a JSON body.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Response {
        self.client
            .post(self.path(path))
            .json(body)
            .send()
            .await
            .expect("the server answers")
    }

    /// The status and the JSON that a JSON body is answered with.
    pub(crate) async fn post_json(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let response = self.post(path, body).await;
        (response.status(), json_of(response).await)
    }

    /// The completion of one question, with more fields if wanted.
    pub(crate) async fn ask(&self, question: &str, more: Value) -> Value {
        let (status, answer) = self
            .post_json("/v1/chat/completions", &chat(question, more))
            .await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer
    }

    /// The chunks of one streamed answer, and whether `[DONE]` closed them.
    pub(crate) async fn ask_streamed(&self, question: &str, more: Value) -> (Vec<Value>, bool) {
        let mut body = chat(question, more);
        body["stream"] = true.into();
        let response = self.post("/v1/chat/completions", &body).await;
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        events(&response.text().await.expect("a stream that ends"))
    }

    /// A raw request.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn path(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

/// An engine that says this, whatever it is asked.
pub(crate) fn says(reply: &'static str) -> Arc<dyn Engine> {
    Arc::new(ScriptedEngine::new(move |_| Ok(reply.to_owned())))
}

/// An engine that fails the test when it is asked anything.
pub(crate) fn must_not_be_asked() -> Arc<dyn Engine> {
    let refuse = |request: &Request| {
        Err(EngineError::Failed(format!(
            "the model was asked {request:?}"
        )))
    };
    Arc::new(ScriptedEngine::new(refuse))
}

/// The built-in model, loaded once for all tests.
pub(crate) fn bundled_model() -> Arc<dyn Engine> {
    static ENGINE: LazyLock<Arc<dyn Engine>> = LazyLock::new(|| {
        startup::load_engine(&ModelConfig::default()).expect("the built-in model loads")
    });
    ENGINE.clone()
}

/// A chat request for one question; the fields of `more` are added to it.
pub(crate) fn chat(question: &str, more: Value) -> Value {
    let mut body = json!({"model": "default", "messages": [{"role": "user", "content": question}]});
    for (key, value) in more.as_object().into_iter().flatten() {
        body[key] = value.clone();
    }
    body
}

/// The JSON events of an event stream, and whether `[DONE]` was the last.
pub(crate) fn events(stream: &str) -> (Vec<Value>, bool) {
    let mut data = stream
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .collect::<Vec<_>>();
    let done = data.last() == Some(&"[DONE]");
    if done {
        data.pop();
    }
    (
        data.into_iter()
            .map(|event| serde_json::from_str(event).expect("JSON in every event"))
            .collect(),
        done,
    )
}

async fn json_of(response: Response) -> Value {
    let text = response.text().await.expect("a body");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"))
}
