//! The gated feed-forward network (Shazeer 2020).

use candle_core::{Result, Tensor};

use super::linear::Linear;
use crate::LoadError;
use crate::config::{Activation, DecoderConfig};
use crate::files::Weights;

/// The weights of one layer's network.
pub(crate) struct Mlp {
    gate: Linear,
    up: Linear,
    down: Linear,
    activation: Activation,
}

impl Mlp {
    /// Reads the matrices under `name`.
    pub(crate) fn load(
        weights: &Weights,
        config: &DecoderConfig,
        name: &str,
    ) -> std::result::Result<Self, LoadError> {
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
        })
    }

    /// down(activation(gate(x)) * up(x)), where `x` is `[rows, hidden]`.
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let gate = self.gate.forward(x)?;
        let gate = match self.activation {
            Activation::Silu => gate.silu()?,
            // candle's `gelu` is the approximation by a tanh; `gelu_erf` is the exact one.
            Activation::GeluTanh => gate.gelu()?,
        };
        self.down.forward(&(gate * self.up.forward(x)?)?)
    }
}
