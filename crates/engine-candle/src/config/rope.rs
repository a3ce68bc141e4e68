//! How a model's rotary frequencies are made.

/// Rotary positions as one kind of layer uses them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RopeConfig {
    /// The base: pair `i` of `n` turns by `theta^(-i/n)` radians per position.
    pub(crate) theta: f64,
    pub(crate) scaling: RopeScaling,
    /// What each pair's frequency is divided by after that; none is like all 1.
    pub(crate) divisors: Option<Vec<f64>>,
    /// Cosines and sines are multiplied by this, which makes attention sharper.
    pub(crate) magnitude: f64,
}

/// How the angles of rotary positions were stretched for longer contexts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum RopeScaling {
    /// They were not.
    None,
    /// Positions are divided by this.
    Linear(f64),
    /// Llama 3.1: slow frequencies are divided by `factor`, fast ones kept, those between blended.
    Llama3 {
        factor: f64,
        low_freq_factor: f64,
        high_freq_factor: f64,
        original_context: f64,
    },
    /// YaRN (Peng et al. 2023): the same with a ramp over the pairs of a head, from the one that
    /// turns `beta_fast` times within the original context to the one that turns `beta_slow` times.
    Yarn {
        factor: f64,
        original_context: f64,
        beta_fast: f64,
        beta_slow: f64,
        /// The ramp begins and ends at whole pairs.
        truncate: bool,
    },
}

impl RopeConfig {
    /// Frequencies as in the first paper.
    pub(crate) fn plain(theta: f64) -> Self {
        Self {
            theta,
            scaling: RopeScaling::None,
            divisors: None,
            magnitude: 1.0,
        }
    }

    /// Every number is one that angles can be computed with, for heads of this size.
    pub(crate) fn check(&self, head_dim: usize) -> Result<(), String> {
        let mut numbers = vec![self.theta, self.magnitude];
        if let Some(divisors) = &self.divisors {
            let (found, pairs) = (divisors.len(), head_dim / 2);
            if found != pairs {
                return Err(format!("{found} rope factors for {pairs} pairs"));
            }
            numbers.extend(divisors);
        }
        match self.scaling {
            RopeScaling::None => {}
            RopeScaling::Linear(factor) => numbers.push(factor),
            RopeScaling::Llama3 {
                factor,
                low_freq_factor,
                high_freq_factor,
                original_context,
            } => numbers.extend([factor, low_freq_factor, high_freq_factor, original_context]),
            RopeScaling::Yarn {
                factor,
                original_context,
                beta_fast,
                beta_slow,
                ..
            } => numbers.extend([factor, original_context, beta_fast, beta_slow]),
        }
        match numbers.iter().all(|x| x.is_finite() && *x > 0.0) {
            true => Ok(()),
            false => Err("rope_theta and the numbers of rope scaling must be above 0".into()),
        }
    }
}

/// YaRN's sharpening of attention after stretching by `factor`: its equation 22.
pub(crate) fn yarn_magnitude(factor: f64, weight: f64) -> f64 {
    match factor > 1.0 {
        true => 0.1 * weight * factor.ln() + 1.0,
        false => 1.0,
    }
}

/// LongRoPE's (Ding et al. 2024) sharpening after stretching the original context by `factor`.
pub(crate) fn longrope_magnitude(factor: f64, original_context: f64) -> f64 {
    match factor > 1.0 {
        true => (1.0 + factor.ln() / original_context.ln()).sqrt(),
        false => 1.0,
    }
}
