//! `hf:OWNER/NAME:FILE`, taken apart.

use std::path::{Path, PathBuf};

use anyhow::Context;

/// What a name begins with.
const PREFIX: &str = "hf:";

/// The path is a name in the hub.
pub(crate) fn is_name(path: &Path) -> bool {
    path.to_str().is_some_and(|name| name.starts_with(PREFIX))
}

/// A model of the hub, or one file of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HubName<'a> {
    pub(super) owner: &'a str,
    pub(super) name: &'a str,
    pub(super) file: Option<&'a str>,
}

impl<'a> HubName<'a> {
    /// # Errors
    ///
    /// When it is none. A name never leads out of the folder it stands for.
    pub(super) fn parse(name: &'a str) -> anyhow::Result<Self> {
        Self::parsed(name).with_context(|| {
            format!(
                "{name} is no name of a model; write {PREFIX}OWNER/NAME or {PREFIX}OWNER/NAME:FILE"
            )
        })
    }

    fn parsed(name: &'a str) -> Option<Self> {
        let rest = name.strip_prefix(PREFIX)?;
        let (model, file) = match rest.split_once(':') {
            Some((model, file)) => (model, Some(file)),
            None => (rest, None),
        };
        let (owner, name) = model.split_once('/')?;
        let good = is_part(owner) && is_part(name) && file.is_none_or(is_inside);
        good.then_some(Self { owner, name, file })
    }

    /// Where a cache keeps the model.
    pub(super) fn folder_in(&self, cache: &Path) -> PathBuf {
        cache.join(format!("models--{}--{}", self.owner, self.name))
    }
}

/// A path that stays below where it begins, and needs no encoding in a URL.
pub(super) fn is_inside(file: &str) -> bool {
    file.split('/').all(is_part)
}

fn is_part(part: &str) -> bool {
    let known = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
    !part.is_empty() && !part.starts_with('.') && part.chars().all(known)
}
