//! A folder of models.

use std::path::{Path, PathBuf};

use anyhow::Context;

/// The models in a folder, by name: GGUF files, and folders that hold a `config.json`.
///
/// # Errors
///
/// When the folder cannot be read.
pub(crate) fn models(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)
        .with_context(|| format!("cannot read the folder of models {}", folder.display()))?;
    let paths = entries.flatten().map(|entry| entry.path());
    let mut models = paths.filter(|path| is_model(path)).collect::<Vec<_>>();
    models.sort();
    Ok(models)
}

fn is_model(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    let Some(name) = name.filter(|name| !name.starts_with('.')) else {
        return false;
    };
    match path.is_dir() {
        true => path.join("config.json").is_file(),
        false => name.to_lowercase().ends_with(".gguf"),
    }
}

/// What a model is called that was given no name: its file's or folder's, without `.gguf`.
pub(super) fn name(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let stem = name.len().checked_sub(".gguf".len());
    let stem = stem.and_then(|at| name.split_at_checked(at));
    let stem = stem.filter(|(stem, end)| !stem.is_empty() && end.eq_ignore_ascii_case(".gguf"));
    Some(stem.map_or(name, |(stem, _)| stem).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_dots() {
        let check = |path: &str, expected: &str| {
            assert_eq!(name(Path::new(path)).as_deref(), Some(expected));
        };
        check("/models/Qwen2.5-0.5B", "Qwen2.5-0.5B");
        check("tiny.Q4_K_M.GGUF", "tiny.Q4_K_M");
        check("hf:Qwen/Qwen3-0.6B", "Qwen3-0.6B");
        check("모델.gguf", "모델");
    }
}
