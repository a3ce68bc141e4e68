//! One way to ask for tensors, by the names Hugging Face gives them.

use std::ops::Range;

use candle_core::Tensor;

use super::gguf::Gguf;
use super::safetensors::Safetensors;
use super::stored::{RowOrder, Stored, original_rows};
use super::t5_names;
use crate::LoadError;
use crate::kernels::Matrix;

/// The tensors of a model, in whichever file they are.
pub(crate) enum Weights {
    /// From a Hugging Face folder.
    Safetensors(Safetensors),
    /// From a GGUF file.
    Gguf(Gguf),
}

impl Weights {
    /// The tensor is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        match self {
            Self::Safetensors(safetensors) => safetensors.has(name),
            Self::Gguf(gguf) => gguf.shape(&gguf_name(architecture(gguf), name)).is_some(),
        }
    }

    /// A matrix, outputs in rows.
    pub(crate) fn matrix(&self, name: &str, shape: [usize; 2]) -> Result<Matrix, LoadError> {
        self.matrix_rows(name, shape, 0..shape[0])
    }

    /// Some rows of a matrix.
    pub(crate) fn matrix_rows(
        &self,
        name: &str,
        shape: [usize; 2],
        rows: Range<usize>,
    ) -> Result<Matrix, LoadError> {
        self.stored(name, &shape)?.matrix(rows, RowOrder::Original)
    }

    /// A matrix whose outputs are the rotated halves of `heads` heads.
    pub(crate) fn rotated_matrix(
        &self,
        name: &str,
        shape: [usize; 2],
        heads: usize,
    ) -> Result<Matrix, LoadError> {
        let order = self.rotated_order(heads);
        self.stored(name, &shape)?.matrix(0..shape[0], order)
    }

    /// A tensor of any shape, in f32.
    pub(crate) fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor, LoadError> {
        self.stored(name, shape)?.numbers()
    }

    /// A vector, in f32.
    pub(crate) fn vector(&self, name: &str, len: usize) -> Result<Vec<f32>, LoadError> {
        Ok(self.tensor(name, &[len])?.to_vec1()?)
    }

    /// A bias to the outputs of [`rotated_matrix`](Self::rotated_matrix).
    pub(crate) fn rotated_vector(
        &self,
        name: &str,
        len: usize,
        heads: usize,
    ) -> Result<Vec<f32>, LoadError> {
        let vector = self.vector(name, len)?;
        Ok(match self.rotated_order(heads) {
            RowOrder::Original => vector,
            RowOrder::Interleaved { heads } => original_rows(&vector, 1, heads),
        })
    }

    fn stored(&self, name: &str, shape: &[usize]) -> Result<Stored<'_>, LoadError> {
        match self {
            Self::Safetensors(safetensors) => safetensors.tensor(name, shape),
            Self::Gguf(gguf) => gguf.tensor(&gguf_name(architecture(gguf), name), shape),
        }
    }

    fn rotated_order(&self, heads: usize) -> RowOrder {
        match self {
            Self::Gguf(gguf) => RowOrder::of(architecture(gguf), heads),
            Self::Safetensors(_) => RowOrder::Original,
        }
    }
}

/// Parts of Hugging Face names and what GGUF calls them.
const GGUF_NAMES: [(&str, &str); 19] = [
    ("model.embed_tokens", "token_embd"),
    ("model.norm", "output_norm"),
    ("lm_head", "output"),
    ("model.layers", "blk"),
    ("input_layernorm", "attn_norm"),
    ("post_attention_layernorm", "ffn_norm"),
    ("pre_feedforward_layernorm", "ffn_norm"),
    ("post_feedforward_layernorm", "post_ffw_norm"),
    ("self_attn.q_norm", "attn_q_norm"),
    ("self_attn.k_norm", "attn_k_norm"),
    ("self_attn.q_proj", "attn_q"),
    ("self_attn.k_proj", "attn_k"),
    ("self_attn.v_proj", "attn_v"),
    ("self_attn.qkv_proj", "attn_qkv"),
    ("self_attn.o_proj", "attn_output"),
    ("mlp.gate_proj", "ffn_gate"),
    ("mlp.up_proj", "ffn_up"),
    ("mlp.gate_up_proj", "ffn_up"),
    ("mlp.down_proj", "ffn_down"),
];

/// What the tensor with this name in a folder is called in GGUF.
pub(crate) fn gguf_name(architecture: &str, name: &str) -> String {
    if architecture == "t5" {
        return t5_names::gguf_name(name);
    }
    // In Gemma this norm comes after attention indeed, not before the feed-forward network.
    let name = match architecture.starts_with("gemma") {
        true => name.replace("post_attention_layernorm", "post_attention_norm"),
        false => name.to_owned(),
    };
    GGUF_NAMES
        .iter()
        .fold(name, |name, (part, in_gguf)| name.replace(part, in_gguf))
}

fn architecture(gguf: &Gguf) -> &str {
    gguf.string("general.architecture").unwrap_or_default()
}
