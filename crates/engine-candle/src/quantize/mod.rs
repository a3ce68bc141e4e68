//! Writing a model as a GGUF file of smaller numbers, tensor by tensor.
//!
//! `plan` says which tensors there are and what becomes of each, `metadata` and `vocabulary`
//! describe a Hugging Face folder in GGUF's words, `encode` does the work, `writer` knows the
//! format.

mod encode;
mod metadata;
mod plan;
mod target;
mod vocabulary;
mod writer;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use candle_core::quantized::gguf_file::Value;

use crate::LoadError;
use crate::config::DecoderConfig;
use crate::files::{ModelFiles, ModelSource, Weights};
use crate::text::ModelTokenizer;
use encode::Loss;
use plan::Tensor;
pub use target::Target;

/// Why a model could not be written.
#[derive(Debug, thiserror::Error)]
pub enum QuantizeError {
    /// The model to be read is at fault.
    #[error(transparent)]
    Load(#[from] LoadError),

    /// There is a file already.
    #[error("{0} exists already; name another file, or delete it first")]
    Exists(String),

    /// The file cannot be written.
    #[error("cannot write {file}: {source}")]
    Write {
        /// The file's path.
        file: String,
        /// What the operating system said.
        source: io::Error,
    },

    /// GGUF cannot describe this model.
    #[error("a GGUF file cannot hold this model: {0}")]
    Inexpressible(String),
}

/// What was written, and what was lost.
#[derive(Clone, Debug)]
pub struct Report {
    /// The tensors by their new type, the type with most bytes first.
    pub types: Vec<TypeReport>,
    /// The tensor with the largest relative error, if any number changed.
    pub worst: Option<(String, f64)>,
    /// Bytes of the file that was read, or of all its shards.
    pub bytes_before: u64,
    /// Bytes of the new file.
    pub bytes_after: u64,
    /// Why the file needs `tokenizer.json` beside it, if it does.
    pub without_tokenizer: Option<String>,
}

/// What became of the tensors that are now of one type.
#[derive(Clone, Debug)]
pub struct TypeReport {
    /// The type as the format names it: `F32`, `Q4_K`.
    pub name: String,
    /// Tensors of this type.
    pub tensors: usize,
    /// Numbers in them.
    pub parameters: u64,
    /// Bytes they take.
    pub bytes: u64,
    /// The root of the mean square of the error, by that of the numbers.
    pub relative_error: f64,
}

/// How far the work is.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// The tensor that is being written.
    pub tensor: &'a str,
    /// Numbers that are written.
    pub done: u64,
    /// Numbers there are in all.
    pub total: u64,
}

