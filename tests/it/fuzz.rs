//! Random values in every field: each is answered, or refused by name, and never a fault of ours.

use serde_json::{Value, json};

use crate::harness::{TestServer, bundled_model, chat};

const FIELDS: &[&str] = &[
    "model",
    "messages",
    "stream",
    "stream_options",
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "seed",
    "stop",
    "max_tokens",
    "max_completion_tokens",
    "frequency_penalty",
    "presence_penalty",
    "repetition_penalty",
    "logit_bias",
    "n",
    "logprobs",
    "top_logprobs",
    "response_format",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "retrieval",
    "answer",
    "citations",
    "functions",
    "modalities",
];

/// Words that mean something somewhere in a request.
const WORDS: &[&str] = &[
    "type",
    "function",
    "name",
    "json_schema",
    "json_object",
    "schema",
    "properties",
    "role",
    "content",
    "user",
    "assistant",
    "tool",
    "tool_calls",
    "tool_call_id",
    "arguments",
    "auto",
    "required",
    "none",
    "object",
    "string",
    "pattern",
    "enum",
    "$ref",
    "#",
    "x-guidance",
    "(",
    "",
    "차",
    "\u{0}",
    "text",
    "collections",
    "default",
    "parameters",
    "id",
    "include_usage",
    "anyOf",
];

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    fn word(&mut self) -> &'static str {
        WORDS[self.below(WORDS.len())]
    }

    fn value(&mut self, depth: usize) -> Value {
        match self.below(if depth == 0 { 6 } else { 9 }) {
            0 => Value::Null,
            1 => (self.below(2) == 0).into(),
            2 => json!(self.below(5) as i64 - 1),
            3 => json!([0.5, 1e300, -1e-300, 1.0][self.below(4)]),
            4 => json!([i64::MIN, i64::MAX, 1 << 40][self.below(3)]),
            5 => self.word().into(),
            6 => (0..self.below(3)).map(|_| self.value(depth - 1)).collect(),
            _ => {
                let fields =
                    (0..1 + self.below(4)).map(|_| (self.word().to_owned(), self.value(depth - 1)));
                Value::Object(fields.collect())
            }
        }
    }

    /// A format that is nearly right, so that the schema itself is reached.
    fn response_format(&mut self) -> Value {
        let schema = self.value(4);
        json!({"type": "json_schema", "json_schema": {"name": "a", "schema": schema}})
    }
}

#[tokio::test]
async fn no_request_is_a_fault_of_ours() {
    let server = TestServer::start(bundled_model()).await;
    let mut random = Random(7);
    for round in 0..600 {
        let field = FIELDS[round % FIELDS.len()];
        let value = match field {
            "response_format" if round % 2 == 0 => random.response_format(),
            _ => random.value(3),
        };
        let mut body = chat("Why?", json!({"max_tokens": 2, "retrieval": null}));
        body[field] = value;
        let response = server.post("/v1/chat/completions", &body).await;
        let status = response.status();
        let text = response.text().await.expect("a body");
        assert!(
            status.is_success() || status.is_client_error(),
            "{status} for {body}: {text}"
        );
        if status.is_client_error() {
            let error: Value = serde_json::from_str(&text).expect("JSON");
            assert!(error["error"]["param"].is_string(), "{body}: {text}");
        } else {
            assert!(!text.contains("internal_error"), "{body}: {text}");
        }
    }
}
