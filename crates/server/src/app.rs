//! What every handler works with: the library, the models, the limits, and the stage of the
//! server's life.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use engine::{Engine, ModelInfo};
use library::{Library, Retention};
use rag::{Encoders, Pipeline, Profile};
use tokio::sync::{broadcast, watch};

use crate::answering::Receipts;
use crate::config::FetchConfig;
use crate::energy::EnergyMeter;
use crate::fetch::Fetcher;
use crate::signing::Signer;

/// The state shared by all requests.
pub struct App {
    /// The documents.
    pub library: Arc<Library>,
    /// The models that answer.
    pub models: Models,
    /// The models that help to find passages.
    pub encoders: Encoders,
    /// What a request may ask for.
    pub limits: Limits,
    /// How answers from collections of some field are made.
    pub(crate) profiles: Vec<Arc<Profile>>,
    /// What is kept and told of answers.
    pub(crate) receipts: Receipts,
    /// Gets documents by their URLs, if that is allowed.
    pub(crate) fetcher: Option<Fetcher>,
    /// What happens to files; those who read too slowly miss some.
    pub(crate) events: broadcast::Sender<library::Event>,
    stage: watch::Sender<Stage>,
}

/// Events that are kept for those who read slowly.
const EVENTS_KEPT: usize = 1024;

/// Where in its life the server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Documents are still being indexed; requests are answered from what is there.
    Starting,
    /// Everything is in place.
    Ready,
    /// The server takes nothing new and finishes what it has.
    Stopping,
}

impl App {
    /// A server that is still [`Stage::Starting`].
    pub fn new(library: Arc<Library>, models: Models, limits: Limits) -> Self {
        let (events, _) = broadcast::channel(EVENTS_KEPT);
        let sender = events.clone();
        let pipelines = models.pipelines();
        library.listen(Arc::new(move |event| {
            // Prompts hold the texts of documents.
            if let library::Event::File(library::FileEvent { status: None, .. }) = event {
                pipelines.iter().for_each(|pipeline| pipeline.forget());
            }
            // An error means that nobody listens.
            let _ = sender.send(event.clone());
        }));
        Self {
            library,
            models,
            encoders: Encoders::default(),
            limits,
            profiles: Profile::shipped().into_iter().map(Arc::new).collect(),
            receipts: ReceiptSettings::default()
                .receipts()
                .expect("nothing is signed by default"),
            fetcher: None,
            events,
            stage: watch::Sender::new(Stage::Starting),
        }
    }

    /// Searches, embeds and reranks with these models.
    pub fn with_encoders(mut self, encoders: Encoders) -> Self {
        self.encoders = encoders;
        self
    }

    /// Adds these profiles, in place of others of the same name.
    pub fn with_profiles(mut self, profiles: Vec<Profile>) -> Self {
        for profile in profiles {
            self.profiles.retain(|known| known.name != profile.name);
            self.profiles.push(Arc::new(profile));
        }
        self
    }

    /// Keeps and tells of answers what these say.
    ///
    /// # Errors
    ///
    /// When the signing key cannot be read or made.
    pub fn with_receipts(mut self, settings: ReceiptSettings) -> anyhow::Result<Self> {
        self.receipts = settings.receipts()?;
        Ok(self)
    }

    /// Gets documents by their URLs, if the configuration allows it.
    pub(crate) fn fetching(mut self, config: &FetchConfig) -> anyhow::Result<Self> {
        self.fetcher = Fetcher::configured(config)?;
        Ok(self)
    }

    /// Where in its life the server is; `GET /readyz` tells.
    pub fn stage(&self) -> Stage {
        *self.stage.borrow()
    }

    /// Everything is in place now.
    pub fn set_ready(&self) {
        self.stage.send_replace(Stage::Ready);
    }

    /// The server is to end: starts the clock of [`Limits::drain`] for open streams.
    pub fn set_stopping(&self) {
        self.stage.send_replace(Stage::Stopping);
    }

    /// Resolves when the server is to end.
    pub(crate) fn stopping(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut stage = self.stage.subscribe();
        async move {
            // An error means that the whole `App` is gone, which is no later than stopping.
            let _ = stage.wait_for(|stage| *stage == Stage::Stopping).await;
        }
    }

    /// Resolves when streams that are still open must end.
    pub(crate) fn streams_must_end(&self) -> impl Future<Output = ()> + Send + use<> {
        let stopping = self.stopping();
        let drain = self.limits.drain;
        async move {
            stopping.await;
            tokio::time::sleep(drain).await;
        }
    }
}

/// The models that answer, in the order of the configuration; the first is the default.
pub struct Models {
    models: Vec<Model>,
    loaded_at: u64,
}

