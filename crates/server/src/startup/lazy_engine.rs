//! A model that is loaded when it is first asked for.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use engine::{
    Engine, EngineError, Fingerprint, Inside, Load, ModelInfo, Prompt, Request, Sharing,
    TokenScore, TokenStream,
};
use engine_candle::{CandleEngine, LoadError, ModelSource, Settings, inspect};

/// An engine whose files were checked, and whose weights are read with the first request. That
/// request, and others for the same model meanwhile, wait for it; from then on the model stays.
pub(super) struct LazyEngine {
    model: ModelInfo,
    source: ModelSource,
    settings: Settings,
    engine: OnceLock<CandleEngine>,
    /// Held by the request that loads it. Counts how often the engine was to forget before.
    loading: Mutex<u64>,
}

impl LazyEngine {
    /// Checks everything of the model but the values of its weights.
    pub(super) fn new(source: ModelSource, settings: Settings) -> Result<Self, LoadError> {
        Ok(Self {
            model: inspect::model_info(&source, &settings)?,
            source,
            settings,
            engine: OnceLock::new(),
            loading: Mutex::default(),
        })
    }

    /// The engine. A failure is not remembered: the next request tries again.
    fn loaded(&self) -> Result<&CandleEngine, EngineError> {
        if let Some(engine) = self.engine.get() {
            return Ok(engine);
        }
        let forgotten = self.loading();
        if let Some(engine) = self.engine.get() {
            return Ok(engine);
        }
        let name = &self.model.name;
        tracing::info!(model = %name, "loading");
        let loaded = CandleEngine::load(self.source.clone(), self.settings.clone());
        let loaded =
            loaded.map_err(|error| EngineError::Failed(format!("cannot load {name}: {error}")))?;
        // Eras go on counting where they were.
        (0..*forgotten).for_each(|_| loaded.forget());
        Ok(self.engine.get_or_init(|| loaded))
    }

    fn loading(&self) -> MutexGuard<'_, u64> {
        self.loading.lock().unwrap_or_else(PoisonError::into_inner)
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

    fn score(
        &self,
        prompt: &Prompt,
        text: &str,
        sharing: &Sharing,
    ) -> Result<Vec<TokenScore>, EngineError> {
        self.loaded()?.score(prompt, text, sharing)
    }

    fn inside(&self) -> Result<&dyn Inside, EngineError> {
        self.loaded()?.inside()
    }

    fn load(&self) -> Load {
        // Nothing runs in a model that is only being loaded.
        self.engine
            .get()
            .map_or(Load::default(), |engine| engine.load())
    }

    fn forget(&self) {
        // Waits for a model that is being loaded: a request for it may be about to run.
        let mut forgotten = self.loading();
        match self.engine.get() {
            Some(engine) => engine.forget(),
            None => *forgotten += 1,
        }
    }

    fn era(&self) -> u64 {
        let forgotten = self.loading();
        self.engine.get().map_or(*forgotten, CandleEngine::era)
    }
}
