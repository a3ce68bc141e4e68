//! One way to ask for tensors, by the names Hugging Face gives them.

use std::ops::Range;
use std::sync::Arc;

use candle_core::quantized::{QTensor, ggml_file::qtensor_from_ggml};
use candle_core::{Device, Tensor};

use super::gguf::{Gguf, GgufTensor, RowOrder};
use super::safetensors::Safetensors;
use crate::LoadError;

/// The tensors of a model, in whichever file they are.
pub(crate) enum Weights {
    /// From a Hugging Face folder.
    Safetensors(Safetensors),
    /// From a GGUF file.
    Gguf(Gguf),
}

/// A matrix of weights, outputs in rows.
#[derive(Clone)]
pub(crate) enum Matrix {
    /// In f32.
    Dense(Tensor),
    /// In blocks of small integers.
    Quantised(Arc<QTensor>),
}

impl Matrix {
    /// Some of the rows.
    pub(crate) fn rows(&self, rows: Range<usize>) -> candle_core::Result<Self> {
        match self {
            Self::Dense(tensor) => Ok(Self::Dense(tensor.narrow(0, rows.start, rows.len())?)),
            Self::Quantised(tensor) => {
                let (outputs, inputs) = tensor.shape().dims2()?;
                let bytes = tensor.data()?;
                let row_bytes = bytes.len() / outputs;
                let bytes = &bytes[rows.start * row_bytes..rows.end * row_bytes];
                let shape = vec![rows.len(), inputs];
                let part = qtensor_from_ggml(tensor.dtype(), bytes, shape, &Device::Cpu)?;
                Ok(Self::Quantised(Arc::new(part)))
            }
        }
    }
}

impl Weights {
    /// The tensor is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        match self {
            Self::Safetensors(safetensors) => safetensors.has(name),
            Self::Gguf(gguf) => gguf.shape(&gguf_name(gguf, name)).is_some(),
        }
    }

    /// A matrix.
    pub(crate) fn matrix(
        &self,
        name: &str,
        outputs: usize,
        inputs: usize,
    ) -> Result<Matrix, LoadError> {
        self.read(name, &[outputs, inputs], RowOrder::Original)
    }

    /// A matrix whose outputs are the rotated halves of `heads` heads.
    pub(crate) fn rotated_matrix(
        &self,
        name: &str,
        [outputs, inputs]: [usize; 2],
        heads: usize,
    ) -> Result<Matrix, LoadError> {
        self.read(name, &[outputs, inputs], self.rotated_order(heads))
    }

    /// A vector, in f32.
    pub(crate) fn vector(&self, name: &str, len: usize) -> Result<Tensor, LoadError> {
        self.dense(name, len, RowOrder::Original)
    }

    /// A bias to the outputs of [`rotated_matrix`](Self::rotated_matrix).
    pub(crate) fn rotated_vector(
        &self,
        name: &str,
        len: usize,
        heads: usize,
    ) -> Result<Tensor, LoadError> {
        self.dense(name, len, self.rotated_order(heads))
    }

    fn dense(&self, name: &str, len: usize, order: RowOrder) -> Result<Tensor, LoadError> {
        match self.read(name, &[len], order)? {
            Matrix::Dense(tensor) => Ok(tensor),
            Matrix::Quantised(tensor) => Ok(tensor.dequantize(&Device::Cpu)?),
        }
    }

    fn rotated_order(&self, heads: usize) -> RowOrder {
        match self {
            Self::Gguf(gguf) if INTERLEAVED.contains(&architecture(gguf)) => {
                RowOrder::Interleaved { heads }
            }
            _ => RowOrder::Original,
        }
    }

    fn read(&self, name: &str, shape: &[usize], order: RowOrder) -> Result<Matrix, LoadError> {
        match self {
            Self::Safetensors(safetensors) => Ok(Matrix::Dense(safetensors.read(name, shape)?)),
            Self::Gguf(gguf) => match gguf.read(&gguf_name(gguf, name), shape, order)? {
                GgufTensor::Dense(tensor) => Ok(Matrix::Dense(tensor)),
                GgufTensor::Quantised(tensor) => Ok(Matrix::Quantised(tensor)),
            },
        }
    }
}

/// Architectures whose query and key rows llama.cpp's converter interleaves.
const INTERLEAVED: [&str; 3] = ["llama", "smollm3", "granite"];

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

fn gguf_name(gguf: &Gguf, name: &str) -> String {
    // In Gemma this norm comes after attention indeed, not before the feed-forward network.
    let name = match architecture(gguf).starts_with("gemma") {
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
