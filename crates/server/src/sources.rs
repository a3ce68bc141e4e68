//! What the default collection is made of when the program starts.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use library::{
    DEFAULT_COLLECTION, Library, LibraryError, Page, Problem, Progress, Scan, SourceFile, Watch,
    WatchSettings,
};
use tracing::warn;

use crate::answering::PROFILE;
use crate::config::CollectionConfig;
use crate::examples::EXAMPLES;

/// Brings the default collection up to date and waits until it can be searched.
///
/// With `paths` it holds the files under them and what was uploaded. Without, it holds what it
/// held; a library without documents gets the examples.
///
/// # Errors
///
/// When a path is missing, or nothing under the paths can be read; the text says what to do.
pub fn sync(
    library: &Library,
    paths: &[PathBuf],
    max_file_bytes: u64,
    progress: &mut dyn FnMut(Progress),
) -> anyhow::Result<()> {
    let scan = match paths {
        [] if holds_only_examples(library)? => Some(examples()),
        [] => None,
        paths => Some(library::scan(paths, max_file_bytes)?),
    };
    match take_over(library, scan.as_ref(), progress) {
        // What is indexed can be asked, and the rest is tried again: no reason not to start.
        Err(error @ (LibraryError::StorageFull | LibraryError::Stalled { .. })) => {
            warn!(%error, "going on with what is indexed");
            return Ok(());
        }
        outcome => outcome?,
    }
    if paths.is_empty() {
        Ok(())
    } else {
        check_readable(library, paths)
    }
}

fn take_over(
    library: &Library,
    scan: Option<&Scan>,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), LibraryError> {
    if let Some(scan) = scan {
        let report = library.sync(DEFAULT_COLLECTION, scan)?;
        warn_of(&report.problems);
    }
    library.wait_until_idle(progress)
}

/// Keeps collections in step with folders, until the result is dropped: `paths` with the
/// default collection, and what is configured.
///
/// # Errors
///
/// When a collection cannot be created.
pub fn watch(
    library: &Arc<Library>,
    paths: &[PathBuf],
    configured: &[CollectionConfig],
) -> anyhow::Result<Vec<Watch>> {
    let mut watches = Vec::new();
    if !paths.is_empty() {
        watches.push(start_watch(library, DEFAULT_COLLECTION, paths)?);
    }
    for CollectionConfig {
        name,
        watch,
        profile,
    } in configured
    {
        if name == DEFAULT_COLLECTION && !paths.is_empty() {
            warn!("the paths that were named win over the configured ones of {name:?}");
            continue;
        }
        if library.collection(name)?.is_none() {
            library.create_collection(name)?;
        }
        if let Some(profile) = profile {
            note_profile(library, name, profile)?;
        }
        watches.push(start_watch(library, name, watch)?);
    }
    Ok(watches)
}

/// Says in the collection's metadata how answers from it are made.
fn note_profile(library: &Library, collection: &str, profile: &str) -> anyhow::Result<()> {
    let mut metadata = library.metadata(collection)?.unwrap_or_default();
    metadata.insert(PROFILE.to_owned(), profile.to_owned());
    library.set_metadata(collection, &metadata)?;
    Ok(())
}

fn start_watch(
    library: &Arc<Library>,
    collection: &str,
    paths: &[PathBuf],
) -> anyhow::Result<Watch> {
    let settings = WatchSettings::new(collection, paths.to_owned());
    Watch::start(library, settings)
        .with_context(|| format!("cannot watch the folders of {collection:?}"))
}

fn examples() -> Scan {
    let files = EXAMPLES
        .iter()
        .map(|(name, bytes)| SourceFile::example(name, bytes))
        .collect();
    Scan {
        files,
        problems: Vec::new(),
    }
}

/// Whether nothing of the user's own is in the library.
pub(crate) fn holds_only_examples(library: &Library) -> anyhow::Result<bool> {
    let files = library.files(&Page::default())?;
    let is_example = |source: &Option<String>| {
        source
            .as_deref()
            .is_some_and(|source| source.starts_with("example:"))
    };
    Ok(files.data.iter().all(|file| is_example(&file.source)))
}

fn warn_of(problems: &[Problem]) {
    for Problem { path, reason } in problems {
        warn!(path = %path.display(), reason, "passed over");
    }
}

/// A folder of which not one file could be read is a mistake worth stopping for.
fn check_readable(library: &Library, paths: &[PathBuf]) -> anyhow::Result<()> {
    let collection = library
        .collection(DEFAULT_COLLECTION)?
        .context("the default collection exists")?;
    if collection.counts.completed > 0 {
        return Ok(());
    }
    let failed = library.memberships(
        DEFAULT_COLLECTION,
        Some(library::Status::Failed),
        &Page::default(),
    )?;
    let reason = failed.data.iter().find_map(|file| {
        file.last_error
            .as_ref()
            .map(|error| (&file.filename, error))
    });
    let reason = reason
        .map(|(name, error)| format!(": {name}: {}", error.message))
        .unwrap_or_default();
    let paths = paths
        .iter()
        .map(|path| Path::display(path).to_string())
        .collect::<Vec<_>>()
        .join(", ");
    anyhow::bail!("none of the files under {paths} can be read{reason}")
}