/// Writes the model to `out`, which must not exist. Some rows of one tensor are in memory at a
/// time. The file appears under its name once it is whole and was read back.
///
/// # Errors
///
/// When the model cannot be read, or the file not be written. Nothing is left behind then.
pub fn quantize(
    source: &ModelSource,
    out: &Path,
    target: Target,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Report, QuantizeError> {
    if out.exists() {
        return Err(QuantizeError::Exists(out.display().to_string()));
    }
    let unfinished = unfinished(out);
    let written = write(source, &unfinished, target, progress).and_then(|report| {
        let renamed = fs::rename(&unfinished, out);
        renamed.map_err(|source| cannot_write(out, source))?;
        Ok(report)
    });
    if written.is_err() {
        // It may not exist; that it cannot be deleted says no more than the error at hand.
        let _ = fs::remove_file(&unfinished);
    }
    written
}

/// In the same folder, so that it can be renamed.
fn unfinished(out: &Path) -> PathBuf {
    let mut name = out.file_name().unwrap_or_default().to_owned();
    name.push(".unfinished");
    out.with_file_name(name)
}

fn write(
    source: &ModelSource,
    out: &Path,
    target: Target,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Report, QuantizeError> {
    let files = ModelFiles::open(source)?;
    let config = DecoderConfig::read(&files)?;
    let (mut metadata, mut without_tokenizer) = describe(&files, &config, source)?;
    metadata::set(
        &mut metadata,
        "general.file_type",
        Value::U32(target.file_type()),
    );
    metadata::set(&mut metadata, "general.quantization_version", Value::U32(2));
    let tensors = plan::tensors(&files, &config, target)?;

    let file = File::create(out).map_err(|source| cannot_write(out, source))?;
    let mut file = BufWriter::new(file);
    let header = writer::header(&metadata, &tensors);
    let wrote = file.write_all(&header);
    wrote.map_err(|source| cannot_write(out, source))?;
    let losses = encode_all(&tensors, &mut file, out, progress)?;
    let file = file
        .into_inner()
        .map_err(|error| cannot_write(out, error.into_error()))?;
    file.sync_all()
        .map_err(|source| cannot_write(out, source))?;
    drop(file);

    let read_back = ModelFiles::open(&ModelSource::Path(out.to_owned()))?;
    metadata::compare(&config, &DecoderConfig::read(&read_back)?)
        .map_err(QuantizeError::Inexpressible)?;
    if let (None, Weights::Gguf(gguf)) = (&without_tokenizer, &read_back.weights) {
        let rebuilt = ModelTokenizer::from_gguf(gguf.content());
        without_tokenizer = rebuilt.err().map(|error| error.to_string());
    }
    let len = fs::metadata(out).map_err(|source| cannot_write(out, source))?;
    Ok(report(&tensors, &losses, len.len(), without_tokenizer))
}

/// The metadata of the new file, and why the tokenizer is not in it.
fn describe(
    files: &ModelFiles,
    config: &DecoderConfig,
    source: &ModelSource,
) -> Result<(metadata::Metadata, Option<String>), QuantizeError> {
    if let Weights::Gguf(gguf) = &files.weights {
        let content = gguf.content().metadata.clone();
        return Ok((content.into_iter().collect(), None));
    }
    let mut metadata = metadata::of_folder(config, &files.config, name_of(source))
        .map_err(QuantizeError::Inexpressible)?;
    let without_tokenizer = match vocabulary::of_folder(files, config.vocab) {
        Ok(vocabulary) => {
            metadata.extend(vocabulary);
            None
        }
        Err(reason) => Some(reason),
    };
    Ok((metadata, without_tokenizer))
}

fn name_of(source: &ModelSource) -> String {
    let path = match source {
        ModelSource::Path(path) => path,
        ModelSource::Embedded(_) => return "built-in".into(),
    };
    let absolute = path.canonicalize().unwrap_or_else(|_| path.clone());
    let name = absolute.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn encode_all(
    tensors: &[Tensor<'_>],
    file: &mut impl Write,
    out: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Vec<Loss>, QuantizeError> {
    let total = tensors.iter().map(Tensor::parameters).sum();
    let mut done = 0;
    let mut losses = Vec::with_capacity(tensors.len());
    for tensor in tensors {
        let mut written = 0;
        let loss = encode::tensor(tensor, |bytes, numbers| {
            let wrote = file.write_all(bytes);
            wrote.map_err(|source| cannot_write(out, source))?;
            written += bytes.len() as u64;
            done += numbers;
            progress(Progress {
                tensor: &tensor.name,
                done,
                total,
            });
            Ok::<_, QuantizeError>(())
        })?;
        let padding = vec![0; writer::padding(written) as usize];
        let wrote = file.write_all(&padding);
        wrote.map_err(|source| cannot_write(out, source))?;
        losses.push(loss);
    }
    Ok(losses)
}

fn report(
    tensors: &[Tensor<'_>],
    losses: &[Loss],
    bytes_after: u64,
    without_tokenizer: Option<String>,
) -> Report {
    let mut types = Vec::<(TypeReport, Loss)>::new();
    let mut worst: Option<(String, f64)> = None;
    for (tensor, loss) in tensors.iter().zip(losses) {
        let name = target::type_name(tensor.dtype);
        let place = types.iter().position(|(one, _)| one.name == name);
        let place = place.unwrap_or_else(|| {
            let new = TypeReport {
                name,
                tensors: 0,
                parameters: 0,
                bytes: 0,
                relative_error: 0.0,
            };
            types.push((new, Loss::default()));
            types.len() - 1
        });
        let (one, of_type) = &mut types[place];
        one.tensors += 1;
        one.parameters += tensor.parameters();
        one.bytes += tensor.bytes();
        of_type.add(loss);
        one.relative_error = of_type.relative();
        let relative = loss.relative();
        if relative > worst.as_ref().map_or(0.0, |(_, error)| *error) {
            worst = Some((tensor.name.clone(), relative));
        }
    }
    let mut types = types.into_iter().map(|(one, _)| one).collect::<Vec<_>>();
    types.sort_by_key(|one| std::cmp::Reverse(one.bytes));
    Report {
        types,
        worst,
        bytes_before: tensors.iter().map(Tensor::bytes_before).sum(),
        bytes_after,
        without_tokenizer,
    }
}

fn cannot_write(file: &Path, source: io::Error) -> QuantizeError {
    QuantizeError::Write {
        file: file.display().to_string(),
        source,
    }
}
