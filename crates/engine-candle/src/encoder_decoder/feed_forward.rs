//! The feed-forward part of a layer, with a gate since version 1.1.

use candle_core::{Result, Tensor};
use candle_nn::{Activation, Linear, Module};

use super::config::Config;
use super::linear;
use crate::LoadError;
use crate::files::Weights;

/// Wider, bent, and back.
pub(super) struct FeedForward {
    wide: Linear,
    gate: Option<Linear>,
    activation: Activation,
    back: Linear,
}

impl FeedForward {
    /// Reads the matrices.
    pub(super) fn load(
        weights: &Weights,
        name: &str,
        config: &Config,
    ) -> std::result::Result<Self, LoadError> {
        let wide = |part: &str| {
            linear(
                weights,
                &format!("{name}.{part}"),
                [config.inner, config.hidden],
            )
        };
        let (wide, gate) = match config.gated {
            true => (wide("wi_1")?, Some(wide("wi_0")?)),
            false => (wide("wi")?, None),
        };
        Ok(Self {
            wide,
            gate,
            activation: config.activation,
            back: linear(
                weights,
                &format!("{name}.wo"),
                [config.hidden, config.inner],
            )?,
        })
    }

    /// `[tokens, hidden]` to the same.
    pub(super) fn forward(&self, states: &Tensor) -> Result<Tensor> {
        let wide = self.wide.forward(states)?;
        let bent = match &self.gate {
            Some(gate) => (self.activation.forward(&gate.forward(states)?)? * wide)?,
            None => self.activation.forward(&wide)?,
        };
        self.back.forward(&bent)
    }
}
