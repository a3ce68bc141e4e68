//! `[passages]`, `[retrieval]` and `[[collections]]`: what is searched, and how.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A collection that holds what lies under some paths.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CollectionConfig {
    /// The collection's name; it is created when missing.
    pub name: String,
    /// Files and folders.
    pub watch: Vec<PathBuf>,
    /// How answers from it are made; as the collection's metadata say when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

/// How documents are cut for searching.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PassagesConfig {
    /// The most tokens a passage has.
    pub tokens: usize,
    /// Tokens that a passage shares with the one before it.
    pub overlap_tokens: usize,
}

impl Default for PassagesConfig {
    fn default() -> Self {
        Self {
            tokens: 256,
            overlap_tokens: 0,
        }
    }
}

/// How passages are found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetrievalConfig {
    /// A model that turns texts into vectors: a Hugging Face folder, `built-in`, or `none`, and
    /// search then goes by words alone. See [`embedder`](Self::embedder).
    pub embedder: PathBuf,
    /// A model that reads a question and a sentence together and tells whether it answers, of the
    /// same kind as a reranker: a Hugging Face folder, `built-in`, or `none`. See
    /// [`reader`](Self::reader).
    pub reader: PathBuf,
    /// A Hugging Face folder of a model that reads a query and a passage together; none when
    /// absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reranker: Option<PathBuf>,
    /// Threads for each of these; the number of physical cores when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoder_threads: Option<usize>,
    /// Callers that may wait for the embedder, and as many for each of the others.
    pub encoder_queue: usize,
    /// The passages that the reranker reads for a question, best first.
    pub rerank_candidates: usize,
    /// Milliseconds after which the reranker stops and the rest keep their order.
    pub rerank_ms: u64,
    /// How much it counts, 0 to 1, that the passages for an answer say different things.
    pub diversity: f32,
    /// Milliseconds that a search may take, reranking aside.
    pub search_ms: u64,
}

/// The word for a model inside the program. A file or folder of that name is `./built-in`.
pub const BUILT_IN: &str = "built-in";
/// The word for doing without one.
const NONE: &str = "none";

impl RetrievalConfig {
    /// The embedder, if there is to be one: the folder at a path, or the one inside the program.
    pub fn embedder(&self) -> Option<Option<&Path>> {
        wanted(&self.embedder)
    }

    /// The reader, in the same way.
    pub fn reader(&self) -> Option<Option<&Path>> {
        wanted(&self.reader)
    }
}

fn wanted(model: &Path) -> Option<Option<&Path>> {
    match model.to_str() {
        Some(NONE) => None,
        Some(BUILT_IN) => Some(None),
        _ => Some(Some(model)),
    }
}

impl Default for RetrievalConfig {
    fn default() -> Self {
        let settings = rag::RerankSettings::default();
        Self {
            embedder: BUILT_IN.into(),
            reader: BUILT_IN.into(),
            reranker: None,
            encoder_threads: None,
            encoder_queue: 64,
            rerank_candidates: settings.candidates,
            rerank_ms: settings.budget.as_millis() as u64,
            diversity: 0.0,
            search_ms: 2000,
        }
    }
}
