//! Attention as in T5: no bias in the matrices and no division of the scores.

use candle_core::{Result, Tensor};
use candle_nn::ops::softmax_last_dim;
use candle_nn::{Linear, Module};

use super::config::Config;
use super::linear;
use crate::LoadError;
use crate::files::Weights;

/// Queries of some states to keys of the same or of others.
pub(super) struct Attention {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    heads: usize,
    head_dim: usize,
}

/// What is looked at, both `[heads, tokens, head_dim]`.
#[derive(Clone)]
pub(super) struct KeysValues {
    keys: Tensor,
    values: Tensor,
}

impl Attention {
    /// Reads the four matrices.
    pub(super) fn load(
        weights: &Weights,
        name: &str,
        config: &Config,
    ) -> std::result::Result<Self, LoadError> {
        let inner = config.heads * config.head_dim;
        let into = |part: &str| linear(weights, &format!("{name}.{part}"), [inner, config.hidden]);
        Ok(Self {
            query: into("q")?,
            key: into("k")?,
            value: into("v")?,
            output: linear(weights, &format!("{name}.o"), [config.hidden, inner])?,
            heads: config.heads,
            head_dim: config.head_dim,
        })
    }

    /// Keys and values of states `[tokens, hidden]`.
    pub(super) fn keys_values(&self, states: &Tensor) -> Result<KeysValues> {
        Ok(KeysValues {
            keys: self.by_head(&self.key.forward(states)?)?,
            values: self.by_head(&self.value.forward(states)?)?,
        })
    }

    /// What states `[tokens, hidden]` find; `bias` is `[heads, tokens, keys]`.
    pub(super) fn forward(
        &self,
        states: &Tensor,
        seen: &KeysValues,
        bias: Option<&Tensor>,
    ) -> Result<Tensor> {
        let queries = self.by_head(&self.query.forward(states)?)?;
        let mut scores = queries.matmul(&seen.keys.t()?)?;
        if let Some(bias) = bias {
            scores = (scores + bias)?;
        }
        let found = softmax_last_dim(&scores)?.matmul(&seen.values)?;
        let found = found.transpose(0, 1)?.flatten_from(1)?;
        self.output.forward(&found)
    }

    /// `[tokens, heads * head_dim]` to `[heads, tokens, head_dim]`.
    fn by_head(&self, rows: &Tensor) -> Result<Tensor> {
        let tokens = rows.dim(0)?;
        rows.reshape((tokens, self.heads, self.head_dim))?
            .transpose(0, 1)?
            .contiguous()
    }
}

impl KeysValues {
    /// These, after those of earlier tokens.
    pub(super) fn after(self, earlier: Option<&Self>) -> Result<Self> {
        let Some(earlier) = earlier else {
            return Ok(self);
        };
        Ok(Self {
            keys: Tensor::cat(&[&earlier.keys, &self.keys], 1)?,
            values: Tensor::cat(&[&earlier.values, &self.values], 1)?,
        })
    }

    /// How many tokens there are.
    pub(super) fn len(&self) -> Result<usize> {
        self.keys.dim(1)
    }
}
