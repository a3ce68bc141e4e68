//! One layer: attention, then a gated feed-forward network, each added to its input.

use rayon::prelude::*;

use super::attention::Attention;
use super::linear::Linear;
use super::mlp::Mlp;
use super::norm::RmsNorm;
use super::observer::Observer;
use super::rope::Rotation;
use super::{Chunk, Rows};
use crate::LoadError;
use crate::config::DecoderConfig;
use crate::files::Weights;
use crate::kernels::{Input, vector};

/// The weights of one layer.
pub(crate) struct Layer {
    attention_norm: RmsNorm,
    query: Linear,
    key: Linear,
    value: Linear,
    head_norms: Option<[RmsNorm; 2]>,
    /// Which of the model's rotations turns queries and keys.
    rope: Option<usize>,
    attention: Attention,
    observer: Observer,
    output: Linear,
    mlp_norm: RmsNorm,
    mlp: Mlp,
    /// What attention and the feed-forward network give goes through these.
    output_norms: Option<[RmsNorm; 2]>,
    residual_scale: f32,
    /// Numbers in a row.
    hidden: usize,
}

impl Layer {
    /// Reads layer `index`.
    pub(crate) fn load(
        weights: &Weights,
        config: &DecoderConfig,
        index: usize,
    ) -> Result<Self, LoadError> {
        let (hidden, family) = (config.hidden, config.family);
        let name = |part: &str| format!("model.layers.{index}.{part}");
        let norm = |part: &str, width| RmsNorm::load(weights, &name(part), width, config);
        let norms = |parts: [&str; 2], width| -> Result<_, LoadError> {
            Ok([norm(parts[0], width)?, norm(parts[1], width)?])
        };
        let [query, key, value] = queries_keys_values(weights, config, &name("self_attn"))?;
        // The same name means two things: a norm of what comes out of attention where there are
        // such norms, and of what goes into the feed-forward network where there are none.
        let (mlp_norm, output_norms) = match family.output_norms {
            true => (
                "pre_feedforward_layernorm",
                Some(["post_attention_layernorm", "post_feedforward_layernorm"]),
            ),
            false => ("post_attention_layernorm", None),
        };
        let head_norms = family
            .head_norms
            .then_some(["self_attn.q_norm", "self_attn.k_norm"]);
        Ok(Self {
            attention_norm: norm("input_layernorm", hidden)?,
            query,
            key,
            value,
            head_norms: head_norms
                .map(|parts| norms(parts, config.head_dim))
                .transpose()?,
            rope: config.layer_configs[index].rope,
            attention: Attention::new(config, index),
            observer: Observer::new(config, index),
            output: Linear::load(
                weights,
                &name("self_attn.o_proj"),
                [hidden, config.heads * config.head_dim],
            )?,
            mlp_norm: norm(mlp_norm, hidden)?,
            mlp: Mlp::load(weights, config, &name("mlp"))?,
            output_norms: output_norms.map(|parts| norms(parts, hidden)).transpose()?,
            residual_scale: config.residual_scale as f32,
            hidden,
        })
    }

    /// Adds to `x`, `[rows, hidden]`, what the layer finds.
    pub(crate) fn forward(
        &self,
        x: &mut [f32],
        rotations: &[Rotation],
        rows: &Rows,
        batch: &mut [Chunk<'_>],
    ) {
        let rotation = self.rope.map(|rope| &rotations[rope]);

        // x + output(attention(norm(x)))
        let normed = self.attention_norm.forward(x);
        let normed = Input::new(&normed, self.hidden);
        let all = [&self.query, &self.key, &self.value];
        let [query, key, value] = Linear::forward_all(all, &normed);
        let query = self.place(query, 0, rotation);
        let key = self.place(key, 1, rotation);
        let attended = self.attention.forward([&query, &key, &value], rows, batch);
        self.observer.observe([&query, &value], rows, batch);
        let width = attended.len() / normed.rows();
        let output = self.output.forward(&Input::new(&attended, width));
        self.add(x, output, 0);

        // x + down(activation(gate(norm(x))) * up(norm(x)))
        let normed = self.mlp_norm.forward(x);
        let output = self.mlp.forward(&Input::new(&normed, self.hidden));
        self.add(x, output, 1);
    }

    /// Queries or keys, made ready to be compared: each head is normalised where the family does
    /// so, and turned by its row's position.                        [rows, heads * head_dim]
    fn place(&self, x: Vec<f32>, norm: usize, rotation: Option<&Rotation>) -> Vec<f32> {
        let mut placed = match &self.head_norms {
            Some(norms) => norms[norm].forward(&x),
            None => x,
        };
        if let Some(rotation) = rotation {
            rotation.turn(&mut placed);
        }
        placed
    }

    fn add(&self, x: &mut [f32], output: Vec<f32>, norm: usize) {
        let output = match &self.output_norms {
            Some(norms) => norms[norm].forward(&output),
            None => output,
        };
        let parts = x.par_chunks_mut(vector::TOGETHER);
        let parts = parts.zip(output.par_chunks(vector::TOGETHER));
        parts.for_each(|(x, output)| vector::add_scaled(x, output, self.residual_scale));
    }
}

fn queries_keys_values(
    weights: &Weights,
    config: &DecoderConfig,
    name: &str,
) -> Result<[Linear; 3], LoadError> {
    let (hidden, heads, kv_heads) = (config.hidden, config.heads, config.kv_heads);
    let (queries, keys) = (heads * config.head_dim, kv_heads * config.head_dim);
    if config.family.fused {
        let fused = format!("{name}.qkv_proj");
        return Linear::load_split(weights, &fused, [queries, keys, keys], hidden);
    }
    let rotated = |part: &str, shape, heads| {
        Linear::load_rotated(weights, &format!("{name}.{part}"), shape, heads)
    };
    Ok([
        rotated("q_proj", [queries, hidden], heads)?,
        rotated("k_proj", [keys, hidden], kv_heads)?,
        Linear::load(weights, &format!("{name}.v_proj"), [keys, hidden])?,
    ])
}
