//! Configuration as written: flags over environment over file over defaults.
//!
//! `config/ibid.toml` lists every key with its default; a test holds the two together.

mod profiles;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::{Deserialize, Serialize};

use crate::app::ReceiptSettings;
pub use profiles::{LocalisedConfig, ProfileConfig, Speaker};

/// Read when no other file is named and this one exists.
pub const DEFAULT_FILE: &str = "config/ibid.toml";

/// Everything that can be configured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Address and port to serve on.
    pub listen: SocketAddr,
    /// Where documents and indexes are kept; the platform's data folder when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// The model that answers when a request names none.
    pub model: ModelConfig,
    /// Folders that are kept in step with collections while the server runs.
    pub collections: Vec<CollectionConfig>,
    /// Further models, for requests that name them.
    pub models: Vec<ModelConfig>,
    /// A folder whose models are served, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub models_dir: Option<PathBuf>,
    /// How documents are cut for searching.
    pub passages: PassagesConfig,
    /// How passages are found.
    pub retrieval: RetrievalConfig,
    /// How answers are made.
    pub answer: AnswerConfig,
    /// How answers from collections of some field are made.
    pub profiles: Vec<ProfileConfig>,
    /// What is kept and told of answers.
    pub receipts: ReceiptsConfig,
    /// What a client may ask of the server.
    pub limits: LimitsConfig,
    /// Getting documents by their URLs.
    pub fetch: FetchConfig,
    /// What is written to the log.
    pub log: LogConfig,
}

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

/// How passages are found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetrievalConfig {
    /// A Hugging Face folder of a model that turns texts into vectors; none when absent, and
    /// search then goes by words alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub embedder: Option<PathBuf>,
    /// A Hugging Face folder of a model that reads a query and a passage together; none when
    /// absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reranker: Option<PathBuf>,
    /// Threads for embedder and reranker; the number of physical cores when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoder_threads: Option<usize>,
    /// Callers that may wait for the embedder, and as many for the reranker.
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

/// How answers are made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AnswerConfig {
    /// Passages that are looked up for a question.
    pub top_k: usize,
    /// Evidence below this, 0 to 1, is answered with a refusal.
    pub evidence_floor: f32,
    /// Support below this, 0 to 1, gives a sentence no footnote.
    pub citation_floor: f32,
    /// From which cosine on a sentence is supported by its meaning, see the shipped file.
    pub meaning_floor: f32,
    /// What happens to sentences that no source supports.
    pub support: SupportPolicy,
    /// With "strict", the part of all sentences that must be supported; 0 asks for a single one.
    pub citation_density: f32,
    /// Whether the model's attention has a vote on footnotes.
    pub attention: bool,
    /// A folder of prompt templates; those of the program when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompts: Option<PathBuf>,
    /// The most tokens of an answer, when the request does not say.
    pub max_tokens: usize,
    /// The most sentences of an answer in quotes.
    pub quote_sentences: usize,
}

/// What happens to sentences that no source supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SupportPolicy {
    /// A text without a single supported sentence is withheld.
    Strict,
    /// They are told apart.
    Mark,
    /// Nothing.
    Off,
}

impl From<SupportPolicy> for rag::SupportPolicy {
    fn from(policy: SupportPolicy) -> Self {
        match policy {
            SupportPolicy::Strict => Self::Strict,
            SupportPolicy::Mark => Self::Mark,
            SupportPolicy::Off => Self::Off,
        }
    }
}

/// What is kept and told of answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReceiptsConfig {
    /// Days for which answers are kept; 0 keeps none.
    pub keep_days: u32,
    /// The most answers that are kept.
    pub keep_most: u32,
    /// Who is named as the provider of the answers.
    pub provider: String,
    /// Watts of a busy core, where the machine does not measure its energy.
    pub watts_per_core: f64,
    /// The file of the Ed25519 key that signs receipts, made if it does not exist; without one
    /// nothing is signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signing_key: Option<PathBuf>,
}

