//! A model as it is named on the command line: by its path, or as `built-in`.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::bail;
use engine_candle::ModelSource;

use crate::config::BUILT_IN;
use crate::startup;

/// The path of a model, or the word for the one inside the program.
#[derive(Clone, Debug)]
pub(super) struct NamedModel(Option<PathBuf>);

impl From<OsString> for NamedModel {
    fn from(name: OsString) -> Self {
        Self((name != BUILT_IN).then(|| name.into()))
    }
}

impl NamedModel {
    /// The files to read.
    pub(super) fn source(&self) -> anyhow::Result<ModelSource> {
        match &self.0 {
            Some(path) if !startup::may_be_a_model(path) => bail!(
                "there is no {}: name a GGUF file, a Hugging Face folder, or {BUILT_IN}",
                path.display()
            ),
            path => startup::model_source(path.as_deref()),
        }
    }

    /// What to call the model in a line of output: the last part of its path.
    pub(super) fn name(&self) -> String {
        let last = self.0.as_deref().and_then(|path| path.file_name());
        last.map_or(bundled::NAME.to_owned(), |name| {
            name.to_string_lossy().into_owned()
        })
    }

    /// How the model was named, for messages.
    pub(super) fn as_given(&self) -> String {
        let path = self.0.as_ref();
        path.map_or("the built-in model".to_owned(), |path| {
            path.display().to_string()
        })
    }
}
