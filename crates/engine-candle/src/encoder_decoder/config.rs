//! The sizes and variants of a T5, from its `config.json`.

use candle_nn::Activation;
use serde::Deserialize;
use serde_json::Value;

use super::config_gguf;
use crate::LoadError;
use crate::files::{ModelFiles, Weights};

/// The description of a T5.
#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) vocab: usize,
    pub(super) hidden: usize,
    pub(super) heads: usize,
    pub(super) head_dim: usize,
    pub(super) inner: usize,
    pub(super) encoder_layers: usize,
    pub(super) decoder_layers: usize,
    /// Distances that are told apart.
    pub(super) buckets: usize,
    /// Distances from here on are not.
    pub(super) max_distance: usize,
    pub(super) eps: f64,
    pub(super) activation: Activation,
    /// Feed-forward layers have a gate, as since version 1.1.
    pub(super) gated: bool,
    /// States are divided by the root of their size before the head, as in version 1.0.
    pub(super) scale_head: bool,
    pub(super) start_token: u32,
    /// Ends a prompt and an answer.
    pub(super) end_token: u32,
    /// Tokens it is run with at most. Its places are relative, so that no number is its own.
    pub(super) context: usize,
}

/// What T5 is run with when its configuration does not say more. It was trained on 512 tokens,
/// and is commonly run with more.
pub(super) const USUAL_CONTEXT: usize = 2048;

#[derive(Deserialize)]
struct Raw {
    model_type: String,
    vocab_size: usize,
    d_model: usize,
    num_heads: usize,
    d_kv: usize,
    d_ff: usize,
    num_layers: usize,
    num_decoder_layers: Option<usize>,
    relative_attention_num_buckets: Option<usize>,
    relative_attention_max_distance: Option<usize>,
    layer_norm_epsilon: Option<f64>,
    feed_forward_proj: Option<String>,
    tie_word_embeddings: Option<bool>,
    scale_decoder_outputs: Option<bool>,
    decoder_start_token_id: Option<u32>,
    eos_token_id: Option<u32>,
    n_positions: Option<usize>,
}

impl Config {
    /// Reads and checks the description.
    pub(super) fn read(files: &ModelFiles) -> Result<Self, LoadError> {
        match &files.weights {
            Weights::Gguf(gguf) => config_gguf::read(gguf),
            Weights::Safetensors(_) => Self::from_json(&files.config),
        }
    }

    fn from_json(config: &Value) -> Result<Self, LoadError> {
        let raw = Raw::deserialize(config)
            .map_err(|error| LoadError::Config(format!("config.json: {error}")))?;
        if raw.model_type != "t5" {
            let family = raw.model_type;
            return Err(LoadError::Unsupported(format!(
                "the encoder-decoder family {family:?}"
            )));
        }
        let (activation, gated) = feed_forward(raw.feed_forward_proj.as_deref())?;
        // Version 1.0 ties the head to the embedding and scales; 1.1 and FLAN do neither.
        let tied = raw.tie_word_embeddings.unwrap_or(true);
        let config = Self {
            vocab: raw.vocab_size,
            hidden: raw.d_model,
            heads: raw.num_heads,
            head_dim: raw.d_kv,
            inner: raw.d_ff,
            encoder_layers: raw.num_layers,
            decoder_layers: raw.num_decoder_layers.unwrap_or(raw.num_layers),
            buckets: raw.relative_attention_num_buckets.unwrap_or(32),
            max_distance: raw.relative_attention_max_distance.unwrap_or(128),
            eps: raw.layer_norm_epsilon.unwrap_or(1e-6),
            activation,
            gated,
            scale_head: raw.scale_decoder_outputs.unwrap_or(tied),
            start_token: raw.decoder_start_token_id.unwrap_or(0),
            end_token: raw.eos_token_id.unwrap_or(1),
            context: raw.n_positions.unwrap_or(0).max(USUAL_CONTEXT),
        };
        config.check()?;
        Ok(config)
    }

    /// Numbers of keys and values for each token, of the prompt or the answer.
    pub(super) fn kv_numbers(&self) -> usize {
        2 * self.decoder_layers * self.heads * self.head_dim
    }

    /// Every size is one a real model could have.
    pub(super) fn check(&self) -> Result<(), LoadError> {
        let sizes = [
            ("d_model", self.hidden, 1 << 16),
            ("d_ff", self.inner, 1 << 18),
            ("d_kv", self.head_dim, 1 << 10),
            ("num_heads", self.heads, 1 << 10),
            ("num_layers", self.encoder_layers, 1 << 10),
            ("num_decoder_layers", self.decoder_layers, 1 << 10),
            ("vocab_size", self.vocab, 1 << 22),
            ("n_positions", self.context, 1 << 24),
            ("relative_attention_num_buckets", self.buckets, 1 << 10),
            (
                "relative_attention_max_distance",
                self.max_distance,
                1 << 20,
            ),
        ];
        for (name, size, largest) in sizes {
            if size == 0 || size > largest {
                return Err(LoadError::Config(format!("a {name} of {size}")));
            }
        }
        // The encoder halves the buckets, then one half of those is exact.
        if !self.buckets.is_multiple_of(4) || self.max_distance <= self.buckets {
            return Err(LoadError::Config("buckets and distances do not fit".into()));
        }
        Ok(())
    }
}

fn feed_forward(name: Option<&str>) -> Result<(Activation, bool), LoadError> {
    match name.unwrap_or("relu") {
        "relu" => Ok((Activation::Relu, false)),
        "gated-gelu" => Ok((Activation::NewGelu, true)),
        "gated-silu" => Ok((Activation::Silu, true)),
        other => Err(LoadError::Unsupported(format!(
            "a feed_forward_proj of {other:?}"
        ))),
    }
}
