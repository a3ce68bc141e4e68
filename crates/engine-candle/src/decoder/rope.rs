//! Rotary positions (Su et al. 2021): each pair of a head's numbers is turned by an angle that
//! grows with the position.

use std::f64::consts::PI;

use rayon::prelude::*;

use crate::config::{RopeConfig, RopeScaling};
use crate::kernels::vector;

/// The angles by which positions turn.
pub(crate) struct Rope {
    /// Radians per position, one for each pair of a head.
    frequencies: Vec<f64>,
    magnitude: f64,
}

/// Cosines and sines for the rows of a batch, `[rows, pairs]` each.
pub(crate) struct Rotation {
    cos: Vec<f32>,
    sin: Vec<f32>,
    /// Half the numbers of a head.
    pairs: usize,
}

impl Rope {
    /// The frequencies of the configuration.
    pub(crate) fn new(config: &RopeConfig, head_dim: usize) -> Self {
        Self {
            frequencies: frequencies(config, head_dim),
            magnitude: config.magnitude,
        }
    }

    /// The rotation of rows at these positions. Angles are computed in f64: in f16, as some
    /// implementations do, they are off by a radian after two thousand positions.
    pub(crate) fn rotation(&self, positions: &[usize]) -> Rotation {
        let angles = positions.iter().flat_map(|&position| {
            self.frequencies
                .iter()
                .map(move |frequency| position as f64 * frequency)
        });
        let (sin, cos) = angles
            .map(|angle| (angle.sin() * self.magnitude, angle.cos() * self.magnitude))
            .map(|(sin, cos)| (sin as f32, cos as f32))
            .unzip();
        Rotation {
            cos,
            sin,
            pairs: self.frequencies.len(),
        }
    }
}

impl Rotation {
    /// Turns each head of `x`, `[rows, heads * head_dim]`, by its row's position.
    pub(crate) fn turn(&self, x: &mut [f32]) {
        let rows = self.cos.len() / self.pairs;
        let width = x.len() / rows;
        let angles = self.cos.par_chunks_exact(self.pairs);
        let angles = angles.zip(self.sin.par_chunks_exact(self.pairs));
        let rows = x.par_chunks_exact_mut(width).zip(angles);
        let rows = rows.with_min_len(vector::TOGETHER.div_ceil(width));
        rows.for_each(|(row, (cos, sin))| {
            for head in row.chunks_exact_mut(2 * self.pairs) {
                vector::turn(head, cos, sin);
            }
        });
    }
}

/// Radians per position, one for each pair of a head.
pub(crate) fn frequencies(config: &RopeConfig, head_dim: usize) -> Vec<f64> {
    let divisor = |pair: usize| config.divisors.as_ref().map_or(1.0, |all| all[pair]);
    (0..head_dim / 2)
        .map(|pair| {
            let place = pair as f64 / head_dim as f64;
            let frequency = config.theta.powf(-2.0 * place);
            let kept = kept(config, frequency, pair, head_dim);
            let stretched = frequency / factor(&config.scaling);
            (kept * frequency + (1.0 - kept) * stretched) / divisor(pair)
        })
        .collect()
}

/// What slow frequencies are divided by.
fn factor(scaling: &RopeScaling) -> f64 {
    match *scaling {
        RopeScaling::None => 1.0,
        RopeScaling::Linear(factor)
        | RopeScaling::Llama3 { factor, .. }
        | RopeScaling::Yarn { factor, .. } => factor,
    }
}

/// How much of a frequency stays as it was: 1 for fast ones, 0 for slow ones.
fn kept(config: &RopeConfig, frequency: f64, pair: usize, head_dim: usize) -> f64 {
    match config.scaling {
        RopeScaling::None => 1.0,
        RopeScaling::Linear(_) => 0.0,
        RopeScaling::Llama3 {
            low_freq_factor,
            high_freq_factor,
            original_context,
            ..
        } => {
            let turns = original_context * frequency / (2.0 * PI);
            let kept = (turns - low_freq_factor) / (high_freq_factor - low_freq_factor);
            kept.clamp(0.0, 1.0)
        }
        RopeScaling::Yarn {
            original_context,
            beta_fast,
            beta_slow,
            truncate,
            ..
        } => {
            let dim = head_dim as f64;
            // The pair that turns so many times within the original context.
            let pair_turning = |turns: f64| {
                dim * (original_context / (turns * 2.0 * PI)).ln() / (2.0 * config.theta.ln())
            };
            let (mut first, mut last) = (pair_turning(beta_fast), pair_turning(beta_slow));
            if truncate {
                (first, last) = (first.floor(), last.ceil());
            }
            let (first, last) = (first.max(0.0), last.min(dim - 1.0));
            let ramp = (pair as f64 - first) / (last - first).max(0.001);
            1.0 - ramp.clamp(0.0, 1.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn llama3_scaling_keeps_fast_and_stretches_slow_frequencies() {
        let config = RopeConfig {
            scaling: RopeScaling::Llama3 {
                factor: 8.0,
                low_freq_factor: 1.0,
                high_freq_factor: 4.0,
                original_context: 8192.0,
            },
            ..RopeConfig::plain(10_000.0)
        };
        let kept = |frequency| kept(&config, frequency, 0, 64);
        assert_eq!(kept(1.0), 1.0);
        assert_eq!(kept(1e-6), 0.0);
        assert!((kept(2.0 * PI * 2.0 / 8192.0) - 1.0 / 3.0).abs() < 1e-12);
    }
}
