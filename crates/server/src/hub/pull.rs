//! A model of the hub into the cache that all programs share.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use axum::body::{Body, to_bytes};
use serde::Deserialize;

use super::cache::{self, cache_folder};
use super::connection::Hub;
use super::download::download;
use super::name::{HubName, is_inside};

/// Bytes of the list of a model's files.
const MAX_LIST_BYTES: usize = 16 << 20;

/// Beside the weights, what of a folder is read.
const FOLDER_FILES: [&str; 8] = [
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
    "model.safetensors.index.json",
    "README.md",
];

/// How far a download is.
pub(crate) struct Pulled<'a> {
    /// The file that is being downloaded.
    pub(crate) file: &'a str,
    /// Its bytes that are there.
    pub(crate) done: u64,
    /// Its bytes.
    pub(crate) total: u64,
}

/// Downloads the model that `name` (`hf:OWNER/NAME` or `hf:OWNER/NAME:FILE`) stands for, and
/// returns where it lies. What is there already is not downloaded again.
///
/// # Errors
///
/// When the name is none, does not say which of several files is meant, or the hub or the disk
/// does not do its part. What was downloaded until then is used when it is tried again.
pub(crate) async fn pull(
    name: &str,
    on_progress: &mut (dyn FnMut(&Pulled<'_>) + Send),
) -> anyhow::Result<PathBuf> {
    let model = HubName::parse(name)?;
    let (hub, cache) = (Hub::from_environment()?, cache_folder()?);
    let folder = model.folder_in(&cache);
    let (blobs, refs) = (folder.join("blobs"), folder.join("refs"));
    for folder in [&blobs, &refs] {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    let (owner, repository) = (model.owner, model.name);
    let endpoint = &hub.endpoint;
    let revision = revision(
        &hub,
        &format!("{endpoint}/api/models/{owner}/{repository}/revision/main"),
    )
    .await?;
    let sha = &revision.sha;
    let snapshot = folder.join("snapshots").join(sha);
    for file in wanted(&model, &revision)? {
        let url = format!("{endpoint}/{owner}/{repository}/resolve/{sha}/{file}");
        let mut on_bytes = |done, total| on_progress(&Pulled { file, done, total });
        let blob = download(&hub, &url, &blobs, &mut on_bytes).await?;
        link(&blob, &snapshot, file)?;
    }
    fs::write(refs.join("main"), sha)?;
    cache::find(Path::new(name))
}

/// What the hub says of a model.
#[derive(Deserialize)]
struct Revision {
    sha: String,
    siblings: Vec<Sibling>,
}

#[derive(Deserialize)]
struct Sibling {
    rfilename: String,
}

async fn revision(hub: &Hub, url: &str) -> anyhow::Result<Revision> {
    let body = Body::new(hub.get(url, 0).await?.into_body());
    let bytes = to_bytes(body, MAX_LIST_BYTES).await;
    let bytes = bytes.with_context(|| format!("{url} cannot be read, or has no end"))?;
    let revision: Revision =
        serde_json::from_slice(&bytes).with_context(|| format!("{url} is not as expected"))?;
    ensure!(is_inside(&revision.sha), "{url} names no revision");
    Ok(revision)
}

/// The one file that was asked for; or a folder's configuration, tokenizer and weights; or the
/// only GGUF file.
fn wanted<'a>(model: &HubName<'_>, revision: &'a Revision) -> anyhow::Result<Vec<&'a str>> {
    let files = revision.siblings.iter().map(|file| file.rfilename.as_str());
    let files = files.filter(|file| is_inside(file)).collect::<Vec<_>>();
    let gguf = || files.iter().filter(|file| file.ends_with(".gguf"));
    let (owner, name) = (model.owner, model.name);
    if let Some(wanted) = model.file {
        let found = files.iter().find(|file| **file == wanted);
        let found = found.with_context(|| {
            let others = gguf().copied().collect::<Vec<_>>().join(", ");
            format!("{owner}/{name} has no file {wanted}; its GGUF files: {others}")
        })?;
        return Ok(vec![found]);
    }
    if files.contains(&"config.json") {
        let is_weights = |file: &str| file.ends_with(".safetensors") && !file.contains('/');
        let is_wanted = |file: &&str| FOLDER_FILES.contains(file) || is_weights(file);
        return Ok(files.iter().copied().filter(is_wanted).collect());
    }
    match &gguf().copied().collect::<Vec<_>>()[..] {
        [] => bail!("{owner}/{name} holds no model that ibid reads: no config.json and no GGUF"),
        [only] => Ok(vec![only]),
        several => bail!(
            "{owner}/{name} holds several files; say which, after a colon: {}",
            several.join(", ")
        ),
    }
}

/// A snapshot's file is a link to its content.
fn link(blob: &Path, snapshot: &Path, file: &str) -> anyhow::Result<()> {
    let path = snapshot.join(file);
    let folder = path.parent().context("a file stands in a folder")?;
    fs::create_dir_all(folder)?;
    if path.symlink_metadata().is_ok() {
        fs::remove_file(&path)?;
    }
    let content = blob.file_name().context("a blob has a name")?;
    let up = "../".repeat(2 + file.matches('/').count());
    let target = Path::new(&up).join("blobs").join(content);
    #[cfg(unix)]
    let linked = std::os::unix::fs::symlink(target, &path);
    #[cfg(not(unix))]
    let linked = fs::hard_link(blob, &path);
    linked.with_context(|| format!("cannot write {}", path.display()))
}
