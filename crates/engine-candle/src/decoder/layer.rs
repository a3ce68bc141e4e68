//! One layer: attention, then a gated feed-forward network, each added to its input.

use candle_core::{Result, Tensor};
use candle_nn::rotary_emb::rope_thd;

use super::attention::attend;
use super::linear::Linear;
use super::norm::RmsNorm;
use super::rope::Rotation;
use super::{Chunk, Rows};
use crate::LoadError;
use crate::config::DecoderConfig;
use crate::files::Weights;

/// The weights of one layer.
pub(crate) struct Layer {
    attention_norm: RmsNorm,
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    mlp_norm: RmsNorm,
    gate: Linear,
    up: Linear,
    down: Linear,
    head_dim: usize,
}

impl Layer {
    /// Reads layer `index`.
    pub(crate) fn load(
        weights: &Weights,
        config: &DecoderConfig,
        index: usize,
    ) -> std::result::Result<Self, LoadError> {
        let name = |part: &str| format!("model.layers.{index}.{part}");
        let linear = |part: &str, shape| Linear::load(weights, &name(part), shape);
        let rotated =
            |part: &str, shape, heads| Linear::load_rotated(weights, &name(part), shape, heads);
        let norm = |part: &str| RmsNorm::load(weights, &name(part), config);
        let (hidden, intermediate) = (config.hidden, config.intermediate);
        let (queries, keys) = (
            config.heads * config.head_dim,
            config.kv_heads * config.head_dim,
        );
        Ok(Self {
            attention_norm: norm("input_layernorm")?,
            query: rotated("self_attn.q_proj", [queries, hidden], config.heads)?,
            key: rotated("self_attn.k_proj", [keys, hidden], config.kv_heads)?,
            value: linear("self_attn.v_proj", [keys, hidden])?,
            output: linear("self_attn.o_proj", [hidden, queries])?,
            mlp_norm: norm("post_attention_layernorm")?,
            gate: linear("mlp.gate_proj", [intermediate, hidden])?,
            up: linear("mlp.up_proj", [intermediate, hidden])?,
            down: linear("mlp.down_proj", [hidden, intermediate])?,
            head_dim: config.head_dim,
        })
    }

    /// `x` is `[rows, hidden]`, and so is what comes out.
    pub(crate) fn forward(
        &self,
        index: usize,
        x: &Tensor,
        rotation: &Rotation,
        rows: &Rows,
        batch: &mut [Chunk<'_>],
    ) -> Result<Tensor> {
        // x + output(attention(norm(x)))
        let normed = self.attention_norm.forward(x)?;
        let query = self.rotate(&self.query.forward(&normed)?, rotation)?;
        let key = self.rotate(&self.key.forward(&normed)?, rotation)?;
        let value = self.value.forward(&normed)?;
        let attended = attend(index, [&query, &key, &value], rows, batch)?;
        let x = (x + self.output.forward(&attended)?)?;

        // x + down(silu(gate(norm(x))) * up(norm(x)))
        let normed = self.mlp_norm.forward(&x)?;
        let gate = self.gate.forward(&normed)?.silu()?;
        let gated = (gate * self.up.forward(&normed)?)?;
        x + self.down.forward(&gated)?
    }

    /// Turns each head by its row's position.                       [rows, heads * head_dim]
    fn rotate(&self, x: &Tensor, rotation: &Rotation) -> Result<Tensor> {
        let (rows, width) = x.dims2()?;
        let heads = x.reshape((1, rows, width / self.head_dim, self.head_dim))?;
        rope_thd(&heads, &rotation.cos, &rotation.sin)?.reshape((rows, width))
    }
}
