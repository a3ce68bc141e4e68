//! A matrix of weights, whatever its form.

use candle_core::Device;
use candle_core::quantized::{GgmlDType, QTensor, ggml_file::qtensor_from_ggml};
use half::{bf16, f16};

use super::activations::Input;
use super::columns::Columns;
use super::dense::Dense;
use super::format::Format;
use super::level::Level;
use super::packed::Packed;
use super::panels::PANEL;
use super::q4_0::Q4_0;
use super::q4_k::Q4K;
use super::q5_k::Q5K;
use super::q6_k::Q6K;
use super::q8_0::Q8_0;
use super::share::share;
use crate::LoadError;

/// A matrix, outputs in rows.
pub(crate) struct Matrix(Form);

/// The form it has in memory, which is that of the file where there is a kernel for it.
enum Form {
    F32(Dense<f32>),
    F16(Dense<f16>),
    Bf16(Dense<bf16>),
    Q8_0(Packed<Q8_0>),
    Q4_0(Packed<Q4_0>),
    Q4K(Packed<Q4K>),
    Q5K(Packed<Q5K>),
    Q6K(Packed<Q6K>),
}

/// Calls a method that all forms have.
macro_rules! each_form {
    ($form:expr, $matrix:ident => $call:expr) => {
        match $form {
            Form::F32($matrix) => $call,
            Form::F16($matrix) => $call,
            Form::Bf16($matrix) => $call,
            Form::Q8_0($matrix) => $call,
            Form::Q4_0($matrix) => $call,
            Form::Q4K($matrix) => $call,
            Form::Q5K($matrix) => $call,
            Form::Q6K($matrix) => $call,
        }
    };
}

impl Matrix {
    /// How many numbers it takes.
    pub(crate) fn inputs(&self) -> usize {
        each_form!(&self.0, matrix => matrix.inputs())
    }

    /// How many numbers it gives.
    pub(crate) fn outputs(&self) -> usize {
        each_form!(&self.0, matrix => matrix.outputs())
    }

    /// `x · matrixᵀ` for each matrix, `[rows, outputs]`. A row of a result depends on that row of
    /// `x` alone. Matrices that multiply the same rows do so together: threads that are done with
    /// one go on with the next.
    pub(crate) fn multiply<const N: usize>(matrices: [&Self; N], x: &Input<'_>) -> [Vec<f32>; N] {
        let mut products = matrices.map(|matrix| vec![0.0; x.rows() * matrix.outputs()]);
        let mut shares = Vec::new();
        for (matrix, out) in matrices.iter().zip(&mut products) {
            assert_eq!(
                x.width(),
                matrix.inputs(),
                "the width of what is multiplied"
            );
            let count = each_form!(&matrix.0, form => form.outputs_in_share());
            let columns = Columns::split(out, matrix.outputs(), count);
            shares.extend(columns.into_iter().map(|columns| (matrix, columns)));
        }
        if matrices.iter().any(|matrix| !matrix.is_dense()) {
            // Before the threads need them, which would wait for each other.
            x.rounded();
        }
        let level = Level::best();
        let outputs = matrices
            .iter()
            .map(|matrix| matrix.outputs())
            .sum::<usize>();
        share(
            shares,
            x.rows() * x.width() * outputs,
            |(matrix, mut columns)| {
                each_form!(&matrix.0, form => form.multiply(level, x, &mut columns));
            },
        );
        products
    }

    fn is_dense(&self) -> bool {
        matches!(self.0, Form::F32(_) | Form::F16(_) | Form::Bf16(_))
    }

    /// One row, `[inputs]`: of an embedding, the vector of a token.
    pub(crate) fn row(&self, index: usize, out: &mut [f32]) {
        assert!(index < self.outputs() && out.len() == self.inputs());
        each_form!(&self.0, matrix => matrix.row(index, out));
    }
}

/// A matrix that is read some rows at a time, so that a file's bytes and their packed form are
/// never both in memory as a whole.
pub(crate) struct MatrixBuilder {
    form: Form,
    /// The type in the file, if its rows have to be rounded to Q8_0 first.
    rounded_from: Option<GgmlDType>,
    inputs: usize,
}

impl MatrixBuilder {
    /// A matrix whose rows lie in a file as `dtype`.
    ///
    /// # Errors
    ///
    /// When rows of so many numbers cannot be stored as this type.
    pub(crate) fn new(dtype: GgmlDType, outputs: usize, inputs: usize) -> Result<Self, LoadError> {
        let block = dtype.block_size();
        if inputs == 0 || !inputs.is_multiple_of(block) {
            return Err(LoadError::Config(format!(
                "rows of {inputs} numbers, and {dtype:?} holds {block} at a time"
            )));
        }
        let form = match dtype {
            GgmlDType::F32 => Form::F32(Dense::new(inputs, outputs)),
            GgmlDType::F16 => Form::F16(Dense::new(inputs, outputs)),
            GgmlDType::BF16 => Form::Bf16(Dense::new(inputs, outputs)),
            GgmlDType::Q4_0 => Form::Q4_0(Packed::new(inputs, outputs)),
            GgmlDType::Q4K => Form::Q4K(Packed::new(inputs, outputs)),
            GgmlDType::Q5K => Form::Q5K(Packed::new(inputs, outputs)),
            GgmlDType::Q6K => Form::Q6K(Packed::new(inputs, outputs)),
            _ => Form::Q8_0(Packed::new(inputs, outputs)),
        };
        let as_it_is = dtype == GgmlDType::Q8_0 || !matches!(form, Form::Q8_0(_));
        Ok(Self {
            form,
            rounded_from: (!as_it_is).then_some(dtype),
            inputs,
        })
    }

