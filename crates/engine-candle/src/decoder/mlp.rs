//! The gated feed-forward network (Shazeer 2020).

use rayon::prelude::*;

use super::linear::Linear;
use crate::LoadError;
use crate::config::{Activation, DecoderConfig};
use crate::files::Weights;
use crate::kernels::{Input, vector};

/// The weights of one layer's network.
pub(crate) struct Mlp {
    gate: Linear,
    up: Linear,
    down: Linear,
    activation: Activation,
    /// Numbers in a row between `up` and `down`.
    width: usize,
}

impl Mlp {
    /// Reads the matrices under `name`.
    pub(crate) fn load(
        weights: &Weights,
        config: &DecoderConfig,
        name: &str,
    ) -> Result<Self, LoadError> {
        let (hidden, intermediate) = (config.hidden, config.intermediate);
        let linear = |part: &str, shape| Linear::load(weights, &format!("{name}.{part}"), shape);
        let [gate, up] = match config.family.fused {
            true => {
                let fused = format!("{name}.gate_up_proj");
                Linear::load_split(weights, &fused, [intermediate; 2], hidden)?
            }
            false => [
                linear("gate_proj", [intermediate, hidden])?,
                linear("up_proj", [intermediate, hidden])?,
            ],
        };
        Ok(Self {
            gate,
            up,
            down: linear("down_proj", [hidden, intermediate])?,
            activation: config.activation,
            width: intermediate,
        })
    }

    /// down(activation(gate(x)) * up(x)), where `x` is `[rows, hidden]`.
    pub(crate) fn forward(&self, x: &Input<'_>) -> Vec<f32> {
        let [mut gate, up] = Linear::forward_all([&self.gate, &self.up], x);
        let activate = match self.activation {
            Activation::Silu => vector::silu_times,
            Activation::GeluTanh => vector::gelu_times,
        };
        gate.par_chunks_mut(self.width)
            .zip(up.par_chunks(self.width))
            .for_each(|(gate, up)| activate(gate, up));
        self.down.forward(&Input::new(&gate, self.width))
    }
}
