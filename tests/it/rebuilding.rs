//! While an index is built again, everything goes on and says so.

use std::sync::{Arc, Mutex, mpsc};

use serde_json::{Value, json};
use server::Encoders;
use server::config::Config;
use server::engine::{
    Engine, EngineError, Load, ModelInfo, Prompt, Request, Sharing, TokenScore, TokenStream,
};

use crate::harness::{TestServer, says};

/// Counts no tokens, and so cuts no passages, until it is let go.
struct Held {
    engine: Arc<dyn Engine>,
    until_dropped: Mutex<mpsc::Receiver<()>>,
}

impl Engine for Held {
    fn model(&self) -> &ModelInfo {
        self.engine.model()
    }

    fn count_tokens(&self, text: &str) -> usize {
        // An error is what it waits for.
        let _ = self.until_dropped.lock().expect("no panic").recv();
        self.engine.count_tokens(text)
    }

    fn count_prompt_tokens(&self, prompt: &Prompt) -> Result<usize, EngineError> {
        self.engine.count_prompt_tokens(prompt)
    }

    fn generate(&self, request: Request) -> Result<TokenStream, EngineError> {
        self.engine.generate(request)
    }

    fn score(
        &self,
        prompt: &Prompt,
        text: &str,
        sharing: &Sharing,
    ) -> Result<Vec<TokenScore>, EngineError> {
        self.engine.score(prompt, text, sharing)
    }

    fn load(&self) -> Load {
        self.engine.load()
    }
}

/// What searching and asking say of the index, and that both find the document.
async fn told(server: &TestServer) -> (Value, Value) {
    let search = json!({"query": "curlew"});
    let (_, found) = server
        .post_json("/v1/vector_stores/default/search", &search)
        .await;
    assert_eq!(found["data"][0]["filename"], "birds.txt", "{found}");
    let answer = server
        .ask("Where does the curlew nest?", json!({"answer": "quotes"}))
        .await;
    assert_eq!(answer["citations"][0]["filename"], "birds.txt", "{answer}");
    (found["index"].clone(), answer["index"].clone())
}

#[tokio::test]
async fn searches_and_answers_say_that_the_index_is_built_again() {
    let server = TestServer::start(says("")).await;
    server
        .add("birds.txt", "The curlew nests in the moor.")
        .await;
    let data_dir = server.stop().await;
    let mut config = Config::default();
    config.passages.tokens /= 2;
    let (hold, held) = mpsc::channel();
    let engine = Held {
        engine: says(""),
        until_dropped: Mutex::new(held),
    };
    let server =
        TestServer::start_in(data_dir, config, Arc::new(engine), Encoders::default()).await;
    assert_eq!(
        told(&server).await,
        (json!("rebuilding"), json!("rebuilding"))
    );
    drop::<mpsc::Sender<()>>(hold);
    while server.get("/v1/vector_stores/default").await["index"] == "rebuilding" {
        tokio::task::yield_now().await;
    }
    assert_eq!(told(&server).await, (json!("complete"), Value::Null));
}
