//! A Hugging Face model folder.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::blob::Blob;
use super::safetensors::Safetensors;
use super::{ModelFiles, Weights, parsed};
use crate::LoadError;

/// More than any tokenizer needs; what is larger is not a file of text about a model.
const LARGEST_TEXT_FILE: u64 = 64 << 20;

/// More shards than any model has.
const MOST_SHARDS: usize = 1024;

/// Finds the files of a folder by their usual names.
pub(crate) fn open(folder: &Path) -> Result<ModelFiles, LoadError> {
    let config = read_optional(&folder.join("config.json"))?;
    let config = config.ok_or_else(|| missing(folder, "config.json"))?;
    let shards = shards(folder)?;
    let blobs = shards
        .iter()
        .map(|shard| Blob::file(shard))
        .collect::<Result<_, _>>()?;
    Ok(ModelFiles {
        config: parsed(&name(folder, "config.json"), &config)?,
        generation_config: optional_json(folder, "generation_config.json")?,
        tokenizer: read_optional(&folder.join("tokenizer.json"))?,
        tokenizer_config: optional_json(folder, "tokenizer_config.json")?,
        chat_template: chat_template(folder)?,
        weights: Weights::Safetensors(Safetensors::open(blobs)?),
    })
}

/// The bytes of a file of text, `None` when there is no such file.
pub(crate) fn read_optional(path: &Path) -> Result<Option<Vec<u8>>, LoadError> {
    read_at_most(path, LARGEST_TEXT_FILE)
}

/// The same of a file that has no more bytes than `most`.
pub(crate) fn read_at_most(path: &Path, most: u64) -> Result<Option<Vec<u8>>, LoadError> {
    let read_error = |source| LoadError::Read {
        file: path.display().to_string(),
        source,
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(read_error(error)),
    };
    let mut bytes = Vec::new();
    file.take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(read_error)?;
    if bytes.len() as u64 > most {
        return Err(LoadError::Malformed {
            file: path.display().to_string(),
            reason: format!("it is larger than {most} bytes"),
        });
    }
    Ok(Some(bytes))
}

fn optional_json(folder: &Path, file: &str) -> Result<Value, LoadError> {
    match read_optional(&folder.join(file))? {
        Some(bytes) => parsed(&name(folder, file), &bytes),
        None => Ok(Value::Null),
    }
}

fn chat_template(folder: &Path) -> Result<Option<String>, LoadError> {
    let Some(bytes) = read_optional(&folder.join("chat_template.jinja"))? else {
        return Ok(None);
    };
    String::from_utf8(bytes)
        .map(Some)
        .map_err(|_| LoadError::Malformed {
            file: name(folder, "chat_template.jinja"),
            reason: "it is not UTF-8".into(),
        })
}

/// The safetensors files: those the index names, or else all there are.
pub(crate) fn shards(folder: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let index = optional_json(folder, "model.safetensors.index.json")?;
    let names = match index.get("weight_map").and_then(Value::as_object) {
        Some(map) => map
            .values()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        None => safetensors_in(folder)?,
    };
    let inside = |name: &String| {
        Path::new(name)
            .file_name()
            .is_some_and(|file| file == &**name)
    };
    if !names.iter().all(inside) || names.len() > MOST_SHARDS {
        return Err(LoadError::Malformed {
            file: name(folder, "model.safetensors.index.json"),
            reason: "it names files outside the folder, or too many".into(),
        });
    }
    if names.is_empty() {
        return Err(missing(folder, "*.safetensors"));
    }
    Ok(names.iter().map(|name| folder.join(name)).collect())
}

fn safetensors_in(folder: &Path) -> Result<BTreeSet<String>, LoadError> {
    let entries = fs::read_dir(folder).map_err(|source| LoadError::Read {
        file: folder.display().to_string(),
        source,
    })?;
    let names = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok());
    Ok(names
        .filter(|name| name.ends_with(".safetensors"))
        .take(MOST_SHARDS + 1)
        .collect())
}

fn name(folder: &Path, file: &str) -> String {
    folder.join(file).display().to_string()
}

fn missing(folder: &Path, file: &str) -> LoadError {
    let folder = folder.display();
    LoadError::Missing(format!(
        "{folder} has no {file}: a model folder holds config.json, *.safetensors and tokenizer.json"
    ))
}
