//! Puts the parts together: the only place that builds an engine to answer with.

mod encoders;
mod lazy_engine;
pub(crate) mod model_folder;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use engine::Engine;
use engine_candle::{CandleEngine, ModelSource};
use library::{Extractor, Library, Sandbox};
use rag::{Encoders, Prompts};

use crate::app::{App, Limits, Model, Models, ReceiptSettings};
use crate::config::{Config, KvType, ModelConfig};
use crate::hub;
use lazy_engine::LazyEngine;

pub use encoders::{load_encoders, load_search_encoders};

/// The models that the configuration names, the default first. That one is loaded; of the others
/// everything but the weights is read and checked, and they are loaded when they are asked for.
/// A model in a folder of models that cannot be used is left out, with a line in the log.
///
/// # Errors
///
/// When a model cannot be read, or two have the same name; the text says why.
pub fn load_engines(config: &Config) -> anyhow::Result<Vec<Arc<dyn Engine>>> {
    let mut engines = vec![load_engine(&config.model)?];
    for model in &config.models {
        engines.push(lazy_engine(model)?);
    }
    if let Some(folder) = &config.models_dir {
        let models = model_folder::models(folder)?;
        engines.extend(
            models
                .into_iter()
                .filter_map(|path| folder_engine(config, path)),
        );
    }
    if config.model.path.is_some() {
        engines.push(lazy_engine(&built_in(&config.model))?);
    }
    refuse_equal_names(&engines)?;
    Ok(engines)
}

/// A model of the folder of models, with the settings of the default one.
fn folder_engine(config: &Config, path: PathBuf) -> Option<Arc<dyn Engine>> {
    let named = |model: &ModelConfig| model.path.as_ref() == Some(&path);
    if named(&config.model) || config.models.iter().any(named) {
        return None;
    }
    let model = ModelConfig {
        path: Some(path),
        name: None,
        context: None,
        ..config.model.clone()
    };
    let engine = lazy_engine(&model);
    engine.inspect_err(|error| tracing::warn!("{error:#}")).ok()
}

fn refuse_equal_names(engines: &[Arc<dyn Engine>]) -> anyhow::Result<()> {
    let mut names = BTreeSet::new();
    let mut all = engines.iter().map(|engine| &engine.model().name);
    match all.find(|name| !names.insert(*name)) {
        None => Ok(()),
        Some(name) => {
            bail!("two models are called {name}; name one of them with --model NAME=PATH")
        }
    }
}

/// The model inside the program, beside another one.
fn built_in(settings: &ModelConfig) -> ModelConfig {
    ModelConfig {
        path: None,
        name: Some(Models::BUILT_IN.to_owned()),
        context: None,
        ..settings.clone()
    }
}

/// Loads the model that the configuration names, or the built-in one.
///
/// # Errors
///
/// When the model cannot be read; the text says why.
pub fn load_engine(config: &ModelConfig) -> anyhow::Result<Arc<dyn Engine>> {
    let source = model_source(config.path.as_deref())?;
    let engine = CandleEngine::load(source, engine_settings(config))
        .with_context(|| format!("cannot load {}", described(config)))?;
    Ok(Arc::new(engine))
}

fn lazy_engine(config: &ModelConfig) -> anyhow::Result<Arc<dyn Engine>> {
    let source = model_source(config.path.as_deref())?;
    let engine = LazyEngine::new(source, engine_settings(config))
        .with_context(|| format!("cannot use {}", described(config)))?;
    Ok(Arc::new(engine))
}

fn engine_settings(config: &ModelConfig) -> engine_candle::Settings {
    engine_candle::Settings {
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
    }
}

fn described(config: &ModelConfig) -> String {
    let path = config.path.as_deref().map(Path::display);
    path.map_or("the built-in model".to_owned(), |path| path.to_string())
}

/// The files of the model at `path`, which may be a name in Hugging Face's cache, or of the
/// built-in one.
///
/// # Errors
///
/// When the cache does not hold the model.
pub fn model_source(path: Option<&Path>) -> anyhow::Result<ModelSource> {
    Ok(match path {
        Some(path) if hub::is_name(path) => ModelSource::Path(hub::find(path)?),
        Some(path) => ModelSource::Path(path.to_owned()),
        None => embedded(bundled::MODEL),
    })
}

/// A model inside the program.
fn embedded(files: bundled::Files) -> ModelSource {
    ModelSource::Embedded(engine_candle::EmbeddedModel {
        config: files.config,
        tokenizer: files.tokenizer,
        tokenizer_config: files.tokenizer_config,
        weights: files.weights,
        others: files.others,
    })
}

