//! Which tensors are written, where their numbers come from, and as what.

use std::borrow::Cow;
use std::ops::Range;

use candle_core::quantized::GgmlDType;

use super::QuantizeError;
use super::metadata;
use super::target::{Target, Whole};
use crate::LoadError;
use crate::config::DecoderConfig;
use crate::files::{Gguf, ModelFiles, RowOrder, Safetensors, Stored, Weights, gguf_name};

/// One tensor of the new file.
pub(super) struct Tensor<'a> {
    pub(super) name: String,
    /// Rows before columns.
    pub(super) shape: Vec<usize>,
    pub(super) dtype: GgmlDType,
    numbers: Numbers<'a>,
}

/// Where numbers come from.
enum Numbers<'a> {
    /// As they are.
    Stored(Stored<'a>),
    /// The rows of each head in another order.
    Rotated { stored: Stored<'a>, heads: usize },
    /// With this added to each.
    Raised { stored: Stored<'a>, by: f32 },
    /// Nowhere in the files.
    New(Vec<f32>),
}

impl Tensor<'_> {
    pub(super) fn parameters(&self) -> u64 {
        self.shape.iter().product::<usize>() as u64
    }

    /// In the new file.
    pub(super) fn bytes(&self) -> u64 {
        bytes(self.dtype, self.parameters())
    }

    /// In the old file.
    pub(super) fn bytes_before(&self) -> u64 {
        self.stored()
            .map_or(0, |stored| bytes(stored.dtype, self.parameters()))
    }

    pub(super) fn row_len(&self) -> usize {
        *self.shape.last().expect("a tensor has a dimension")
    }

    /// The new bytes are the old ones.
    pub(super) fn is_unchanged(&self) -> bool {
        matches!(&self.numbers, Numbers::Stored(stored) if stored.dtype == self.dtype)
    }

    /// Runs of rows, in the order in which they are written.
    pub(super) fn parts(&self) -> Vec<Range<usize>> {
        let rows = self.shape[..self.shape.len() - 1].iter().product();
        match &self.numbers {
            Numbers::Stored(stored) => stored.parts(0..rows, 1).collect(),
            _ => std::iter::once(0..rows).collect(),
        }
    }

    pub(super) fn read_bytes(&self, rows: Range<usize>) -> Result<Cow<'static, [u8]>, LoadError> {
        match self.stored() {
            Some(stored) => stored.read(rows),
            None => unreachable!("only stored numbers are unchanged"),
        }
    }

    /// The numbers of some rows: one of [`parts`](Self::parts).
    pub(super) fn read(&self, rows: Range<usize>) -> Result<Vec<f32>, LoadError> {
        match &self.numbers {
            Numbers::Stored(stored) => stored.rows_in_f32(rows),
            Numbers::Rotated { stored, heads } => {
                let numbers = stored.rows_in_f32(rows)?;
                let row_len = match self.shape.len() {
                    1 => 1,
                    _ => self.row_len(),
                };
                Ok(interleaved_rows(&numbers, row_len, *heads))
            }
            Numbers::Raised { stored, by } => {
                let numbers = stored.rows_in_f32(rows)?;
                Ok(numbers.into_iter().map(|x| x + by).collect())
            }
            Numbers::New(numbers) => Ok(numbers.clone()),
        }
    }

    fn stored(&self) -> Option<&Stored<'_>> {
        match &self.numbers {
            Numbers::Stored(stored)
            | Numbers::Rotated { stored, .. }
            | Numbers::Raised { stored, .. } => Some(stored),
            Numbers::New(_) => None,
        }
    }
}

/// All tensors of the new file.
pub(super) fn tensors<'a>(
    files: &'a ModelFiles,
    config: &DecoderConfig,
    target: Target,
) -> Result<Vec<Tensor<'a>>, QuantizeError> {
    let mut tensors = match &files.weights {
        Weights::Gguf(gguf) => of_gguf(gguf)?,
        Weights::Safetensors(safetensors) => of_folder(safetensors, files, config)?,
    };
    let whole = Whole {
        layers: config.layers,
        tied: !tensors.iter().any(|tensor| tensor.name == "output.weight"),
    };
    for tensor in &mut tensors {
        let wanted = target.type_of(&tensor.name, &tensor.shape, &whole);
        // What is small already does not get better by being larger.
        let stored = tensor.stored().map(|stored| stored.dtype);
        tensor.dtype = match stored {
            Some(stored) if is_smaller(stored, wanted) && tensor.shape.len() > 1 => stored,
            _ => wanted,
        };
    }
    Ok(tensors)
}

