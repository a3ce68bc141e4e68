//! Multiplying rows by a matrix of weights.

use std::sync::Arc;

use crate::LoadError;
use crate::files::Weights;
use crate::kernels::{Input, Matrix, vector};

/// `x · weightᵀ + bias`.
pub(crate) struct Linear {
    weight: Arc<Matrix>,
    bias: Option<Vec<f32>>,
}

impl Linear {
    /// Without a bias.
    pub(crate) fn new(weight: Arc<Matrix>) -> Self {
        Self { weight, bias: None }
    }

    /// Reads `name.weight` of shape `[outputs, inputs]`, and `name.bias` if it is there.
    pub(crate) fn load(
        weights: &Weights,
        name: &str,
        shape: [usize; 2],
    ) -> Result<Self, LoadError> {
        let weight = weights.matrix(&format!("{name}.weight"), shape)?;
        Self::with(weight, weights, name)
    }

    /// This matrix, and `name.bias` if it is there.
    pub(crate) fn with(weight: Matrix, weights: &Weights, name: &str) -> Result<Self, LoadError> {
        let bias = format!("{name}.bias");
        let bias = weights
            .has(&bias)
            .then(|| weights.vector(&bias, weight.outputs()))
            .transpose()?;
        Ok(Self {
            weight: Arc::new(weight),
            bias,
        })
    }

    /// The same for a matrix whose outputs are turned by their positions.
    pub(crate) fn load_rotated(
        weights: &Weights,
        name: &str,
        shape: [usize; 2],
        heads: usize,
    ) -> Result<Self, LoadError> {
        let bias = format!("{name}.bias");
        let bias = weights
            .has(&bias)
            .then(|| weights.rotated_vector(&bias, shape[0], heads))
            .transpose()?;
        let weight = weights.rotated_matrix(&format!("{name}.weight"), shape, heads)?;
        Ok(Self {
            weight: Arc::new(weight),
            bias,
        })
    }

    /// Reads one matrix as several of these numbers of outputs.
    pub(crate) fn load_split<const N: usize>(
        weights: &Weights,
        name: &str,
        outputs: [usize; N],
        inputs: usize,
    ) -> Result<[Self; N], LoadError> {
        let shape = [outputs.iter().sum(), inputs];
        let bias = format!("{name}.bias");
        let bias = weights
            .has(&bias)
            .then(|| weights.vector(&bias, shape[0]))
            .transpose()?;
        let name = format!("{name}.weight");
        let mut parts = Vec::with_capacity(N);
        let mut start = 0;
        for len in outputs {
            let rows = start..start + len;
            let weight = weights.matrix_rows(&name, shape, rows.clone())?;
            parts.push(Self {
                weight: Arc::new(weight),
                bias: bias.as_ref().map(|bias| bias[rows].to_vec()),
            });
            start += len;
        }
        let parts = <[Self; N]>::try_from(parts);
        Ok(parts.unwrap_or_else(|_| unreachable!("there is a part for each number")))
    }

    /// `x` is `[rows, inputs]`; `[rows, outputs]` comes out. Each row depends on that row of `x`
    /// alone, to the last bit.
    pub(crate) fn forward(&self, x: &Input<'_>) -> Vec<f32> {
        let [product] = Self::forward_all([self], x);
        product
    }

    /// The same of several, which is faster than one after the other.
    pub(crate) fn forward_all<const N: usize>(all: [&Self; N], x: &Input<'_>) -> [Vec<f32>; N] {
        let mut products = Matrix::multiply(all.map(|linear| &*linear.weight), x);
        for (linear, product) in all.iter().zip(&mut products) {
            if let Some(bias) = &linear.bias {
                for row in product.chunks_exact_mut(bias.len()) {
                    vector::add(row, bias);
                }
            }
        }
        products
    }
}
