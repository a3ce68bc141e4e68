//! The models that help to find passages.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use engine::{Embedder, Reranker};
use engine_candle::encoders::{CandleEmbedder, CandleReranker, EmbedderSettings, EncoderSettings};
use rag::{Encoders, RerankSettings, SearchTime};

use crate::config::RetrievalConfig;

/// Loads the embedder and the reranker that the configuration names, if it does.
///
/// # Errors
///
/// When one cannot be read; the text says which and why.
pub fn load_encoders(config: &RetrievalConfig) -> anyhow::Result<Encoders> {
    let embedder = config.embedder.as_deref().map(|path| {
        let settings = EmbedderSettings {
            encoder: encoder_settings(config, path),
            ..EmbedderSettings::default()
        };
        let loaded = CandleEmbedder::load(path, settings);
        let loaded = loaded
            .with_context(|| format!("cannot load {} (retrieval.embedder)", path.display()))?;
        anyhow::Ok(Arc::new(loaded) as Arc<dyn Embedder>)
    });
    let reranker = config.reranker.as_deref().map(|path| {
        let loaded = CandleReranker::load(path, encoder_settings(config, path));
        let loaded = loaded
            .with_context(|| format!("cannot load {} (retrieval.reranker)", path.display()))?;
        anyhow::Ok(Arc::new(loaded) as Arc<dyn Reranker>)
    });
    Ok(Encoders {
        embedder: embedder.transpose()?,
        reranker: reranker.transpose()?,
        rerank: RerankSettings {
            candidates: config.rerank_candidates,
            budget: Duration::from_millis(config.rerank_ms),
        },
        diversity: config.diversity,
        time: SearchTime(Duration::from_millis(config.search_ms)),
    })
}

fn encoder_settings(config: &RetrievalConfig, path: &Path) -> EncoderSettings {
    let name = path.file_name().and_then(|name| name.to_str());
    EncoderSettings {
        name: name.unwrap_or("model").to_owned(),
        threads: config.encoder_threads,
        queue: config.encoder_queue,
        ..EncoderSettings::default()
    }
}