/// There is something at the path, or it is a name in Hugging Face's cache.
pub fn may_be_a_model(path: &Path) -> bool {
    path.exists() || hub::is_name(path)
}

/// The configured name, or the file's or folder's own.
fn model_name(config: &ModelConfig) -> String {
    let from_path = || config.path.as_deref().and_then(model_folder::name);
    let name = config.name.clone().or_else(from_path);
    name.unwrap_or_else(|| bundled::NAME.to_owned())
}

/// What reads files: children of this very program, in a sandbox.
///
/// # Errors
///
/// When the system does not say which program this is.
pub fn extractor() -> anyhow::Result<Extractor> {
    let sandbox = Sandbox::of_this_program(&[crate::cli::EXTRACT])
        .context("cannot find this program's own file, to read documents in a child of it")?;
    Ok(Extractor::sandboxed(sandbox))
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
    extractor: Extractor,
) -> anyhow::Result<Arc<Library>> {
    open_library_with(config, data_dir, engine, extractor, &Encoders::default())
}

/// As [`open_library`], with an embedder that gives passages their vectors.
///
/// # Errors
///
/// As [`open_library`].
pub fn open_library_with(
    config: &Config,
    data_dir: &Path,
    engine: &Arc<dyn Engine>,
    extractor: Extractor,
    encoders: &Encoders,
) -> anyhow::Result<Arc<Library>> {
    let settings = library::Settings {
        data_dir: data_dir.to_owned(),
        passage_tokens: config.passages.tokens,
        passage_overlap_tokens: config.passages.overlap_tokens,
        max_file_bytes: config.limits.upload_bytes as u64,
    };
    let engine = engine.clone();
    let count_tokens = Arc::new(move |text: &str| engine.count_tokens(text));
    Library::open_with(settings, count_tokens, extractor, encoders.embedder.clone())
        .with_context(|| format!("cannot open the library in {}", data_dir.display()))
}

/// The pipeline from question to answer, as configured.
///
/// # Errors
///
/// When the configured prompt templates cannot be used; the text says which and why.
pub fn pipeline(config: &Config, engine: Arc<dyn Engine>) -> anyhow::Result<rag::Pipeline> {
    let answer = &config.answer;
    let prompts = match &answer.prompts {
        Some(folder) => Prompts::with_folder(folder)
            .with_context(|| format!("cannot use the prompt templates in {}", folder.display()))?,
        None => Prompts::default(),
    };
    let settings = rag::Settings {
        top_k: answer.top_k,
        evidence_floor: answer.evidence_floor,
        citation_floor: answer.citation_floor,
        meaning_floor: answer.meaning_floor,
        support: answer.support.into(),
        citation_density: answer.citation_density,
        attention: answer.attention,
        max_answer_tokens: answer.max_tokens,
        quote_sentences: answer.quote_sentences,
    };
    Ok(rag::Pipeline::new(engine, settings).with_prompts(prompts))
}

/// What the routes work on, with one model and none that helps to find passages.
///
/// # Errors
///
/// As [`pipeline`].
pub fn app(
    config: &Config,
    engine: Arc<dyn Engine>,
    library: Arc<Library>,
) -> anyhow::Result<Arc<App>> {
    app_with_models(config, vec![engine], library, Encoders::default())
}

/// What the routes work on, with models of which the first is the default.
///
/// # Errors
///
/// As [`pipeline`].
pub fn app_with_models(
    config: &Config,
    engines: Vec<Arc<dyn Engine>>,
    library: Arc<Library>,
    encoders: Encoders,
) -> anyhow::Result<Arc<App>> {
    let model = |engine: Arc<dyn Engine>| {
        Ok(Model {
            info: engine.model().clone(),
            engine: engine.clone(),
            pipeline: Arc::new(pipeline(config, engine)?.with_encoders(encoders.clone())),
        })
    };
    let models = engines.into_iter().map(model);
    let models = models.collect::<anyhow::Result<_>>()?;
    let limits = Limits {
        json_body_bytes: config.limits.body_bytes,
        upload_bytes: config.limits.upload_bytes,
        drain: Duration::from_secs(config.limits.drain_s),
        ..Limits::default()
    };
    let receipts = &config.receipts;
    let app = App::new(library, Models::new(models), limits).with_receipts(ReceiptSettings {
        keep_days: receipts.keep_days,
        keep_most: receipts.keep_most,
        provider: receipts.provider.clone(),
        watts_per_core: receipts.watts_per_core,
        signing_key: receipts.signing_key.clone(),
    })?;
    let app = app.with_profiles(config.profiles.iter().map(Into::into).collect());
    Ok(Arc::new(
        app.with_encoders(encoders).fetching(&config.fetch)?,
    ))
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
