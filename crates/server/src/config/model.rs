//! `[model]` and `[[models]]`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A model that answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelConfig {
    /// A GGUF file or a Hugging Face folder; the built-in model when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// The name clients see; the file's or folder's own when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Copies of the model that work side by side.
    pub workers: usize,
    /// Threads for the arithmetic; the number of physical cores when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threads: Option<usize>,
    /// Answers a worker generates at the same time.
    pub running: usize,
    /// Requests that may wait for a worker.
    pub queue: usize,
    /// Tokens of prompts that may wait for a worker.
    pub queue_tokens: usize,
    /// A request that would wait longer, in seconds, is refused at once.
    pub max_wait_s: u64,
    /// Tokens of prompt and answer together; what the model was made for when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<usize>,
    /// Bytes for keys and values of all answers, and of prompts kept to be shared.
    pub kv_bytes: usize,
    /// How keys and values are kept.
    pub kv_type: KvType,
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self {
            path: None,
            name: None,
            workers: 1,
            threads: None,
            running: 8,
            queue: 64,
            queue_tokens: 1 << 18,
            max_wait_s: 30,
            context: None,
            kv_bytes: 1_000_000_000,
            kv_type: KvType::F16,
        }
    }
}

/// How keys and values are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KvType {
    /// As they were computed.
    F32,
    /// In half the bytes.
    F16,
    /// In a quarter of the bytes.
    Q8,
}