/// What a client may ask of the server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// The largest JSON body, in bytes.
    pub body_bytes: usize,
    /// The largest document, in bytes.
    pub upload_bytes: usize,
    /// Connections that are open at the same time.
    pub connections: usize,
    /// Seconds that running answers are given when the server stops.
    pub drain_s: u64,
}

/// Getting documents by their URLs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FetchConfig {
    /// Whether requests may name them.
    pub enabled: bool,
    /// A PEM file of certificate authorities to trust besides Mozilla's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificates: Option<PathBuf>,
}

/// What is written to the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// Which events, in the syntax of `RUST_LOG`.
    pub filter: String,
    /// One JSON object a line, instead of text.
    pub json: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            data_dir: None,
            model: ModelConfig::default(),
            collections: Vec::new(),
            models: Vec::new(),
            models_dir: None,
            passages: PassagesConfig::default(),
            retrieval: RetrievalConfig::default(),
            answer: AnswerConfig::default(),
            profiles: Vec::new(),
            receipts: ReceiptsConfig::default(),
            limits: LimitsConfig::default(),
            fetch: FetchConfig::default(),
            log: LogConfig::default(),
        }
    }
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

impl Default for ReceiptsConfig {
    fn default() -> Self {
        let ReceiptSettings {
            keep_days,
            keep_most,
            provider,
            watts_per_core,
            signing_key,
        } = ReceiptSettings::default();
        Self {
            keep_days,
            keep_most,
            provider,
            watts_per_core,
            signing_key,
        }
    }
}

impl Default for PassagesConfig {
    fn default() -> Self {
        Self {
            tokens: 256,
            overlap_tokens: 0,
        }
    }
}

impl Default for RetrievalConfig {
    fn default() -> Self {
        let settings = rag::RerankSettings::default();
        Self {
            embedder: None,
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

impl Default for AnswerConfig {
    fn default() -> Self {
        let settings = rag::Settings::default();
        Self {
            top_k: settings.top_k,
            evidence_floor: settings.evidence_floor,
            citation_floor: settings.citation_floor,
            meaning_floor: settings.meaning_floor,
            support: SupportPolicy::Mark,
            citation_density: settings.citation_density,
            attention: settings.attention,
            prompts: None,
            max_tokens: settings.max_answer_tokens,
            quote_sentences: settings.quote_sentences,
        }
    }
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            body_bytes: 2_000_000,
            upload_bytes: 100_000_000,
            connections: 1024,
            drain_s: 10,
        }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            filter: "warn".into(),
            json: false,
        }
    }
}

/// What the command line says over everything else.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Overrides {
    #[serde(skip_serializing_if = "Option::is_none")]
    listen: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_dir: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    models_dir: Option<PathBuf>,
    #[serde(skip_serializing_if = "ModelOverrides::is_empty")]
    model: ModelOverrides,
    #[serde(skip_serializing_if = "RetrievalOverrides::is_empty")]
    retrieval: RetrievalOverrides,
    /// Added to those of the file, not put in their place.
    #[serde(skip)]
    models: Vec<ModelConfig>,
}

#[derive(Clone, Debug, Default, Serialize)]
struct ModelOverrides {
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

/// A model on the command line: `PATH` or `NAME=PATH`.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedPath {
    /// The name clients ask for.
    pub name: Option<String>,
    /// A GGUF file, a Hugging Face folder, or a name in Hugging Face's cache.
    pub path: PathBuf,
}

impl From<OsString> for NamedPath {
    /// What stands before the first `=` is a name, unless it looks like a folder or the whole is
    /// a path that exists.
    fn from(given: OsString) -> Self {
        let text = given.to_str().filter(|_| !Path::new(&given).exists());
        let parts = text.and_then(|text| text.split_once('='));
        match parts.filter(|(name, _)| !name.is_empty() && !name.contains(['/', '\\'])) {
            Some((name, path)) => Self {
                name: Some(name.to_owned()),
                path: path.into(),
            },
            None => Self {
                name: None,
                path: given.into(),
            },
        }
    }
}

