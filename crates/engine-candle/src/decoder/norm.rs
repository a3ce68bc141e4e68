//! Root mean square normalisation (Zhang and Sennrich 2019).

use candle_core::{Result, Tensor};

use crate::LoadError;
use crate::config::DecoderConfig;
use crate::files::Weights;

/// Scales each row to a mean square of 1, then by learnt weights.
pub(crate) struct RmsNorm {
    weight: Tensor,
    eps: f32,
}

impl RmsNorm {
    /// Reads the weights `name.weight`.
    pub(crate) fn load(
        weights: &Weights,
        name: &str,
        config: &DecoderConfig,
    ) -> std::result::Result<Self, LoadError> {
        Ok(Self {
            weight: weights.vector(&format!("{name}.weight"), config.hidden)?,
            eps: config.rms_norm_eps as f32,
        })
    }

    /// `x` is `[rows, hidden]`.
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        candle_nn::ops::rms_norm(x, &self.weight, self.eps)
    }
}
