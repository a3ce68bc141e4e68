//! Models that other programs downloaded from Hugging Face: `hf:OWNER/NAME` or
//! `hf:OWNER/NAME:FILE`. The cache is read, nothing is fetched.
//!
//! Its layout: <https://huggingface.co/docs/huggingface_hub/guides/manage-cache>.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// What a name in the cache begins with.
const PREFIX: &str = "hf:";

/// The path is a name in the cache.
pub(super) fn is_name(path: &Path) -> bool {
    path.to_str().is_some_and(|name| name.starts_with(PREFIX))
}

/// The folder or file that the name stands for in this machine's cache.
///
/// # Errors
///
/// When the name is none, or the cache does not hold the model.
pub(super) fn find(name: &Path) -> anyhow::Result<PathBuf> {
    find_in(&cache_folder()?, &name.to_string_lossy())
}

fn find_in(cache: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let model = parse(name).with_context(|| {
        format!("{name} is no name of a model; write {PREFIX}OWNER/NAME or {PREFIX}OWNER/NAME:FILE")
    })?;
    let folder = cache.join(format!("models--{}--{}", model.owner, model.name));
    let snapshot = snapshot(&folder).with_context(|| {
        let (owner, name, cache) = (model.owner, model.name, cache.display());
        format!("{owner}/{name} is not in {cache}; download it with: hf download {owner}/{name}")
    })?;
    match model.file {
        Some(file) => {
            let file = snapshot.join(file);
            match file.is_file() {
                true => Ok(file),
                false => bail!("there is no {}", file.display()),
            }
        }
        None if snapshot.join("config.json").is_file() => Ok(snapshot),
        None => only_gguf(&snapshot),
    }
}

struct HubName<'a> {
    owner: &'a str,
    name: &'a str,
    file: Option<&'a str>,
}

fn parse(name: &str) -> Option<HubName<'_>> {
    let rest = name.strip_prefix(PREFIX)?;
    let (model, file) = match rest.split_once(':') {
        Some((model, file)) => (model, Some(file)),
        None => (rest, None),
    };
    let (owner, name) = model.split_once('/')?;
    let is_part = |part: &str| {
        let known = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        !part.is_empty() && !part.starts_with('.') && part.chars().all(known)
    };
    let is_inside = |file: &str| file.split('/').all(is_part);
    let good = is_part(owner) && is_part(name) && file.is_none_or(is_inside);
    good.then_some(HubName { owner, name, file })
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
    let mut files = super::model_folder::models(snapshot)?;
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
fn cache_folder() -> anyhow::Result<PathBuf> {
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
        check("hf:a/missing", Err("hf download a/missing"));
        check("hf:a", Err("OWNER/NAME"));
        check("hf:a/../../b", Err("OWNER/NAME"));
        check("hf:a/files:../../../x", Err("OWNER/NAME"));
    }
}
