//! Numbers of one type to numbers of another, and what that loses.

use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor as CandleTensor};
use half::{bf16, f16};
use rayon::prelude::*;

use super::plan::Tensor;
use crate::LoadError;
use crate::files::decode;

/// The squares of errors and of numbers, summed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Loss {
    errors: f64,
    numbers: f64,
}

impl Loss {
    pub(super) fn add(&mut self, other: &Self) {
        self.errors += other.errors;
        self.numbers += other.numbers;
    }

    /// The root of the mean square of the error, by that of the numbers.
    pub(super) fn relative(&self) -> f64 {
        match self.numbers > 0.0 {
            true => (self.errors / self.numbers).sqrt(),
            false => 0.0,
        }
    }
}

/// Hands the tensor's bytes to `write`, some rows at a time, with how many numbers they are.
pub(super) fn tensor<E: From<LoadError>>(
    tensor: &Tensor<'_>,
    mut write: impl FnMut(&[u8], u64) -> Result<(), E>,
) -> Result<Loss, E> {
    let mut loss = Loss::default();
    for rows in tensor.parts() {
        if tensor.is_unchanged() {
            let numbers = rows.len() * tensor.row_len();
            write(&tensor.read_bytes(rows)?, numbers as u64)?;
            continue;
        }
        let numbers = tensor.read(rows)?;
        // Rows are independent of each other: as many pieces as there are threads.
        let row_len = tensor.row_len();
        let piece = (numbers.len() / row_len).div_ceil(rayon::current_num_threads());
        let pieces = numbers.par_chunks(piece.max(1) * row_len);
        let pieces = pieces.map(|rows| encode(tensor.dtype, rows, row_len));
        for piece in pieces.collect::<Result<Vec<_>, _>>()? {
            let (bytes, of_piece) = piece;
            let numbers = bytes.len() / tensor.dtype.type_size() * tensor.dtype.block_size();
            write(&bytes, numbers as u64)?;
            loss.add(&of_piece);
        }
    }
    Ok(loss)
}

fn encode(dtype: GgmlDType, rows: &[f32], row_len: usize) -> Result<(Vec<u8>, Loss), LoadError> {
    let shape = (rows.len() / row_len, row_len);
    let bytes = match dtype {
        GgmlDType::F32 => rows.iter().flat_map(|x| x.to_le_bytes()).collect(),
        GgmlDType::F16 => narrowed(rows, |x| f16::from_f32(x).to_le_bytes()),
        GgmlDType::BF16 => narrowed(rows, |x| bf16::from_f32(x).to_le_bytes()),
        quantised => {
            let numbers = CandleTensor::from_slice(rows, shape, &Device::Cpu)?;
            let encoded = QTensor::quantize(&numbers, quantised)?;
            encoded.data()?.into_owned()
        }
    };
    let decoded = decode(dtype, &bytes, &[shape.0, shape.1])?;
    let decoded = decoded.flatten_all()?.to_vec1::<f32>()?;
    let mut loss = Loss::default();
    for (before, after) in rows.iter().zip(&decoded) {
        loss.errors += f64::from(before - after).powi(2);
        loss.numbers += f64::from(*before).powi(2);
    }
    Ok((bytes, loss))
}

fn narrowed(rows: &[f32], narrow: impl Fn(f32) -> [u8; 2]) -> Vec<u8> {
    rows.iter().flat_map(|x| narrow(*x)).collect()
}
