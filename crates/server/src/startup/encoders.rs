//! The models that help to find passages.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use engine::{Embedder, EmbedderInfo, EngineError, Reranker, Side};
use engine_candle::ModelSource;
use engine_candle::encoders::{CandleEmbedder, CandleReranker, EmbedderSettings, EncoderSettings};
use rag::{Encoders, RerankSettings, SearchTime};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;

use crate::config::RetrievalConfig;

/// Loads the models that the configuration names to search with, and the reader.
///
/// # Errors
///
/// As [`load_search_encoders`].
pub fn load_encoders(config: &RetrievalConfig) -> anyhow::Result<Encoders> {
    Ok(Encoders {
        reader: cross_encoder(config, config.reader(), "retrieval.reader")?,
        ..load_search_encoders(config)?
    })
}

/// Loads the embedder and the reranker that the configuration names, if it does: all that finding
/// passages takes.
///
/// # Errors
///
/// When one cannot be read; the text says which and why.
pub fn load_search_encoders(config: &RetrievalConfig) -> anyhow::Result<Encoders> {
    let reranker = config.reranker.as_deref().map(Some);
    Ok(Encoders {
        embedder: embedder(config)?,
        reader: None,
        reranker: cross_encoder(config, reranker, "retrieval.reranker")?,
        rerank: RerankSettings {
            candidates: config.rerank_candidates,
            budget: Duration::from_millis(config.rerank_ms),
        },
        diversity: config.diversity,
        time: SearchTime(Duration::from_millis(config.search_ms)),
    })
}

fn embedder(config: &RetrievalConfig) -> anyhow::Result<Option<Arc<dyn Embedder>>> {
    let Some(path) = config.embedder() else {
        return Ok(None);
    };
    let (source, name) = named(path, (bundled::EMBEDDER, bundled::EMBEDDER_NAME));
    let settings = EmbedderSettings {
        encoder: encoder_settings(config, name),
        ..EmbedderSettings::default()
    };
    let loaded = CandleEmbedder::open(&source, settings);
    let loaded = loaded.with_context(|| unreadable(path, name, "retrieval.embedder"))?;
    Ok(Some(Arc::new(Leisurely(loaded))))
}

/// The model that reads two texts together, if there is to be one: the folder at a path, or the one
/// inside the program. `setting` is where the configuration names it.
fn cross_encoder(
    config: &RetrievalConfig,
    wanted: Option<Option<&Path>>,
    setting: &str,
) -> anyhow::Result<Option<Arc<dyn Reranker>>> {
    let Some(path) = wanted else {
        return Ok(None);
    };
    let (source, name) = named(path, (bundled::READER, bundled::READER_NAME));
    let loaded = CandleReranker::open(&source, encoder_settings(config, name));
    let loaded = loaded.with_context(|| unreadable(path, name, setting))?;
    Ok(Some(Arc::new(loaded)))
}

/// Where a model is read from, and what it is called: the folder at a path, or what is built in.
fn named<'a>(
    path: Option<&'a Path>,
    (files, built_in): (bundled::Files, &'a str),
) -> (ModelSource, &'a str) {
    match path {
        Some(path) => (ModelSource::Path(path.to_owned()), name(path)),
        None => (super::embedded(files), built_in),
    }
}

/// What could not be loaded, and the setting that names it.
fn unreadable(path: Option<&Path>, name: &str, setting: &str) -> String {
    let path = path.map_or(name.into(), Path::to_string_lossy);
    format!("cannot load {path} ({setting})")
}

/// An embedder that may be asked in the middle of an answer, which is sent by threads that must not
/// wait: the runtime gives their other work to another thread meanwhile.
struct Leisurely(CandleEmbedder);

impl Leisurely {
    fn at_leisure<T>(work: impl FnOnce() -> T) -> T {
        let flavor = Handle::try_current().map(|handle| handle.runtime_flavor());
        match flavor {
            Ok(RuntimeFlavor::MultiThread) => block_in_place(work),
            _ => work(),
        }
    }
}

impl Embedder for Leisurely {
    fn model(&self) -> &EmbedderInfo {
        self.0.model()
    }

    fn count_tokens(&self, text: &str) -> usize {
        self.0.count_tokens(text)
    }

    fn embed(&self, texts: &[&str], side: Side) -> Result<Vec<Vec<f32>>, EngineError> {
        Self::at_leisure(|| self.0.embed(texts, side))
    }

    fn embed_tokens(&self, texts: &[&[u32]]) -> Result<Vec<Vec<f32>>, EngineError> {
        Self::at_leisure(|| self.0.embed_tokens(texts))
    }

    fn coverage(&self, text: &str) -> f32 {
        self.0.coverage(text)
    }
}

/// What the model in this folder is called.
fn name(path: &Path) -> &str {
    let name = path.file_name().and_then(|name| name.to_str());
    name.unwrap_or("model")
}

fn encoder_settings(config: &RetrievalConfig, name: &str) -> EncoderSettings {
    EncoderSettings {
        name: name.to_owned(),
        threads: config.encoder_threads,
        queue: config.encoder_queue,
        ..EncoderSettings::default()
    }
}
