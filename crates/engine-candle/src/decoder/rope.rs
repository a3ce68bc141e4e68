//! Rotary positions (Su et al. 2021): each pair of a head's numbers is turned by an angle that
//! grows with the position.

use std::f64::consts::PI;

use candle_core::{Device, Result, Tensor};

use crate::LoadError;
use crate::config::{DecoderConfig, RopeScaling};
use crate::files::Weights;

/// The angles by which positions turn.
pub(crate) struct Rope {
    /// Radians per position, one for each pair of a head.
    frequencies: Vec<f64>,
}

/// Cosines and sines for the rows of a batch, `[rows, head_dim / 2]` each.
pub(crate) struct Rotation {
    pub(crate) cos: Tensor,
    pub(crate) sin: Tensor,
}

impl Rope {
    /// The frequencies of the configuration, divided by those factors a GGUF file may carry.
    pub(crate) fn load(
        weights: &Weights,
        config: &DecoderConfig,
    ) -> std::result::Result<Self, LoadError> {
        let mut frequencies = frequencies(config);
        if weights.has("rope_freqs.weight") {
            let factors = weights.vector("rope_freqs.weight", frequencies.len())?;
            for (frequency, factor) in frequencies.iter_mut().zip(factors.to_vec1::<f32>()?) {
                *frequency /= f64::from(factor);
            }
        }
        Ok(Self { frequencies })
    }

    /// The rotation of rows at these positions. Angles are computed in f64: in f16, as some
    /// implementations do, they are off by a radian after two thousand positions.
    pub(crate) fn rotation(&self, positions: &[usize]) -> Result<Rotation> {
        let shape = (positions.len(), self.frequencies.len());
        let angles = positions.iter().flat_map(|&position| {
            self.frequencies
                .iter()
                .map(move |frequency| position as f64 * frequency)
        });
        let (sin, cos) = angles
            .map(|angle| (angle.sin() as f32, angle.cos() as f32))
            .unzip::<f32, f32, Vec<_>, Vec<_>>();
        Ok(Rotation {
            cos: Tensor::from_vec(cos, shape, &Device::Cpu)?,
            sin: Tensor::from_vec(sin, shape, &Device::Cpu)?,
        })
    }
}

fn frequencies(config: &DecoderConfig) -> Vec<f64> {
    let dim = config.head_dim as f64;
    (0..config.head_dim / 2)
        .map(|pair| config.rope_theta.powf(-2.0 * pair as f64 / dim))
        .map(|frequency| scaled(frequency, &config.rope_scaling))
        .collect()
}

fn scaled(frequency: f64, scaling: &RopeScaling) -> f64 {
    match *scaling {
        RopeScaling::None => frequency,
        RopeScaling::Linear(factor) => frequency / factor,
        RopeScaling::Llama3 {
            factor,
            low_freq_factor,
            high_freq_factor,
            original_context,
        } => {
            let turns = original_context * frequency / (2.0 * PI);
            let kept = (turns - low_freq_factor) / (high_freq_factor - low_freq_factor);
            let kept = kept.clamp(0.0, 1.0);
            kept * frequency + (1.0 - kept) * frequency / factor
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn llama3_scaling_keeps_fast_and_stretches_slow_frequencies() {
        let scaling = RopeScaling::Llama3 {
            factor: 8.0,
            low_freq_factor: 1.0,
            high_freq_factor: 4.0,
            original_context: 8192.0,
        };
        assert_eq!(scaled(1.0, &scaling), 1.0);
        assert_eq!(scaled(1e-6, &scaling), 1e-6 / 8.0);
        let between = scaled(2.0 * PI * 2.0 / 8192.0, &scaling) / (2.0 * PI * 2.0 / 8192.0);
        assert!((between - (1.0 / 3.0 + 2.0 / 3.0 / 8.0)).abs() < 1e-12);
    }
}