fn of_gguf(gguf: &Gguf) -> Result<Vec<Tensor<'_>>, LoadError> {
    let infos = &gguf.content().tensor_infos;
    let mut in_order = infos.iter().collect::<Vec<_>>();
    in_order.sort_by_key(|(_, info)| info.offset);
    let tensors = in_order.into_iter().map(|(name, info)| {
        let shape = info.shape.dims().to_vec();
        Ok(Tensor {
            name: name.clone(),
            dtype: info.ggml_dtype,
            numbers: Numbers::Stored(gguf.tensor(name, &shape)?),
            shape,
        })
    });
    tensors.collect()
}

fn of_folder<'a>(
    safetensors: &'a Safetensors,
    files: &ModelFiles,
    config: &DecoderConfig,
) -> Result<Vec<Tensor<'a>>, QuantizeError> {
    let architecture = metadata::architecture(config);
    let mut tensors = Vec::new();
    for (name, shape) in safetensors.tensors() {
        if is_left_out(name, config) {
            continue;
        }
        let new_name = gguf_name(architecture, name);
        if !is_known(&new_name) {
            let what = format!("tensor {name}, which GGUF has no name for");
            return Err(QuantizeError::Inexpressible(what));
        }
        let stored = safetensors.tensor(name, shape)?;
        let heads = match RowOrder::of(architecture, config.heads) {
            RowOrder::Original => None,
            RowOrder::Interleaved { .. } if name.contains(".q_proj.") => Some(config.heads),
            RowOrder::Interleaved { .. } if name.contains(".k_proj.") => Some(config.kv_heads),
            RowOrder::Interleaved { .. } => None,
        };
        let numbers = match heads {
            Some(heads) => Numbers::Rotated { stored, heads },
            None if config.norm_offset != 0.0 && new_name.contains("_norm.") => Numbers::Raised {
                stored,
                by: config.norm_offset as f32,
            },
            None => Numbers::Stored(stored),
        };
        tensors.push(Tensor {
            name: new_name,
            shape: shape.to_vec(),
            dtype: GgmlDType::F32,
            numbers,
        });
    }
    let factors = metadata::rope_tensors(config, &files.config).into_iter();
    tensors.extend(factors.map(|(name, numbers)| Tensor {
        name: name.to_owned(),
        shape: vec![numbers.len()],
        dtype: GgmlDType::F32,
        numbers: Numbers::New(numbers),
    }));
    Ok(tensors)
}

/// Tensors that the model does not need: tables of angles, a head that is the embedding, layers
/// that only training used.
fn is_left_out(name: &str, config: &DecoderConfig) -> bool {
    let layer = name.strip_prefix("model.layers.");
    let layer = layer.and_then(|rest| rest.split('.').next()?.parse::<usize>().ok());
    name.ends_with("rotary_emb.inv_freq")
        || (config.tied && name == "lm_head.weight")
        || layer.is_some_and(|layer| layer >= config.layers)
}

fn is_known(name: &str) -> bool {
    let stems = ["token_embd.", "output.", "output_norm.", "blk."];
    stems.iter().any(|stem| name.starts_with(stem))
        && ["self_attn", "mlp", "_proj"]
            .iter()
            .all(|foreign| !name.contains(foreign))
}

fn is_smaller(a: GgmlDType, b: GgmlDType) -> bool {
    a.type_size() * b.block_size() < b.type_size() * a.block_size()
}

fn bytes(dtype: GgmlDType, numbers: u64) -> u64 {
    numbers / dtype.block_size() as u64 * dtype.type_size() as u64
}

/// What llama.cpp's converter does: row `i * half + j` of a head goes to row `2j + i`.
fn interleaved_rows(numbers: &[f32], row_len: usize, heads: usize) -> Vec<f32> {
    let half = numbers.len() / row_len / heads / 2;
    let mut interleaved = Vec::with_capacity(numbers.len());
    for head in 0..heads {
        for j in 0..half {
            for i in 0..2 {
                let row = head * half * 2 + i * half + j;
                interleaved.extend_from_slice(&numbers[row * row_len..][..row_len]);
            }
        }
    }
    interleaved
}