#[derive(Clone, Debug, Default, Serialize)]
struct RetrievalOverrides {
    #[serde(skip_serializing_if = "Option::is_none")]
    embedder: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reranker: Option<PathBuf>,
}

impl RetrievalOverrides {
    fn is_empty(&self) -> bool {
        self.embedder.is_none() && self.reranker.is_none()
    }
}

impl ModelOverrides {
    fn is_empty(&self) -> bool {
        self.path.is_none()
    }
}

impl Overrides {
    /// The flags that override configuration. The first of the models is the default one.
    pub fn new(
        listen: Option<SocketAddr>,
        data_dir: Option<PathBuf>,
        models: impl IntoIterator<Item = NamedPath>,
    ) -> Self {
        let mut models = models.into_iter();
        let first = models.next();
        let further = models.map(|model| ModelConfig {
            name: model.name,
            path: Some(model.path),
            ..ModelConfig::default()
        });
        Self {
            listen,
            data_dir,
            models_dir: None,
            models: further.collect(),
            model: first.map_or_else(ModelOverrides::default, |first| ModelOverrides {
                path: Some(first.path),
                name: first.name,
            }),
            retrieval: RetrievalOverrides::default(),
        }
    }

    /// The same, with a folder of models.
    pub fn with_models_dir(self, models_dir: Option<PathBuf>) -> Self {
        Self { models_dir, ..self }
    }

    /// The flags that name models for searching.
    pub fn with_encoders(mut self, embedder: Option<PathBuf>, reranker: Option<PathBuf>) -> Self {
        self.retrieval = RetrievalOverrides { embedder, reranker };
        self
    }
}

impl Config {
    /// Puts the four layers together and checks them.
    ///
    /// # Errors
    ///
    /// When `file` cannot be read, or a layer holds an unknown key or a value of the wrong
    /// kind or range; the text names the key and where it was written.
    pub fn load(file: Option<&Path>, overrides: Overrides) -> Result<Config, ConfigError> {
        let mut layers = Figment::from(Serialized::defaults(Config::default()));
        if let Some(file) = file_to_read(file)? {
            layers = layers.merge(Toml::file_exact(file));
        }
        let environment = Env::prefixed("IBID_").ignore(&["config"]).split("__");
        let further_models = overrides.models.clone();
        let mut config: Config = layers
            .merge(environment)
            .merge(Serialized::defaults(overrides))
            .extract()?;
        config.models.extend(further_models);
        config.checked()
    }

    /// Thresholds are in their range, and collections name profiles that there are.
    fn check_profiles(&self) -> Result<(), ConfigError> {
        for profile in &self.profiles {
            for (key, value) in [
                ("profiles.evidence_floor", profile.evidence_floor),
                ("profiles.citation_floor", profile.citation_floor),
                ("profiles.citation_density", profile.citation_density),
            ] {
                within(key, value.unwrap_or(0.0), 0.0, 1.0)?;
            }
        }
        let shipped = rag::Profile::shipped().into_iter();
        let configured = self.profiles.iter().map(|profile| profile.name.clone());
        let known = shipped.map(|profile| profile.name).chain(configured);
        let known = known.collect::<Vec<_>>();
        for collection in &self.collections {
            if let Some(wanted) = &collection.profile
                && !known.contains(wanted)
            {
                return Err(ConfigError::NoProfile {
                    collection: collection.name.clone(),
                    profile: wanted.clone(),
                    known: known.join(", "),
                });
            }
        }
        Ok(())
    }

