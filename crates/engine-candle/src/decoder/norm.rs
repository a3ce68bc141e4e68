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
    /// Reads the weights `name.weight` for rows of `width` numbers.
    pub(crate) fn load(
        weights: &Weights,
        name: &str,
        width: usize,
        config: &DecoderConfig,
    ) -> std::result::Result<Self, LoadError> {
        let weight = weights.vector(&format!("{name}.weight"), width)?;
        Ok(Self {
            weight: (weight + config.norm_offset)?,
            eps: config.rms_norm_eps as f32,
        })
    }

    /// `x` is `[rows, width]`.
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        candle_nn::ops::rms_norm(x, &self.weight, self.eps)
    }

    /// Normalises each head of `x` by itself.                       [rows, heads * width]
    pub(crate) fn forward_heads(&self, x: &Tensor) -> Result<Tensor> {
        let width = self.weight.dim(0)?;
        self.forward(&x.reshape(((), width))?)?.reshape(x.shape())
    }
}
