//! What a decoder is made of: its sizes and its variants, read from `config.json` or GGUF.

mod family;
mod gguf;
mod hugging_face;
mod hugging_face_rope;
mod rope;

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::LoadError;
use crate::decoder::Blocks;
use crate::files::{ModelFiles, Weights};
pub(crate) use family::{Activation, Family};
pub(crate) use rope::{RopeConfig, RopeScaling, yarn_magnitude};

/// The description of a decoder.
#[derive(Clone, Debug)]
pub(crate) struct DecoderConfig {
    /// What it has in common with others.
    pub(crate) family: &'static Family,
    pub(crate) hidden: usize,
    pub(crate) intermediate: usize,
    pub(crate) layers: usize,
    /// What each of the layers does its own way.
    pub(crate) layer_configs: Vec<LayerConfig>,
    pub(crate) heads: usize,
    pub(crate) kv_heads: usize,
    pub(crate) head_dim: usize,
    pub(crate) vocab: usize,
    /// Positions the model was made for.
    pub(crate) context: usize,
    pub(crate) activation: Activation,
    pub(crate) rms_norm_eps: f64,
    /// Added to the weights of norms as the file holds them.
    pub(crate) norm_offset: f64,
    /// The ways in which layers turn queries and keys.
    pub(crate) ropes: Vec<RopeConfig>,
    /// Embeddings are multiplied by this.
    pub(crate) embedding_scale: f64,
    /// Products of queries and keys are multiplied by this.
    pub(crate) attention_scale: f64,
    /// What a layer adds to its input is multiplied by this.
    pub(crate) residual_scale: f64,
    /// Logits are divided by this.
    pub(crate) logit_divisor: f64,
    /// Attention scores are squeezed between this and its negative.
    pub(crate) attention_cap: Option<f64>,
    /// Logits are squeezed between this and its negative.
    pub(crate) logit_cap: Option<f64>,
    /// The configuration says that the head is the embedding.
    pub(crate) tied: bool,
}

/// What layers of the same model differ in.
#[derive(Clone, Debug)]
pub(crate) struct LayerConfig {
    /// A token sees this many tokens, itself the last of them; all before it when `None`.
    pub(crate) window: Option<usize>,
    /// Which of [`DecoderConfig::ropes`] turns queries and keys; they stay as they are when
    /// `None`.
    pub(crate) rope: Option<usize>,
}

/// More layers than any model has.
const MOST_LAYERS: usize = 1 << 10;

impl DecoderConfig {
    /// Reads and checks the description.
    pub(crate) fn read(files: &ModelFiles) -> Result<Self, LoadError> {
        let (file, config) = match &files.weights {
            Weights::Safetensors(_) => ("config.json", hugging_face::read(&files.config)?),
            Weights::Gguf(gguf) => ("the metadata", gguf::read(gguf)?),
        };
        let checked = config.check();
        checked.map_err(|reason| LoadError::Config(format!("{file}: {reason}")))?;
        Ok(config)
    }

    /// Every size is one a real model could have, and they fit each other.
    fn check(&self) -> Result<(), String> {
        let sizes = [
            ("hidden size", self.hidden, 1 << 16),
            ("intermediate size", self.intermediate, 1 << 18),
            ("number of heads", self.heads, 1 << 10),
            ("number of key heads", self.kv_heads, 1 << 10),
            ("head size", self.head_dim, 1 << 10),
            ("vocabulary", self.vocab, 1 << 22),
            ("context", self.context, 1 << 24),
        ];
        for (what, size, largest) in sizes {
            if size == 0 || size > largest {
                return Err(format!("a {what} of {size}"));
            }
        }
        if !self.heads.is_multiple_of(self.kv_heads) {
            return Err("the heads cannot be shared out among the key heads".into());
        }
        if !self.head_dim.is_multiple_of(2) {
            return Err("the head size is odd".into());
        }
        if self
            .layer_configs
            .iter()
            .any(|layer| layer.window == Some(0))
        {
            return Err("a sliding window of 0".into());
        }
        self.check_numbers()?;
        let mut ropes = self.ropes.iter();
        ropes.try_for_each(|rope| rope.check(self.head_dim))
    }

    fn check_numbers(&self) -> Result<(), String> {
        let positive = [
            ("rms_norm_eps", self.rms_norm_eps),
            ("the embedding's multiplier", self.embedding_scale),
            ("the attention's multiplier", self.attention_scale),
            ("the residual multiplier", self.residual_scale),
            ("the logits' scaling", self.logit_divisor),
            ("the attention's cap", self.attention_cap.unwrap_or(1.0)),
            ("the logits' cap", self.logit_cap.unwrap_or(1.0)),
        ];
        match positive.iter().find(|(_, x)| !x.is_finite() || *x <= 0.0) {
            Some((what, _)) => Err(format!("{what} must be above 0")),
            None => Ok(()),
        }
    }
}

/// How sources are told from each other, if they are read independently: the object
/// `ibid.block_attention`, token ids, `{"opens": [8, 9, …], "closes": 4}`.
pub(crate) fn blocks(config: &Value) -> Result<Option<Arc<Blocks>>, LoadError> {
    let config = &config["ibid"]["block_attention"];
    if config.is_null() {
        return Ok(None);
    }
    let read = Blocks::deserialize(config);
    let read =
        read.map_err(|error| LoadError::Config(format!("`ibid.block_attention`: {error}")))?;
    Ok(Some(Arc::new(read)))
}

/// The family with this property. The error names all, by `name_of`.
fn find_family(
    what: &str,
    name: &str,
    name_of: impl Fn(&Family) -> Option<&'static str>,
) -> Result<&'static Family, LoadError> {
    let mut families = family::FAMILIES.iter();
    let found = families.find(|family| name_of(family) == Some(name));
    found.ok_or_else(|| {
        let names = family::FAMILIES.iter().filter_map(name_of);
        let names = names.collect::<Vec<_>>().join(", ");
        LoadError::Unsupported(format!("the {what} {name:?} (there are {names})"))
    })
}

/// Describes each of so many layers.
fn each_layer(
    file: &str,
    layers: usize,
    describe: impl Fn(usize) -> Result<LayerConfig, LoadError>,
) -> Result<Vec<LayerConfig>, LoadError> {
    if layers == 0 || layers > MOST_LAYERS {
        return Err(LoadError::Config(format!(
            "{file}: a number of layers of {layers}"
        )));
    }
    (0..layers).map(describe).collect()
}
