//! The flags of the command line.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::ModelConfig;

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
    pub(super) models: Vec<ModelConfig>,
}

#[derive(Clone, Debug, Default, Serialize)]
struct ModelOverrides {
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

/// The flags that name models for searching and reading.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RetrievalOverrides {
    /// `retrieval.embedder`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub embedder: Option<PathBuf>,
    /// `retrieval.reader`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reader: Option<PathBuf>,
    /// `retrieval.reranker`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reranker: Option<PathBuf>,
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

    /// The same, with models for searching and reading.
    pub fn with_encoders(self, retrieval: RetrievalOverrides) -> Self {
        Self { retrieval, ..self }
    }
}

impl ModelOverrides {
    fn is_empty(&self) -> bool {
        self.path.is_none()
    }
}

impl RetrievalOverrides {
    fn is_empty(&self) -> bool {
        self.embedder.is_none() && self.reader.is_none() && self.reranker.is_none()
    }
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
