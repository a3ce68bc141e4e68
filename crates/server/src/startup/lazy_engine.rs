//! A model that is loaded when it is first asked for.

use std::sync::{Arc, Mutex};

use engine::{Engine, EngineError, Fingerprint, Load, ModelInfo, Prompt, Request, TokenStream};
use engine_candle::{CandleEngine, LoadError, ModelSource, Settings, inspect};

/// An engine whose files were checked, and whose weights are read with the first request. That
/// request, and others for the same model meanwhile, wait for it; from then on the model stays.
pub(super) struct LazyEngine {
    model: ModelInfo,
    source: ModelSource,
    settings: Settings,
    engine: Mutex<Option<Arc<CandleEngine>>>,
}

impl LazyEngine {
    /// Checks everything of the model but the values of its weights.
    pub(super) fn new(source: ModelSource, settings: Settings) -> Result<Self, LoadError> {
        Ok(Self {
            model: inspect::model_info(&source, &settings)?,
            source,
            settings,
            engine: Mutex::default(),
        })
    }

    /// The engine. A failure is not remembered: the next request tries again.
    fn loaded(&self) -> Result<Arc<CandleEngine>, EngineError> {
        let mut engine = self.engine.lock().unwrap_or_else(|lock| lock.into_inner());
        if let Some(engine) = &*engine {
            return Ok(engine.clone());
        }
        let name = &self.model.name;
        tracing::info!(model = %name, "loading");
        let loaded = CandleEngine::load(self.source.clone(), self.settings.clone());
        let loaded =
            loaded.map_err(|error| EngineError::Failed(format!("cannot load {name}: {error}")))?;
        Ok(engine.insert(Arc::new(loaded)).clone())
    }
}

impl Engine for LazyEngine {
    fn model(&self) -> &ModelInfo {
        &self.model
    }

    fn count_tokens(&self, text: &str) -> usize {
        // A model that cannot be loaded says so when it is asked to answer.
        self.loaded()
            .map_or(text.len(), |engine| engine.count_tokens(text))
    }

    fn count_prompt_tokens(&self, prompt: &Prompt) -> Result<usize, EngineError> {
        self.loaded()?.count_prompt_tokens(prompt)
    }

    fn generate(&self, request: Request) -> Result<TokenStream, EngineError> {
        self.loaded()?.generate(request)
    }

    fn fingerprint(&self) -> Fingerprint {
        // A model that is not loaded has answered nothing that this could be asked for.
        self.loaded()
            .map_or_else(|_| Fingerprint::default(), |engine| engine.fingerprint())
    }

    fn load(&self) -> Load {
        // Nothing runs in a model that is only being loaded, so this need not wait for it.
        let engine = self.engine.try_lock().ok();
        let engine = engine.and_then(|engine| engine.clone());
        engine.map_or(Load::default(), |engine| engine.load())
    }

    fn forget(&self) {
        // Waits for a model that is being loaded: a request for it may be about to run.
        let engine = self.engine.lock().unwrap_or_else(|lock| lock.into_inner());
        if let Some(engine) = &*engine {
            engine.forget();
        }
    }
}
