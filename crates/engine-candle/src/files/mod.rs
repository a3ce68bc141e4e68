//! The files of a model, found and checked but not yet interpreted.

mod adapter;
mod beside;
mod blob;
mod folder;
mod gguf;
mod gguf_check;
mod safetensors;
mod stored;
mod t5_names;
mod weights;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::LoadError;
pub(crate) use adapter::Adapter;
use blob::Blob;
pub(crate) use folder::shards;
pub(crate) use gguf::Gguf;
pub(crate) use safetensors::Safetensors;
pub(crate) use stored::{RowOrder, Stored, decode};
pub(crate) use weights::{Weights, gguf_name};

/// Where a model is read from.
#[derive(Clone, Debug)]
pub enum ModelSource {
    /// A Hugging Face folder (`config.json`, `*.safetensors`, `tokenizer.json`), or a `.gguf` file.
    Path(PathBuf),
    /// The same files, inside the program.
    Embedded(EmbeddedModel),
}

/// The files of a model that is part of the program, as they would lie in its folder.
#[derive(Clone, Copy, Debug)]
pub struct EmbeddedModel {
    /// `config.json`.
    pub config: &'static [u8],
    /// `tokenizer.json`.
    pub tokenizer: &'static [u8],
    /// `tokenizer_config.json`, with the chat template.
    pub tokenizer_config: &'static [u8],
    /// `model.safetensors`, or a GGUF file of tensors that have the names of one.
    pub weights: &'static [u8],
    /// Other files, by their path in the folder: what sentence-transformers says of an embedder, or
    /// an adapter.
    pub others: &'static [(&'static str, &'static [u8])],
}

/// What a GGUF file begins with.
const GGUF_MAGIC: &[u8] = b"GGUF";

/// The key under which a GGUF has the object `ibid` of `config.json`, as JSON.
pub(crate) const GGUF_CARD: &str = "ibid";

/// What was found of a model. A GGUF file carries all of it but, at times, the tokenizer.
pub(crate) struct ModelFiles {
    /// `config.json`; of a GGUF, which says the same in its metadata, only the object `ibid`, or
    /// null.
    pub(crate) config: Value,
    /// `generation_config.json`, or null.
    pub(crate) generation_config: Value,
    /// `tokenizer.json`.
    pub(crate) tokenizer: Option<Vec<u8>>,
    /// `tokenizer_config.json`, or null.
    pub(crate) tokenizer_config: Value,
    /// `chat_template.jinja`, which outranks the template in `tokenizer_config.json`.
    pub(crate) chat_template: Option<String>,
    /// The tensors.
    pub(crate) weights: Weights,
}

impl ModelFiles {
    /// Finds the files and checks everything about the weights but their values.
    pub(crate) fn open(source: &ModelSource) -> Result<Self, LoadError> {
        match source {
            ModelSource::Embedded(embedded) => Self::embedded(embedded),
            ModelSource::Path(path) if path.is_dir() => folder::open(path),
            ModelSource::Path(path) => Self::gguf(path),
        }
    }

    fn embedded(embedded: &EmbeddedModel) -> Result<Self, LoadError> {
        let weights = Blob::embedded("the built-in model", embedded.weights);
        Ok(Self {
            config: parsed("the built-in config.json", embedded.config)?,
            generation_config: Value::Null,
            tokenizer: Some(embedded.tokenizer.to_vec()),
            tokenizer_config: parsed(
                "the built-in tokenizer_config.json",
                embedded.tokenizer_config,
            )?,
            chat_template: None,
            weights: match embedded.weights.starts_with(GGUF_MAGIC) {
                true => Weights::Gguf(Gguf::open(weights)?),
                false => Weights::Safetensors(Safetensors::open(vec![weights])?),
            },
        })
    }

    fn gguf(path: &Path) -> Result<Self, LoadError> {
        let gguf = Gguf::open(Blob::file(path)?)?;
        let config = match gguf.string(GGUF_CARD) {
            Some(card) => json!({ "ibid": parsed("the metadata `ibid`", card.as_bytes())? }),
            None => Value::Null,
        };
        let weights = Weights::Gguf(gguf);
        Ok(Self {
            config,
            generation_config: Value::Null,
            tokenizer: folder::read_optional(&path.with_file_name("tokenizer.json"))?,
            tokenizer_config: Value::Null,
            chat_template: None,
            weights,
        })
    }
}

fn parsed(file: &str, bytes: &[u8]) -> Result<Value, LoadError> {
    serde_json::from_slice(bytes).map_err(|error| LoadError::Malformed {
        file: file.to_owned(),
        reason: error.to_string(),
    })
}