/// One model that answers.
pub struct Model {
    /// What its engine says of it; clients ask for `info.name`.
    pub info: ModelInfo,
    /// The model itself.
    pub engine: Arc<dyn Engine>,
    /// Questions to answers, with this model.
    pub pipeline: Arc<Pipeline>,
}

impl Models {
    /// The name that always means the first model.
    pub const DEFAULT: &str = "default";

    /// The name that always means the model inside the program.
    pub const BUILT_IN: &str = crate::config::BUILT_IN;

    /// These models, the first one being the default.
    pub fn new(models: Vec<Model>) -> Self {
        Self {
            models,
            loaded_at: unix_seconds(),
        }
    }

    /// The model that answers when none is named.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn default_model(&self) -> &Model {
        self.models
            .first()
            .expect("a server has at least one model")
    }

    /// The model called `name`, or the one that [`Models::DEFAULT`] or [`Models::BUILT_IN`]
    /// stands for.
    pub fn get(&self, name: &str) -> Option<&Model> {
        let called = |name: &str| self.models.iter().find(|model| model.info.name == name);
        called(name).or_else(|| match name {
            Self::DEFAULT => self.models.first(),
            Self::BUILT_IN => called(bundled::NAME),
            _ => None,
        })
    }

    /// Reads `NAME` or `NAME@COLLECTION`. A model whose own name holds an `@` goes first.
    pub fn resolve<'a>(&self, wanted: &'a str) -> Option<(&Model, Option<&'a str>)> {
        if let Some(model) = self.get(wanted) {
            return Some((model, None));
        }
        let (name, collection) = wanted.rsplit_once('@')?;
        Some((self.get(name)?, Some(collection)))
    }

    /// All models in order.
    pub fn iter(&self) -> impl Iterator<Item = &Model> {
        self.models.iter()
    }

    /// Bytes that the models keep of earlier prompts and answers.
    pub(crate) fn cached_bytes(&self) -> usize {
        let cached = |model: &Model| model.pipeline.cached_bytes();
        self.models.iter().map(cached).sum()
    }

    fn pipelines(&self) -> Vec<Arc<Pipeline>> {
        let pipelines = self.models.iter().map(|model| model.pipeline.clone());
        pipelines.collect()
    }

    /// When the models were loaded, in seconds since 1970.
    pub(crate) fn loaded_at(&self) -> u64 {
        self.loaded_at
    }
}

/// What is kept and told of answers.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceiptSettings {
    /// Days for which answers are kept; 0 keeps none.
    pub keep_days: u32,
    /// The most answers that are kept.
    pub keep_most: u32,
    /// Who is named as the provider of the answers.
    pub provider: String,
    /// Watts of a busy core, for machines that do not measure their energy.
    pub watts_per_core: f64,
    /// The file of the key that signs receipts; made if it does not exist.
    pub signing_key: Option<PathBuf>,
}

impl Default for ReceiptSettings {
    fn default() -> Self {
        Self {
            keep_days: 30,
            keep_most: 10_000,
            provider: "ibid".into(),
            watts_per_core: 10.0,
            signing_key: None,
        }
    }
}

impl ReceiptSettings {
    fn receipts(self) -> anyhow::Result<Receipts> {
        let kept = self.keep_days > 0 && self.keep_most > 0;
        let signer = self.signing_key.as_deref().map(Signer::open).transpose()?;
        Ok(Receipts {
            keep: kept.then_some(Retention {
                days: self.keep_days,
                most: self.keep_most,
            }),
            provider: self.provider,
            meter: EnergyMeter::new(self.watts_per_core),
            signer,
        })
    }
}

/// What a request may ask for. Every number is inclusive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a JSON body.
    pub json_body_bytes: usize,
    /// Bytes of one uploaded file.
    pub upload_bytes: usize,
    /// Messages of one conversation.
    pub messages: usize,
    /// Bytes of a search query.
    pub query_bytes: usize,
    /// Passages one search may ask for.
    pub top_k: usize,
    /// How often a silent stream sends a comment, so that proxies keep it open.
    pub sse_keep_alive: Duration,
    /// How long a client may send nothing in the middle of a body.
    pub stall: Duration,
    /// How long open streams may go on once the server stops.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            json_body_bytes: 2_000_000,
            upload_bytes: 100_000_000,
            messages: 512,
            query_bytes: retrieval::MAX_QUERY_BYTES,
            top_k: retrieval::MAX_TOP_K,
            sse_keep_alive: Duration::from_secs(15),
            stall: Duration::from_secs(30),
            drain: Duration::from_secs(30),
        }
    }
}

/// The time, in seconds since 1970, as OpenAI's objects carry it.
pub(crate) fn unix_seconds() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
    since_1970.map_or(0, |duration| duration.as_secs())
}
