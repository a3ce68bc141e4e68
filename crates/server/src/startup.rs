//! Puts the parts together: the only place that builds an engine to answer with.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use engine::Engine;
use engine_candle::{CandleEngine, ModelSource};
use library::Library;

use crate::app::{App, Limits, Model, Models};
use crate::config::{Config, KvType, ModelConfig};

/// Loads the model that the configuration names, or the built-in one.
///
/// # Errors
///
/// When the model cannot be read; the text says why.
pub fn load_engine(config: &ModelConfig) -> anyhow::Result<Arc<dyn Engine>> {
    let source = model_source(config.path.as_deref());
    let settings = engine_candle::Settings {
        name: model_name(config),
        workers: config.workers,
        threads: config.threads,
        queue: config.queue,
        queue_tokens: config.queue_tokens,
        max_wait: Duration::from_secs(config.max_wait_s),
        max_running: config.running,
        context: config.context,
        kv_bytes: config.kv_bytes,
        kv_type: match config.kv_type {
            KvType::F32 => engine_candle::KvType::F32,
            KvType::F16 => engine_candle::KvType::F16,
            KvType::Q8 => engine_candle::KvType::Q8,
        },
    };
    let named = config
        .path
        .as_deref()
        .unwrap_or(Path::new("the built-in model"));
    let engine = CandleEngine::load(source, settings)
        .with_context(|| format!("cannot load {}", named.display()))?;
    Ok(Arc::new(engine))
}

/// The files of the model at `path`, or of the built-in one.
pub fn model_source(path: Option<&Path>) -> ModelSource {
    match path {
        Some(path) => ModelSource::Path(path.to_owned()),
        None => ModelSource::Embedded(engine_candle::EmbeddedModel {
            config: bundled::MODEL.config,
            tokenizer: bundled::MODEL.tokenizer,
            tokenizer_config: bundled::MODEL.tokenizer_config,
            weights: bundled::MODEL.weights,
        }),
    }
}

/// The configured name, or the file's or folder's own.
fn model_name(config: &ModelConfig) -> String {
    let from_path = || {
        config
            .path
            .as_deref()
            .and_then(Path::file_stem)?
            .to_str()
            .map(str::to_owned)
    };
    config
        .name
        .clone()
        .or_else(from_path)
        .unwrap_or_else(|| bundled::NAME.to_owned())
}

/// Opens the library in `data_dir`, with passages measured in the engine's tokens.
///
/// # Errors
///
/// When the folder cannot be written, or another ibid is using it.
pub fn open_library(
    config: &Config,
    data_dir: &Path,
    engine: &Arc<dyn Engine>,
) -> anyhow::Result<Arc<Library>> {
    let settings = library::Settings {
        data_dir: data_dir.to_owned(),
        passage_tokens: config.passages.tokens,
        passage_overlap_tokens: config.passages.overlap_tokens,
        max_file_bytes: config.limits.upload_bytes as u64,
    };
    let engine = engine.clone();
    let count_tokens = Arc::new(move |text: &str| engine.count_tokens(text));
    Library::open(settings, count_tokens)
        .with_context(|| format!("cannot open the library in {}", data_dir.display()))
}

/// The pipeline from question to answer, as configured.
pub fn pipeline(config: &Config, engine: Arc<dyn Engine>) -> rag::Pipeline {
    let answer = &config.answer;
    let settings = rag::Settings {
        top_k: answer.top_k,
        evidence_floor: answer.evidence_floor,
        citation_floor: answer.citation_floor,
        max_answer_tokens: answer.max_tokens,
        quote_sentences: answer.quote_sentences,
    };
    rag::Pipeline::new(engine, settings)
}

/// What the routes work on.
pub fn app(config: &Config, engine: Arc<dyn Engine>, library: Arc<Library>) -> Arc<App> {
    let info = engine.model().clone();
    let model = Model {
        info,
        pipeline: Arc::new(pipeline(config, engine)),
    };
    let limits = Limits {
        json_body_bytes: config.limits.body_bytes,
        upload_bytes: config.limits.upload_bytes,
        drain: Duration::from_secs(config.limits.drain_s),
        ..Limits::default()
    };
    Arc::new(App::new(library, Models::new(vec![model]), limits))
}

/// Where documents are kept: as configured, or in the platform's data folder.
///
/// # Errors
///
/// When nothing is configured and the platform names no such folder.
pub fn data_dir(config: &Config) -> anyhow::Result<PathBuf> {
    let configured = config.data_dir.clone();
    configured
        .or_else(platform_data_dir)
        .context("no home folder is known: say where documents are to be kept with --data-dir DIR")
}

fn platform_data_dir() -> Option<PathBuf> {
    let folder = |variable: &str| {
        std::env::var_os(variable)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let parent = match std::env::consts::OS {
        "windows" => folder("LOCALAPPDATA"),
        "macos" => folder("HOME").map(|home| home.join("Library/Application Support")),
        _ => {
            folder("XDG_DATA_HOME").or_else(|| folder("HOME").map(|home| home.join(".local/share")))
        }
    };
    parent.map(|parent| parent.join("ibid"))
}
