//! Root mean square normalisation (Zhang and Sennrich 2019).

use rayon::prelude::*;

use crate::LoadError;
use crate::config::DecoderConfig;
use crate::files::Weights;
use crate::kernels::vector;

/// Scales each row to a mean square of 1, then by learnt weights.
pub(crate) struct RmsNorm {
    weight: Vec<f32>,
    eps: f32,
}

impl RmsNorm {
    /// Reads the weights `name.weight` for rows of `width` numbers.
    pub(crate) fn load(
        weights: &Weights,
        name: &str,
        width: usize,
        config: &DecoderConfig,
    ) -> Result<Self, LoadError> {
        let mut weight = weights.vector(&format!("{name}.weight"), width)?;
        for weight in &mut weight {
            *weight += config.norm_offset as f32;
        }
        Ok(Self {
            weight,
            eps: config.rms_norm_eps as f32,
        })
    }

    /// `x` is `[rows, width]`, or `[rows, heads * width]`, of which each head is normalised by
    /// itself.
    pub(crate) fn forward(&self, x: &[f32]) -> Vec<f32> {
        let width = self.weight.len();
        let mut out = vec![0.0; x.len()];
        let heads = out
            .par_chunks_exact_mut(width)
            .zip(x.par_chunks_exact(width));
        let heads = heads.with_min_len(vector::TOGETHER.div_ceil(width));
        heads.for_each(|(out, x)| vector::rms_norm(x, &self.weight, self.eps, out));
        out
    }
}
