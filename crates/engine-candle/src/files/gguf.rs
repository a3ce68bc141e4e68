//! Tensors and metadata in a GGUF file.

use std::sync::Arc;

use candle_core::quantized::gguf_file::{Content, TensorInfo, Value};
use candle_core::quantized::{GgmlDType, QTensor, ggml_file::qtensor_from_ggml};
use candle_core::{DType, Device, Tensor};

use super::blob::Blob;
use super::gguf_check;
use crate::LoadError;

/// An open GGUF file.
pub(crate) struct Gguf {
    file: Blob,
    content: Content,
}

/// A tensor, in the form it is computed with.
pub(crate) enum GgufTensor {
    /// Plain numbers, widened to f32.
    Dense(Tensor),
    /// Blocks of small integers with scales.
    Quantised(Arc<QTensor>),
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

impl Gguf {
    /// Checks the file, then reads its header.
    pub(crate) fn open(file: Blob) -> Result<Self, LoadError> {
        gguf_check::check(&mut file.reader()?, file.len())
            .map_err(|reason| file.damaged(reason))?;
        let content = Content::read(&mut file.reader()?);
        let content = content.map_err(|error| file.damaged(error.to_string()))?;
        Ok(Self { file, content })
    }

    /// The header, for rebuilding the tokenizer.
    pub(crate) fn content(&self) -> &Content {
        &self.content
    }

    /// A whole number of the metadata.
    pub(crate) fn number(&self, key: &str) -> Option<u64> {
        match self.content.metadata.get(key)? {
            Value::I8(n) => u64::try_from(*n).ok(),
            Value::I16(n) => u64::try_from(*n).ok(),
            Value::I32(n) => u64::try_from(*n).ok(),
            Value::I64(n) => u64::try_from(*n).ok(),
            Value::U16(n) => Some(u64::from(*n)),
            other => other.to_u64().ok(),
        }
    }

    /// A fraction of the metadata.
    pub(crate) fn fraction(&self, key: &str) -> Option<f64> {
        match self.content.metadata.get(key)? {
            Value::F32(x) => Some(f64::from(*x)),
            other => other.to_f64().ok(),
        }
    }

    /// A string of the metadata.
    pub(crate) fn string(&self, key: &str) -> Option<&str> {
        let value = self.content.metadata.get(key)?;
        value.to_string().ok().map(String::as_str)
    }

    /// The token with this place in the vocabulary.
    pub(crate) fn token(&self, id: u64) -> Option<&str> {
        let Value::Array(tokens) = self.content.metadata.get("tokenizer.ggml.tokens")? else {
            return None;
        };
        let token = tokens.get(usize::try_from(id).ok()?)?;
        token.to_string().ok().map(String::as_str)
    }

    /// The shape of a tensor, rows before columns.
    pub(crate) fn shape(&self, name: &str) -> Option<&[usize]> {
        let info = self.content.tensor_infos.get(name)?;
        Some(info.shape.dims())
    }

    /// The tensor, if it has this shape.
    pub(crate) fn read(
        &self,
        name: &str,
        shape: &[usize],
        order: RowOrder,
    ) -> Result<GgufTensor, LoadError> {
        let info = self.content.tensor_infos.get(name);
        let info =
            info.ok_or_else(|| LoadError::Missing(format!("the weights have no tensor {name}")))?;
        let found = info.shape.dims();
        if found != shape {
            return Err(LoadError::Config(format!(
                "tensor {name} has shape {found:?}, not {shape:?}"
            )));
        }
        let mut bytes = self.read_bytes(info)?;
        if let RowOrder::Interleaved { heads } = order {
            bytes = original_rows(&bytes, shape[0], heads);
        }
        let dense = match info.ggml_dtype {
            GgmlDType::F32 => DType::F32,
            GgmlDType::F16 => DType::F16,
            GgmlDType::BF16 => DType::BF16,
            quantised => {
                let tensor = qtensor_from_ggml(quantised, &bytes, shape.to_vec(), &Device::Cpu)?;
                return Ok(GgufTensor::Quantised(Arc::new(tensor)));
            }
        };
        let tensor = Tensor::from_raw_buffer(&bytes, dense, shape, &Device::Cpu)?;
        Ok(GgufTensor::Dense(tensor.to_dtype(DType::F32)?))
    }

    /// The numbers of a vector.
    pub(crate) fn numbers(&self, name: &str, len: usize) -> Result<Vec<f32>, LoadError> {
        match self.read(name, &[len], RowOrder::Original)? {
            GgufTensor::Dense(tensor) => Ok(tensor.to_vec1()?),
            GgufTensor::Quantised(tensor) => Ok(tensor.dequantize(&Device::Cpu)?.to_vec1()?),
        }
    }

    fn read_bytes(&self, info: &TensorInfo) -> Result<Vec<u8>, LoadError> {
        let blocks = info.shape.elem_count() / info.ggml_dtype.block_size();
        let bytes = (blocks * info.ggml_dtype.type_size()) as u64;
        let start = self.content.tensor_data_offset + info.offset;
        Ok(self.file.read(start..start + bytes)?.into_owned())
    }
}

/// Undoes [`RowOrder::Interleaved`]: row `2j + i` of a head goes back to row `i * half + j`.
fn original_rows(bytes: &[u8], rows: usize, heads: usize) -> Vec<u8> {
    let row_bytes = bytes.len() / rows;
    let half = rows / heads / 2;
    let mut original = Vec::with_capacity(bytes.len());
    for head in 0..heads {
        for i in 0..2 {
            for j in 0..half {
                let row = head * half * 2 + 2 * j + i;
                original.extend_from_slice(&bytes[row * row_bytes..][..row_bytes]);
            }
        }
    }
    original
}