    /// Rows that must be appended at a time, but for the last ones.
    pub(crate) const ROWS: usize = PANEL;

    /// Appends rows as they lie in the file.
    ///
    /// # Errors
    ///
    /// When candle cannot read them.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<(), LoadError> {
        let rounded = match self.rounded_from {
            Some(dtype) => Some(self.round(dtype, bytes)?),
            None => None,
        };
        let bytes = rounded.as_deref().unwrap_or(bytes);
        each_form!(&mut self.form, matrix => matrix.push(bytes));
        Ok(())
    }

    /// The matrix of all rows that were appended.
    pub(crate) fn finish(self) -> Matrix {
        Matrix(self.form)
    }

    /// A type without a kernel becomes Q8_0, whose error is small beside that of a type with
    /// fewer bits.
    fn round(&self, dtype: GgmlDType, bytes: &[u8]) -> candle_core::Result<Vec<u8>> {
        let rows = bytes.len() / (self.inputs / dtype.block_size() * dtype.type_size());
        let shape = vec![rows, self.inputs];
        let tensor = qtensor_from_ggml(dtype, bytes, shape, &Device::Cpu)?;
        let numbers = tensor.dequantize(&Device::Cpu)?;
        let rounded = QTensor::quantize(&numbers, GgmlDType::Q8_0)?;
        Ok(rounded.data()?.into_owned())
    }
}

/// Bytes that a matrix of this type takes in memory, by its numbers.
pub(crate) fn packed_bytes(dtype: GgmlDType, numbers: u64) -> u64 {
    let (bytes, per) = match dtype {
        GgmlDType::F32 => (4, 1),
        GgmlDType::F16 | GgmlDType::BF16 => (2, 1),
        GgmlDType::Q4_0 => of_block::<Q4_0>(),
        GgmlDType::Q4K => of_block::<Q4K>(),
        GgmlDType::Q5K => of_block::<Q5K>(),
        GgmlDType::Q6K => of_block::<Q6K>(),
        _ => of_block::<Q8_0>(),
    };
    numbers * bytes / per
}

fn of_block<F: Format>() -> (u64, u64) {
    let numbers = super::format::GROUP * F::PARTS * super::activations::BLOCK;
    (size_of::<F::Packed>() as u64, numbers as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is resident may be 1.3 times the file at most.
    #[test]
    fn packed_matrices_are_hardly_larger_than_in_the_file() {
        for dtype in [
            GgmlDType::F32,
            GgmlDType::F16,
            GgmlDType::BF16,
            GgmlDType::Q8_0,
            GgmlDType::Q4_0,
            GgmlDType::Q4K,
            GgmlDType::Q5K,
            GgmlDType::Q6K,
        ] {
            let numbers = 1 << 20;
            let in_file = numbers / dtype.block_size() as u64 * dtype.type_size() as u64;
            let packed = packed_bytes(dtype, numbers);
            assert!(
                packed * 100 <= in_file * 105,
                "{dtype:?}: {packed} for {in_file}"
            );
        }
    }

    /// Every type a file may hold, against candle's reading of the same bytes.
    #[test]
    fn rows_are_what_candle_reads() {
        let numbers = (0..10 * 512).map(|n| ((n * 37 % 101) as f32 - 50.0) / 40.0);
        let numbers = candle_core::Tensor::from_iter(numbers, &Device::Cpu);
        let numbers = numbers.and_then(|all| all.reshape((10, 512)));
        let numbers = numbers.expect("the shape fits");
        for (dtype, tolerance) in [
            (GgmlDType::F32, 0.0),
            (GgmlDType::F16, 0.0),
            (GgmlDType::BF16, 0.0),
            (GgmlDType::Q8_0, 0.0),
            (GgmlDType::Q4_0, 1e-6),
            (GgmlDType::Q4K, 1e-6),
            (GgmlDType::Q5K, 1e-6),
            (GgmlDType::Q6K, 1e-6),
            (GgmlDType::Q4_1, 0.01),
            (GgmlDType::Q5_0, 0.01),
            (GgmlDType::Q5_1, 0.01),
            (GgmlDType::Q2K, 0.01),
            (GgmlDType::Q3K, 0.01),
        ] {
            let stored = QTensor::quantize(&numbers, dtype).expect("it can be stored");
            let expected = stored.dequantize(&Device::Cpu).expect("it can be read");
            let expected = expected.to_vec2::<f32>().expect("it is a matrix");
            let mut builder = MatrixBuilder::new(dtype, 10, 512).expect("the type is known");
            let bytes = stored.data().expect("it has bytes");
            builder.push(&bytes).expect("it can be packed");
            let matrix = builder.finish();
            let mut row = vec![0.0; 512];
            for (index, expected) in expected.iter().enumerate() {
                matrix.row(index, &mut row);
                let distances = row.iter().zip(expected).map(|(a, b)| (a - b).abs());
                let worst = distances.fold(0.0, f32::max);
                assert!(worst <= tolerance, "{dtype:?}: off by {worst}");
            }
        }
    }

    #[test]
    fn rows_that_no_block_fits_are_refused() {
        let refused = MatrixBuilder::new(GgmlDType::Q4K, 4, 128).err();
        let message = refused.map_or_else(String::new, |error| error.to_string());
        assert!(message.contains("128"), "{message}");
    }
}
