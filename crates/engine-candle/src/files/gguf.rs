//! Tensors and metadata in a GGUF file.

use candle_core::quantized::gguf_file::{Content, Value};

use super::blob::Blob;
use super::gguf_check;
use super::stored::Stored;
use crate::LoadError;

/// An open GGUF file.
pub(crate) struct Gguf {
    file: Blob,
    content: Content,
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
    pub(crate) fn tensor(&self, name: &str, shape: &[usize]) -> Result<Stored<'_>, LoadError> {
        let info = self.content.tensor_infos.get(name);
        let info =
            info.ok_or_else(|| LoadError::Missing(format!("the weights have no tensor {name}")))?;
        let found = info.shape.dims();
        if found != shape {
            return Err(LoadError::Config(format!(
                "tensor {name} has shape {found:?}, not {shape:?}"
            )));
        }
        Ok(Stored {
            file: &self.file,
            start: self.content.tensor_data_offset + info.offset,
            dtype: info.ggml_dtype,
            shape: shape.to_vec(),
        })
    }
}