    fn checked(self) -> Result<Config, ConfigError> {
        for model in [&self.model].into_iter().chain(&self.models) {
            within("model.workers", model.workers, 1, 64)?;
            within("model.running", model.running, 1, 256)?;
            within("model.queue", model.queue, 1, 4096)?;
            within("model.queue_tokens", model.queue_tokens, 1, 1 << 30)?;
            within("model.max_wait_s", model.max_wait_s, 1, 3600)?;
            within("model.kv_bytes", model.kv_bytes, 1_000_000, 1 << 44)?;
        }
        if self.models.iter().any(|model| model.path.is_none()) {
            return Err(ConfigError::NoPath);
        }
        within("passages.tokens", self.passages.tokens, 32, 4096)?;
        within(
            "passages.overlap_tokens",
            self.passages.overlap_tokens,
            0,
            self.passages.tokens / 2,
        )?;
        let retrieval = &self.retrieval;
        within("retrieval.encoder_queue", retrieval.encoder_queue, 1, 4096)?;
        within(
            "retrieval.rerank_candidates",
            retrieval.rerank_candidates,
            1,
            rag::MAX_RERANK_CANDIDATES,
        )?;
        within("retrieval.rerank_ms", retrieval.rerank_ms, 1, 60_000)?;
        within("retrieval.diversity", retrieval.diversity, 0.0, 1.0)?;
        within("answer.top_k", self.answer.top_k, 1, 50)?;
        within(
            "answer.evidence_floor",
            self.answer.evidence_floor,
            0.0,
            1.0,
        )?;
        within(
            "answer.citation_floor",
            self.answer.citation_floor,
            0.0,
            1.0,
        )?;
        within("answer.meaning_floor", self.answer.meaning_floor, 0.0, 2.0)?;
        within(
            "answer.citation_density",
            self.answer.citation_density,
            0.0,
            1.0,
        )?;
        self.check_profiles()?;
        within("answer.max_tokens", self.answer.max_tokens, 1, 1_000_000)?;
        within("answer.quote_sentences", self.answer.quote_sentences, 1, 20)?;
        within(
            "limits.body_bytes",
            self.limits.body_bytes,
            1_000,
            1_000_000_000,
        )?;
        within(
            "limits.upload_bytes",
            self.limits.upload_bytes,
            1_000,
            1_000_000_000,
        )?;
        within("limits.connections", self.limits.connections, 1, 65_536)?;
        within("limits.drain_s", self.limits.drain_s, 0, 3600)?;
        Ok(self)
    }
}

fn file_to_read(named: Option<&Path>) -> Result<Option<PathBuf>, ConfigError> {
    match named {
        Some(file) if file.is_file() => Ok(Some(file.to_owned())),
        Some(file) => Err(ConfigError::NoFile(file.to_owned())),
        None => Ok(Some(PathBuf::from(DEFAULT_FILE)).filter(|file| file.is_file())),
    }
}

fn within<T: PartialOrd + std::fmt::Display>(
    key: &'static str,
    value: T,
    least: T,
    most: T,
) -> Result<(), ConfigError> {
    if value >= least && value <= most {
        return Ok(());
    }
    let (value, least, most) = (value.to_string(), least.to_string(), most.to_string());
    Err(ConfigError::OutOfRange {
        key,
        value,
        least,
        most,
    })
}

/// Why a configuration was refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file that was named is not there.
    #[error("there is no configuration file at {0}")]
    NoFile(PathBuf),
    /// A further model without files.
    #[error("each of [[models]] needs a path; the built-in model is there without being named")]
    NoPath,
    /// A collection with a profile that is not there.
    #[error("the collection {collection:?} has the profile {profile:?}; there are: {known}")]
    NoProfile {
        /// The collection's name.
        collection: String,
        /// The profile that it names.
        profile: String,
        /// Those that there are.
        known: String,
    },
    /// An unknown key, or a value of the wrong kind.
    #[error(transparent)]
    Invalid(Box<figment::Error>),
    /// A number outside its range.
    #[error("{key} is {value}, which is outside {least} to {most}")]
    OutOfRange {
        /// The key, with dots.
        key: &'static str,
        /// What it says.
        value: String,
        /// The least it may say.
        least: String,
        /// The most it may say.
        most: String,
    },
}

impl From<figment::Error> for ConfigError {
    fn from(error: figment::Error) -> Self {
        ConfigError::Invalid(Box::new(error))
    }
}
