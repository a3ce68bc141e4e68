//! What the user notes about a document of a collection, for filtering.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::LibraryError;

const MAX_PAIRS: usize = 16;
const MAX_KEY_CHARS: usize = 64;
const MAX_VALUE_CHARS: usize = 512;

/// At most 16 pairs; keys of 1..=64 characters, strings of at most 512: OpenAI's limits.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Attributes(BTreeMap<String, AttributeValue>);

/// One value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AttributeValue {
    /// `true` or `false`.
    Bool(bool),
    /// A whole or decimal number.
    Number(serde_json::Number),
    /// A text.
    String(String),
}

impl Attributes {
    /// Checks the limits; [`LibraryError::Invalid`] names the one that is broken.
    pub fn new(pairs: BTreeMap<String, AttributeValue>) -> Result<Attributes, LibraryError> {
        if pairs.len() > MAX_PAIRS {
            return Err(invalid(format!(
                "there may be at most {MAX_PAIRS} attributes"
            )));
        }
        for (key, value) in &pairs {
            check_pair(key, value)?;
        }
        Ok(Attributes(pairs))
    }

    /// The pairs, ordered by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &AttributeValue)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&AttributeValue> {
        self.0.get(key)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads what `serde_json` made of valid attributes.
    pub(crate) fn from_stored(json: &str) -> Result<Attributes, LibraryError> {
        Ok(Attributes(serde_json::from_str(json)?))
    }
}

fn check_pair(key: &str, value: &AttributeValue) -> Result<(), LibraryError> {
    let key_chars = key.chars().count();
    if key_chars == 0 || key_chars > MAX_KEY_CHARS {
        return Err(invalid(format!(
            "the key of an attribute has 1 to {MAX_KEY_CHARS} characters"
        )));
    }
    match value {
        AttributeValue::String(text) if text.chars().count() > MAX_VALUE_CHARS => Err(invalid(
            format!("the attribute `{key}` has more than {MAX_VALUE_CHARS} characters"),
        )),
        _ => Ok(()),
    }
}

fn invalid(message: String) -> LibraryError {
    LibraryError::Invalid {
        param: "attributes",
        message,
    }
}
