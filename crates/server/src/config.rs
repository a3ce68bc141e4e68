//! Configuration as written: flags over environment over file over defaults.
//!
//! `config/ibid.toml` lists every key with its default; a test holds the two together.

mod answers;
mod checks;
mod error;
mod model;
mod overrides;
mod profiles;
mod searching;
mod service;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::{Deserialize, Serialize};

pub use answers::{AnswerConfig, ReceiptsConfig, SupportPolicy};
pub use error::ConfigError;
pub use model::{KvType, ModelConfig};
pub use overrides::{NamedPath, Overrides, RetrievalOverrides};
pub use profiles::{LocalisedConfig, ProfileConfig, Speaker};
pub use searching::{BUILT_IN, CollectionConfig, PassagesConfig, RetrievalConfig};
pub use service::{FetchConfig, LimitsConfig, LogConfig};

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
}

fn file_to_read(named: Option<&Path>) -> Result<Option<PathBuf>, ConfigError> {
    match named {
        Some(file) if file.is_file() => Ok(Some(file.to_owned())),
        Some(file) => Err(ConfigError::NoFile(file.to_owned())),
        None => Ok(Some(PathBuf::from(DEFAULT_FILE)).filter(|file| file.is_file())),
    }
}
