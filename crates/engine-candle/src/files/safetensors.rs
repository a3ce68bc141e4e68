//! Tensors in safetensors files: eight bytes of header length, a JSON header, the values.
//!
//! Format: <https://github.com/huggingface/safetensors#format>. Everything in the header is
//! checked against the file before a value is read.

use std::collections::HashMap;
use std::ops::Range;

use candle_core::quantized::GgmlDType;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::blob::Blob;
use super::stored::Stored;
use crate::LoadError;

/// The tensors of one or several files.
pub(crate) struct Safetensors {
    files: Vec<Blob>,
    tensors: HashMap<String, Entry>,
}

struct Entry {
    file: usize,
    dtype: String,
    shape: Vec<usize>,
    range: Range<u64>,
}

impl Safetensors {
    /// Reads and checks the headers.
    pub(crate) fn open(files: Vec<Blob>) -> Result<Self, LoadError> {
        let mut tensors = HashMap::new();
        for (index, file) in files.iter().enumerate() {
            for (name, entry) in read_header(file)? {
                let entry = checked(file, index, &name, entry)?;
                tensors.insert(name, entry);
            }
        }
        Ok(Self { files, tensors })
    }

    /// Names and shapes of all tensors, in the order of their names.
    pub(crate) fn tensors(&self) -> Vec<(&str, &[usize])> {
        let tensors = self.tensors.iter();
        let mut tensors = tensors
            .map(|(name, entry)| (name.as_str(), &entry.shape[..]))
            .collect::<Vec<_>>();
        tensors.sort_unstable();
        tensors
    }

    /// The tensor is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// The tensor, if it has this shape.
    pub(crate) fn tensor(&self, name: &str, shape: &[usize]) -> Result<Stored<'_>, LoadError> {
        let entry = self
            .tensors
            .get(name)
            .ok_or_else(|| LoadError::Missing(format!("the weights have no tensor {name}")))?;
        if entry.shape != shape {
            let found = &entry.shape;
            return Err(LoadError::Config(format!(
                "tensor {name} has shape {found:?}, not {shape:?}"
            )));
        }
        let dtype = match entry.dtype.as_str() {
            "F32" => GgmlDType::F32,
            "F16" => GgmlDType::F16,
            "BF16" => GgmlDType::BF16,
            other => {
                return Err(LoadError::Unsupported(format!(
                    "tensor {name} in {other}: safetensors in F32, F16 or BF16 are read; anything else"
                )));
            }
        };
        Ok(Stored {
            file: &self.files[entry.file],
            start: entry.range.start,
            dtype,
            shape: shape.to_vec(),
        })
    }
}

/// Headers of the largest models are a few megabytes.
const LARGEST_HEADER: u64 = 64 << 20;

const LENGTH_BYTES: u64 = 8;

#[derive(Deserialize)]
struct Header {
    #[serde(rename = "__metadata__")]
    _metadata: Option<IgnoredAny>,
    #[serde(flatten)]
    tensors: HashMap<String, HeaderEntry>,
}

#[derive(Deserialize)]
struct HeaderEntry {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: [u64; 2],
    #[serde(skip)]
    data_start: u64,
}

fn read_header(file: &Blob) -> Result<Vec<(String, HeaderEntry)>, LoadError> {
    let length = file.read(0..LENGTH_BYTES)?;
    let length = u64::from_le_bytes(length[..].try_into().expect("eight bytes were read"));
    if length > LARGEST_HEADER.min(file.len() - LENGTH_BYTES) {
        return Err(file.damaged(format!("a header of {length} bytes cannot be")));
    }
    let data_start = LENGTH_BYTES + length;
    let header = file.read(LENGTH_BYTES..data_start)?;
    let header = serde_json::from_slice::<Header>(&header)
        .map_err(|error| file.damaged(format!("its header is not what it should be: {error}")))?;
    refuse_overlaps(file, &header)?;
    let entries = header.tensors.into_iter().map(|(name, entry)| {
        (
            name,
            HeaderEntry {
                data_start,
                ..entry
            },
        )
    });
    Ok(entries.collect())
}

/// Tensors that overlap could ask for more memory than the file has bytes.
fn refuse_overlaps(file: &Blob, header: &Header) -> Result<(), LoadError> {
    let ranges = header.tensors.iter();
    let mut ranges = ranges
        .map(|(name, entry)| (entry.data_offsets, name))
        .collect::<Vec<_>>();
    ranges.sort_unstable();
    let mut free_from = 0;
    for ([start, end], name) in ranges {
        if start < free_from {
            return Err(file.damaged(format!("tensor {name} overlaps another")));
        }
        free_from = end;
    }
    Ok(())
}

fn checked(file: &Blob, index: usize, name: &str, entry: HeaderEntry) -> Result<Entry, LoadError> {
    let [start, end] = entry.data_offsets;
    if start > end || end > file.len() - entry.data_start {
        return Err(file.damaged(format!("tensor {name} lies outside the file")));
    }
    let elements = entry
        .shape
        .iter()
        .try_fold(1usize, |product, &dim| product.checked_mul(dim));
    let bytes = match entry.dtype.as_str() {
        "F32" => Some(4),
        "F16" | "BF16" => Some(2),
        _ => None,
    };
    // The size of other types does not matter: such a tensor is refused when it is asked for.
    if let Some(bytes) = bytes {
        let needed = elements.and_then(|elements| elements.checked_mul(bytes));
        if needed != usize::try_from(end - start).ok() {
            return Err(file.damaged(format!("tensor {name} has a shape its bytes do not fill")));
        }
    }
    Ok(Entry {
        file: index,
        dtype: entry.dtype,
        shape: entry.shape,
        range: entry.data_start + start..entry.data_start + end,
    })
}
