//! Multiplying rows by a matrix of weights.

use candle_core::quantized::QMatMul;
use candle_core::{CpuStorage, CustomOp2, Layout, Module, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use crate::LoadError;
use crate::files::{Matrix, Weights};

/// Up to this many rows are multiplied row by row, by a kernel whose results do not depend on
/// the number of rows; more go to candle's blocked multiplication.
pub(crate) const MOST_ROWS_BY_ROW: usize = 16;

/// `x · weightᵀ + bias`.
pub(crate) struct Linear {
    weight: Matrix,
    bias: Option<Tensor>,
}

impl Linear {
    /// Without a bias.
    pub(crate) fn new(weight: Matrix) -> Self {
        Self { weight, bias: None }
    }

    /// Reads `name.weight` of shape `[outputs, inputs]`, and `name.bias` if it is there.
    pub(crate) fn load(
        weights: &Weights,
        name: &str,
        [outputs, inputs]: [usize; 2],
    ) -> std::result::Result<Self, LoadError> {
        let weight = weights.matrix(&format!("{name}.weight"), outputs, inputs)?;
        let bias = format!("{name}.bias");
        let bias = weights
            .has(&bias)
            .then(|| weights.vector(&bias, outputs))
            .transpose()?;
        Ok(Self { weight, bias })
    }

    /// The same for a matrix whose outputs are turned by their positions.
    pub(crate) fn load_rotated(
        weights: &Weights,
        name: &str,
        shape: [usize; 2],
        heads: usize,
    ) -> std::result::Result<Self, LoadError> {
        let weight = weights.rotated_matrix(&format!("{name}.weight"), shape, heads)?;
        let bias = format!("{name}.bias");
        let bias = weights
            .has(&bias)
            .then(|| weights.rotated_vector(&bias, shape[0], heads))
            .transpose()?;
        Ok(Self { weight, bias })
    }

    /// Reads one matrix and takes it apart into several of these numbers of outputs.
    pub(crate) fn load_split<const N: usize>(
        weights: &Weights,
        name: &str,
        outputs: [usize; N],
        inputs: usize,
    ) -> std::result::Result<[Self; N], LoadError> {
        let whole = Self::load(weights, name, [outputs.iter().sum(), inputs])?;
        let mut parts = Vec::with_capacity(N);
        let mut start = 0;
        for len in outputs {
            let bias = whole.bias.as_ref();
            parts.push(Self {
                weight: whole.weight.rows(start..start + len)?,
                bias: bias.map(|bias| bias.narrow(0, start, len)).transpose()?,
            });
            start += len;
        }
        let parts = <[Self; N]>::try_from(parts);
        Ok(parts.unwrap_or_else(|_| unreachable!("there is a part for each number")))
    }

    /// `x` is `[rows, inputs]`; `[rows, outputs]` comes out.
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let product = match &self.weight {
            Matrix::Quantised(weight) => QMatMul::QTensor(weight.clone()).forward(x)?,
            Matrix::Dense(weight) if x.dim(0)? <= MOST_ROWS_BY_ROW => {
                x.apply_op2_no_bwd(weight, &RowByRow)?
            }
            Matrix::Dense(weight) => x.matmul(&weight.t()?)?,
        };
        match &self.bias {
            Some(bias) => product.broadcast_add(bias),
            None => Ok(product),
        }
    }
}

/// The product of two vectors of the same length. The order of additions is fixed: sixteen
/// partial sums, whatever the width of the machine's registers.
#[inline]
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 16;
    let mut sums = [0.0; LANES];
    let (a_blocks, a_rest) = a.as_chunks::<LANES>();
    let (b_blocks, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>();
    sums.iter().sum::<f32>() + rest
}

/// Multiplies few rows: each weight row is read once, and used for all of them.
struct RowByRow;

/// Below this many multiplications, waking other threads costs more than it gains.
const FEWEST_PRODUCTS_TO_SHARE: usize = 1 << 17;

impl CustomOp2 for RowByRow {
    fn name(&self) -> &'static str {
        "row-by-row"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (rows, inputs) = x_layout.shape().dims2()?;
        let (outputs, weight_inputs) = weight_layout.shape().dims2()?;
        let (Some((x_start, x_end)), Some((start, end))) = (
            x_layout.contiguous_offsets(),
            weight_layout.contiguous_offsets(),
        ) else {
            bail!("row-by-row needs contiguous tensors")
        };
        if inputs != weight_inputs {
            bail!("row-by-row of {inputs} numbers by a matrix of {weight_inputs} columns")
        }
        let x = &x.as_slice::<f32>()?[x_start..x_end];
        let weight = &weight.as_slice::<f32>()?[start..end];
        let product = multiply(x, weight, inputs);
        let product = transposed(&product, outputs, rows);
        Ok((CpuStorage::F32(product), Shape::from((rows, outputs))))
    }
}

/// `[outputs, rows]`: each thread writes a run of outputs.
fn multiply(x: &[f32], weight: &[f32], inputs: usize) -> Vec<f32> {
    let rows = x.len() / inputs;
    let outputs = weight.len() / inputs;
    let mut product = vec![0.0; rows * outputs];
    let shares = match product.len() * inputs < FEWEST_PRODUCTS_TO_SHARE {
        true => 1,
        false => rayon::current_num_threads(),
    };
    let share = outputs.div_ceil(shares);
    let one_share = |(product, weight): (&mut [f32], &[f32])| {
        let weight_rows = weight.chunks_exact(inputs);
        for (products, weight_row) in product.chunks_exact_mut(rows).zip(weight_rows) {
            for (product, x_row) in products.iter_mut().zip(x.chunks_exact(inputs)) {
                *product = dot(x_row, weight_row);
            }
        }
    };
    if shares == 1 {
        one_share((&mut product, weight));
    } else {
        product
            .par_chunks_mut(share * rows)
            .zip(weight.par_chunks(share * inputs))
            .for_each(one_share);
    }
    product
}

fn transposed(matrix: &[f32], height: usize, width: usize) -> Vec<f32> {
    if width == 1 {
        return matrix.to_vec();
    }
    let mut out = vec![0.0; matrix.len()];
    for (y, row) in matrix.chunks_exact(width).enumerate() {
        for (x, value) in row.iter().enumerate() {
            out[x * height + y] = *value;
        }
    }
    out
}
