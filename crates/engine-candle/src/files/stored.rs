//! Rows of numbers as they lie in a file.

use std::borrow::Cow;
use std::ops::Range;

use candle_core::quantized::{GgmlDType, ggml_file::qtensor_from_ggml};
use candle_core::{DType, Device, Tensor};

use super::blob::Blob;
use crate::LoadError;
use crate::kernels::{Matrix, MatrixBuilder};

/// A tensor whose place and type are known, and whose numbers have not been read. The whole of
/// it lies inside the file.
pub(crate) struct Stored<'a> {
    pub(super) file: &'a Blob,
    /// Of its first byte.
    pub(super) start: u64,
    /// How its numbers are written.
    pub(crate) dtype: GgmlDType,
    /// The last dimension is that of a row.
    pub(crate) shape: Vec<usize>,
}

/// How llama.cpp stored the rows of a matrix.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowOrder {
    /// As in the original model.
    Original,
    /// Within each of this many heads, the two halves that rotate together are interleaved: what
    /// llama.cpp's converter does to the query and key matrices of some architectures.
    Interleaved {
        /// Heads in the matrix.
        heads: usize,
    },
}

/// Architectures whose query and key rows llama.cpp's converter interleaves.
const INTERLEAVED: [&str; 3] = ["llama", "smollm3", "granite"];

impl RowOrder {
    /// The order of the queries' or keys' rows of `heads` heads in a GGUF file.
    pub(crate) fn of(architecture: &str, heads: usize) -> Self {
        match INTERLEAVED.contains(&architecture) {
            true => Self::Interleaved { heads },
            false => Self::Original,
        }
    }
}

/// About as many bytes of a matrix are read at a time.
const READ_BYTES: usize = 1 << 20;

impl Stored<'_> {
    /// The rows of a matrix, packed for the kernels.
    pub(super) fn matrix(&self, rows: Range<usize>, order: RowOrder) -> Result<Matrix, LoadError> {
        let mut builder = MatrixBuilder::new(self.dtype, rows.len(), self.row_len())?;
        if let RowOrder::Interleaved { heads } = order {
            let bytes = self.read(rows.clone())?;
            let row_bytes = bytes.len() / rows.len();
            builder.push(&original_rows(&bytes, row_bytes, heads))?;
            return Ok(builder.finish());
        }
        for part in self.parts(rows, MatrixBuilder::ROWS) {
            builder.push(&self.read(part)?)?;
        }
        Ok(builder.finish())
    }

    /// All its numbers in f32.
    pub(crate) fn numbers(&self) -> Result<Tensor, LoadError> {
        let bytes = self.read(0..self.rows())?;
        decode(self.dtype, &bytes, &self.shape)
    }

    /// Rows in f32, `[rows, row_len]`.
    pub(crate) fn rows_in_f32(&self, rows: Range<usize>) -> Result<Vec<f32>, LoadError> {
        let shape = [rows.len(), self.row_len()];
        let numbers = decode(self.dtype, &self.read(rows)?, &shape)?;
        Ok(numbers.flatten_all()?.to_vec1()?)
    }

    /// Runs of these rows that are read in one go, each of a multiple of `unit` rows but the last.
    pub(crate) fn parts(
        &self,
        rows: Range<usize>,
        unit: usize,
    ) -> impl Iterator<Item = Range<usize>> + use<> {
        let units = READ_BYTES / (self.row_bytes() as usize * unit).max(1);
        let step = units.max(1) * unit;
        let starts = rows.clone().step_by(step);
        starts.map(move |start| start..rows.end.min(start + step))
    }

    /// Rows of all dimensions but the last.
    pub(crate) fn rows(&self) -> usize {
        self.shape[..self.shape.len() - 1].iter().product()
    }

    /// Numbers in a row.
    pub(crate) fn row_len(&self) -> usize {
        *self.shape.last().expect("a tensor has a dimension")
    }

    fn row_bytes(&self) -> u64 {
        (self.row_len() / self.dtype.block_size() * self.dtype.type_size()) as u64
    }

    /// The bytes of some rows.
    pub(crate) fn read(&self, rows: Range<usize>) -> Result<Cow<'static, [u8]>, LoadError> {
        let place = |row: usize| self.start + row as u64 * self.row_bytes();
        self.file.read(place(rows.start)..place(rows.end))
    }
}

/// Numbers of any type, in f32.
pub(crate) fn decode(dtype: GgmlDType, bytes: &[u8], shape: &[usize]) -> Result<Tensor, LoadError> {
    let dense = match dtype {
        GgmlDType::F32 => DType::F32,
        GgmlDType::F16 => DType::F16,
        GgmlDType::BF16 => DType::BF16,
        quantised => {
            let tensor = qtensor_from_ggml(quantised, bytes, shape.to_vec(), &Device::Cpu)?;
            return Ok(tensor.dequantize(&Device::Cpu)?);
        }
    };
    let tensor = Tensor::from_raw_buffer(bytes, dense, shape, &Device::Cpu)?;
    Ok(tensor.to_dtype(DType::F32)?)
}

/// Undoes [`RowOrder::Interleaved`] for rows of `row_len` items: row `2j + i` of a head goes back
/// to row `i * half + j`.
pub(super) fn original_rows<T: Copy>(items: &[T], row_len: usize, heads: usize) -> Vec<T> {
    let half = items.len() / row_len / heads / 2;
    let mut original = Vec::with_capacity(items.len());
    for head in 0..heads {
        for i in 0..2 {
            for j in 0..half {
                let row = head * half * 2 + 2 * j + i;
                original.extend_from_slice(&items[row * row_len..][..row_len]);
            }
        }
    }
    original
}
