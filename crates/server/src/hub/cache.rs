//! Models that were downloaded from Hugging Face before, by ibid or by another program.
//!
//! The cache's layout: <https://huggingface.co/docs/huggingface_hub/guides/manage-cache>.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::name::HubName;
use crate::startup::model_folder;

/// The folder or file that the name stands for in this machine's cache.
///
/// # Errors
///
/// When the name is none, or the cache does not hold the model.
pub(crate) fn find(name: &Path) -> anyhow::Result<PathBuf> {
    find_in(&cache_folder()?, &name.to_string_lossy())
}

fn find_in(cache: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let model = HubName::parse(name)?;
    let snapshot = snapshot(&model.folder_in(cache)).with_context(|| {
        let cache = cache.display();
        format!("{name} is not in {cache}; download it with: ibid models pull {name}")
    })?;
    match model.file {
        Some(file) => {
            let file = snapshot.join(file);
            match file.is_file() {
                true => Ok(file),
                false => bail!(
                    "there is no {}; download it with: ibid models pull {name}",
                    file.display()
                ),
            }
        }
        None if snapshot.join("config.json").is_file() => Ok(snapshot),
        None => only_gguf(&snapshot),
    }
}

/// The revision that `main` was at when it was last downloaded, or else any.
fn snapshot(folder: &Path) -> Option<PathBuf> {
    let snapshots = folder.join("snapshots");
    let main = std::fs::read_to_string(folder.join("refs/main")).ok();
    let main = main.map(|revision| snapshots.join(revision.trim()));
    if let Some(main) = main.filter(|main| main.is_dir()) {
        return Some(main);
    }
    let others = std::fs::read_dir(snapshots).ok()?.flatten();
    others
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .max()
}

fn only_gguf(snapshot: &Path) -> anyhow::Result<PathBuf> {
    let mut files = model_folder::models(snapshot)?;
    match files.len() {
        1 => Ok(files.remove(0)),
        0 => bail!("{} holds no model", snapshot.display()),
        _ => {
            let names = files.iter().filter_map(|file| file.file_name());
            let names = names.map(|name| name.to_string_lossy()).collect::<Vec<_>>();
            bail!(
                "say which file is meant, after a colon: {}",
                names.join(", ")
            )
        }
    }
}

/// As Hugging Face's own programs look for it.
pub(super) fn cache_folder() -> anyhow::Result<PathBuf> {
    let folder = |variable: &str| {
        let value = env::var_os(variable).filter(|value| !value.is_empty());
        value.map(PathBuf::from)
    };
    if let Some(cache) = folder("HF_HUB_CACHE") {
        return Ok(cache);
    }
    let home = folder("HF_HOME")
        .or_else(|| folder("XDG_CACHE_HOME").map(|cache| cache.join("huggingface")))
        .or_else(|| folder("HOME").map(|home| home.join(".cache/huggingface")))
        .or_else(|| folder("USERPROFILE").map(|home| home.join(".cache/huggingface")));
    let home = home.context("no home folder is known: say where the cache is with HF_HOME")?;
    Ok(home.join("hub"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_the_files_of_the_cache() {
        let cache = tempfile::tempdir().expect("a folder");
        let write = |file: &str, text: &str| {
            let file = cache.path().join(file);
            std::fs::create_dir_all(file.parent().expect("it is in a folder")).expect("made");
            std::fs::write(file, text).expect("written");
        };
        write("models--a--full/refs/main", "two\n");
        write("models--a--full/snapshots/one/config.json", "");
        write("models--a--full/snapshots/two/config.json", "");
        write("models--a--one-file/snapshots/r/m.gguf", "");
        write("models--a--files/snapshots/r/x.Q4_0.gguf", "");
        write("models--a--files/snapshots/r/x.Q8_0.gguf", "");
        let check = |name: &str, expected: Result<&str, &str>| {
            let found = find_in(cache.path(), name);
            match (found, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, cache.path().join(expected)),
                (Err(error), Err(expected)) => {
                    assert!(error.to_string().contains(expected), "{name}: {error}");
                }
                (found, _) => panic!("{name}: {found:?}"),
            }
        };
        check("hf:a/full", Ok("models--a--full/snapshots/two"));
        check(
            "hf:a/one-file",
            Ok("models--a--one-file/snapshots/r/m.gguf"),
        );
        check(
            "hf:a/files:x.Q8_0.gguf",
            Ok("models--a--files/snapshots/r/x.Q8_0.gguf"),
        );
        check("hf:a/files", Err("x.Q4_0.gguf, x.Q8_0.gguf"));
        check("hf:a/files:y.gguf", Err("there is no"));
        check("hf:a/missing", Err("ibid models pull hf:a/missing"));
        check("hf:a", Err("OWNER/NAME"));
        check("hf:a/../../b", Err("OWNER/NAME"));
        check("hf:a/files:../../../x", Err("OWNER/NAME"));
    }
}
