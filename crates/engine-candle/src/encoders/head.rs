//! The head that makes one score of a pair's vector.

use candle_core::{Device, Result, Tensor};
use candle_nn::{LayerNorm, Linear, Module, VarBuilder};

use super::pooling::Pooling;
use super::source::unfit;
use crate::LoadError;

/// A dense layer, an activation, a norm in some families, and the row that scores.
pub(super) struct Head {
    /// What of the states it reads.
    pub(super) pooling: Pooling,
    dense: Linear,
    activation: Activation,
    norm: Option<LayerNorm>,
    scorer: Linear,
}

/// What follows the dense layer.
type Activation = fn(&Tensor) -> Result<Tensor>;

/// The names of a head's parts, and what they do.
pub(super) struct HeadParts {
    /// What of the states is read.
    pub(super) pooling: Pooling,
    /// The dense layer.
    pub(super) dense: &'static str,
    /// What follows it.
    pub(super) activation: Activation,
    /// The norm and its epsilon.
    pub(super) norm: Option<(&'static str, f64)>,
    /// The scoring row.
    pub(super) scorer: &'static str,
}

impl Head {
    /// Reads the parts. A model with more than one label is a classifier, not a reranker, and is
    /// refused for its shape.
    pub(super) fn build(
        parts: HeadParts,
        weights: &VarBuilder,
        hidden: usize,
    ) -> std::result::Result<Self, LoadError> {
        let labels = 1;
        let norm = |(name, eps)| norm(&weights.pp(name), hidden, eps);
        Ok(Self {
            pooling: parts.pooling,
            dense: linear(&weights.pp(parts.dense), hidden, hidden).map_err(unfit)?,
            activation: parts.activation,
            norm: parts.norm.map(norm).transpose().map_err(unfit)?,
            scorer: linear(&weights.pp(parts.scorer), hidden, labels).map_err(unfit)?,
        })
    }

    /// The score of each vector.
    pub(super) fn score(&self, vectors: Vec<Vec<f32>>) -> Result<Vec<f32>> {
        let shape = (vectors.len(), self.dense.weight().dim(1)?);
        let vectors = Tensor::from_vec(vectors.concat(), shape, &Device::Cpu)?;
        let mut states = (self.activation)(&self.dense.forward(&vectors)?)?;
        if let Some(norm) = &self.norm {
            states = norm.forward(&states)?;
        }
        self.scorer.forward(&states)?.flatten_all()?.to_vec1()
    }
}

fn linear(weights: &VarBuilder, inputs: usize, outputs: usize) -> Result<Linear> {
    let bias = match weights.contains_tensor("bias") {
        true => Some(weights.get(outputs, "bias")?),
        false => None,
    };
    Ok(Linear::new(weights.get((outputs, inputs), "weight")?, bias))
}

fn norm(weights: &VarBuilder, hidden: usize, eps: f64) -> Result<LayerNorm> {
    let weight = weights.get(hidden, "weight")?;
    Ok(match weights.contains_tensor("bias") {
        true => LayerNorm::new(weight, weights.get(hidden, "bias")?, eps),
        false => LayerNorm::new_no_bias(weight, eps),
    })
}
