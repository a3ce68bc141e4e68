//! What tells a model from every other: hashes of its files.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use engine::Fingerprint;
use sha2::{Digest, Sha256};

use crate::files::{ModelSource, shards};

/// Hashes the files of the model at `source`. A file that cannot be read any more leaves its
/// hash out.
pub fn fingerprint(source: &ModelSource) -> Fingerprint {
    match source {
        ModelSource::Embedded(model) => Fingerprint {
            weights: Some(hex(Sha256::new_with_prefix(model.weights))),
            tokenizer: Some(hex(Sha256::new_with_prefix(model.tokenizer))),
        },
        ModelSource::Path(path) if path.is_dir() => Fingerprint {
            weights: shards(path).ok().and_then(|shards| hash(&shards)),
            tokenizer: hash(&[path.join("tokenizer.json")]),
        },
        ModelSource::Path(path) => Fingerprint {
            weights: hash(std::slice::from_ref(path)),
            tokenizer: beside(path).and_then(|tokenizer| hash(&[tokenizer])),
        },
    }
}

/// The tokenizer beside a GGUF file, which otherwise has its own.
fn beside(gguf: &Path) -> Option<PathBuf> {
    let tokenizer = gguf.with_file_name("tokenizer.json");
    tokenizer.exists().then_some(tokenizer)
}

/// The hash of files one behind the other.
fn hash(files: &[PathBuf]) -> Option<String> {
    let mut hasher = Sha256::new();
    for file in files {
        let mut file = BufReader::with_capacity(1 << 20, File::open(file).ok()?);
        io::copy(&mut file, &mut Hashed(&mut hasher)).ok()?;
    }
    Some(hex(hasher))
}

struct Hashed<'a>(&'a mut Sha256);

impl io::Write for Hashed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn hex(hasher: Sha256) -> String {
    let digest = hasher.finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
