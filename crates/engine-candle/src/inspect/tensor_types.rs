//! Which types the tensors of a model are stored in, from the headers of its files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::LoadError;
use crate::files::{Gguf, ModelSource, Weights};
use crate::kernels::packed_bytes;

/// The tensors that are stored in one type.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorType {
    /// The type as the file's format names it: `F16`, `Q4_K`.
    pub name: String,
    /// Tensors of this type.
    pub tensors: usize,
    /// Numbers in them.
    pub parameters: u64,
    /// Bytes they take in the file.
    pub file_bytes: u64,
    /// Bytes they take once they are packed for the kernels.
    pub loaded_bytes: u64,
}

/// Reads the headers, which opening `weights` has checked.
pub(super) fn read(source: &ModelSource, weights: &Weights) -> Result<Vec<TensorType>, LoadError> {
    let tensors = match weights {
        Weights::Gguf(gguf) => gguf_tensors(gguf),
        Weights::Safetensors(_) => safetensors(source)?,
    };
    Ok(by_type(tensors))
}

/// One tensor.
struct StoredTensor {
    type_name: String,
    parameters: u64,
    file_bytes: u64,
    loaded_bytes: u64,
}

fn gguf_tensors(gguf: &Gguf) -> Vec<StoredTensor> {
    let tensors = gguf.content().tensor_infos.values().map(|info| {
        let parameters = info.shape.elem_count() as u64;
        let dtype = info.ggml_dtype;
        let bytes = parameters / dtype.block_size() as u64 * dtype.type_size() as u64;
        StoredTensor {
            // candle leaves out the line in `Q4_K`.
            type_name: format!("{dtype:?}").replace('K', "_K"),
            parameters,
            file_bytes: bytes,
            loaded_bytes: packed_bytes(dtype, parameters),
        }
    });
    tensors.collect()
}

fn safetensors(source: &ModelSource) -> Result<Vec<StoredTensor>, LoadError> {
    let mut tensors = Vec::new();
    match source {
        ModelSource::Embedded(embedded) => {
            tensors = read_header(embedded.weights)
                .map_err(|error| unreadable("the built-in model", error))?;
        }
        ModelSource::Path(folder) => {
            for file in shards(folder).map_err(|error| unreadable(folder, error))? {
                let header = File::open(&file).and_then(read_header);
                tensors.extend(header.map_err(|error| unreadable(&file, error))?);
            }
        }
    }
    Ok(tensors)
}

fn by_type(tensors: Vec<StoredTensor>) -> Vec<TensorType> {
    let mut types = BTreeMap::<String, TensorType>::new();
    for tensor in tensors {
        let name = tensor.type_name;
        let one = types.entry(name.clone()).or_insert(TensorType {
            name,
            tensors: 0,
            parameters: 0,
            file_bytes: 0,
            loaded_bytes: 0,
        });
        one.tensors += 1;
        one.parameters += tensor.parameters;
        one.file_bytes += tensor.file_bytes;
        one.loaded_bytes += tensor.loaded_bytes;
    }
    let mut types = types.into_values().collect::<Vec<_>>();
    types.sort_by_key(|one| std::cmp::Reverse(one.file_bytes));
    types
}

#[derive(Deserialize)]
struct HeaderEntry {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: [u64; 2],
}

/// The files that the index names, or else all there are.
fn shards(folder: &Path) -> io::Result<BTreeSet<PathBuf>> {
    if let Ok(index) = fs::read(folder.join("model.safetensors.index.json")) {
        let index = serde_json::from_slice::<Value>(&index)?;
        let map = index["weight_map"].as_object().into_iter().flatten();
        let names = map.filter_map(|(_, name)| name.as_str());
        return Ok(names.map(|name| folder.join(name)).collect());
    }
    let entries = fs::read_dir(folder)?.flatten().map(|entry| entry.path());
    let is_shard = |path: &PathBuf| path.extension().is_some_and(|end| end == "safetensors");
    Ok(entries.filter(is_shard).collect())
}

/// The names and sizes of one file, whose header is sound and of bounded length.
fn read_header(mut file: impl Read) -> io::Result<Vec<StoredTensor>> {
    let mut length = [0; 8];
    file.read_exact(&mut length)?;
    let header = file.take(u64::from_le_bytes(length));
    let mut header = serde_json::from_reader::<_, BTreeMap<String, Value>>(BufReader::new(header))?;
    header.remove("__metadata__");
    let entries = header.into_values().map(|entry| {
        let entry = HeaderEntry::deserialize(entry)?;
        let [start, end] = entry.data_offsets;
        Ok(StoredTensor {
            type_name: entry.dtype,
            parameters: entry.shape.iter().product(),
            file_bytes: end - start,
            loaded_bytes: end - start,
        })
    });
    entries.collect()
}

fn unreadable(file: impl AsRef<Path>, source: io::Error) -> LoadError {
    LoadError::Read {
        file: file.as_ref().display().to_string(),
        source,
    }
}
