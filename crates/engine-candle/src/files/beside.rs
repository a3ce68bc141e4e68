//! What may lie beside a model's own files, in its folder or with them inside the program.

use std::borrow::Cow;

use serde_json::Value;

use super::blob::Blob;
use super::folder::read_at_most;
use super::{EmbeddedModel, ModelSource, parsed};
use crate::LoadError;

/// No JSON file beside a model is larger.
const LARGEST_JSON: u64 = 1 << 20;

impl ModelSource {
    /// A JSON file, or null when there is none.
    pub(crate) fn json_beside(&self, name: &str) -> Result<Value, LoadError> {
        let (file, bytes) = match self {
            Self::Path(folder) => {
                let path = folder.join(name);
                let bytes = read_at_most(&path, LARGEST_JSON)?;
                (path.display().to_string(), bytes.map(Cow::Owned))
            }
            Self::Embedded(model) => {
                let bytes = model.other(name).map(Cow::Borrowed);
                (format!("the built-in {name}"), bytes)
            }
        };
        match bytes {
            Some(bytes) => parsed(&file, &bytes),
            None => Ok(Value::Null),
        }
    }

    /// A file of any size, which must be there.
    pub(super) fn blob_beside(&self, name: &str) -> Result<Blob, LoadError> {
        match self {
            Self::Path(folder) => Blob::file(&folder.join(name)),
            Self::Embedded(model) => {
                let missing = || LoadError::Missing(format!("there is no built-in {name}"));
                let bytes = model.other(name).ok_or_else(missing)?;
                Ok(Blob::embedded(&format!("the built-in {name}"), bytes))
            }
        }
    }
}

impl EmbeddedModel {
    fn other(&self, path: &str) -> Option<&'static [u8]> {
        let found = self.others.iter().find(|(name, _)| *name == path);
        found.map(|(_, bytes)| *bytes)
    }
}
