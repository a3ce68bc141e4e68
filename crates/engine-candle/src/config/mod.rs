//! What a decoder is made of: its sizes and its variants, read from `config.json` or GGUF.

mod gguf;
mod hugging_face;

use crate::LoadError;
use crate::files::{ModelFiles, Weights};

/// The description of a decoder of the Llama family.
#[derive(Clone, Debug)]
pub(crate) struct DecoderConfig {
    pub(crate) hidden: usize,
    pub(crate) intermediate: usize,
    pub(crate) layers: usize,
    pub(crate) heads: usize,
    pub(crate) kv_heads: usize,
    pub(crate) head_dim: usize,
    pub(crate) vocab: usize,
    /// Positions the model was made for.
    pub(crate) context: usize,
    pub(crate) rms_norm_eps: f64,
    pub(crate) rope_theta: f64,
    pub(crate) rope_scaling: RopeScaling,
    /// The configuration says that the head is the embedding.
    pub(crate) tied: bool,
}

/// How the angles of rotary positions were stretched for longer contexts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum RopeScaling {
    /// They were not.
    None,
    /// Positions are divided by this.
    Linear(f64),
    /// Llama 3.1: slow frequencies are divided by `factor`, fast ones kept, those between blended.
    Llama3 {
        factor: f64,
        low_freq_factor: f64,
        high_freq_factor: f64,
        original_context: f64,
    },
}

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
            ("number of layers", self.layers, 1 << 10),
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
        let positive = [self.rms_norm_eps, self.rope_theta];
        if !positive.iter().all(|x| x.is_finite() && *x > 0.0) {
            return Err("rms_norm_eps and rope_theta must be above 0".into());
        }
        Ok(())
    }
}
