//! What a GGUF file says of its vocabulary.
//!
//! The keys: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>, "Tokenizer".

use std::collections::BTreeSet;

use candle_core::quantized::gguf_file::{Content, Value};

use super::refused;
use crate::LoadError;

/// The metadata of a GGUF file.
pub(super) struct Metadata<'a>(pub(super) &'a Content);

impl<'a> Metadata<'a> {
    pub(super) fn string(&self, key: &str) -> Option<&'a str> {
        self.0
            .metadata
            .get(key)?
            .to_string()
            .ok()
            .map(String::as_str)
    }

    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        self.0.metadata.get(key)?.to_bool().ok()
    }

    pub(super) fn id(&self, key: &str) -> Option<u32> {
        let value = self.0.metadata.get(key)?;
        whole_number(value).and_then(|id| u32::try_from(id).ok())
    }

    pub(super) fn array(&self, key: &str) -> Option<&'a [Value]> {
        match self.0.metadata.get(key)? {
            Value::Array(values) => Some(values),
            _ => None,
        }
    }

    pub(super) fn strings(&self, key: &str) -> Option<Vec<&'a str>> {
        let strings = self.array(key)?.iter();
        strings
            .map(|value| value.to_string().ok().map(String::as_str))
            .collect()
    }

    /// Tokens that the file gives a part to play: beginning and end, turns, padding, infilling.
    pub(super) fn steering_ids(&self) -> BTreeSet<u32> {
        let keys = self.0.metadata.keys();
        keys.filter(|key| key.starts_with("tokenizer.ggml.") && key.ends_with("_token_id"))
            .filter_map(|key| self.id(key))
            .collect()
    }
}

/// Tokens in the order of their ids.
pub(super) struct Vocabulary {
    /// Never empty texts.
    pub(super) tokens: Vec<String>,
    pub(super) kinds: Vec<Kind>,
    /// How much a piece is wanted; all 0 where the kind of vocabulary has none.
    pub(super) scores: Vec<f32>,
}

/// What a token is for: llama.cpp's token types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Normal,
    Unknown,
    Control,
    UserDefined,
    Unused,
    Byte,
}

impl Vocabulary {
    pub(super) fn read(metadata: &Metadata<'_>) -> Result<Self, LoadError> {
        let tokens = metadata.strings("tokenizer.ggml.tokens");
        let tokens = tokens.filter(|tokens| !tokens.is_empty());
        let tokens = tokens.ok_or_else(|| refused("the file holds no list of tokens".into()))?;
        let len = tokens.len();
        let kinds = match metadata.array("tokenizer.ggml.token_type") {
            Some(types) => types.iter().map(kind).collect(),
            None => vec![Kind::Normal; len],
        };
        let scores = match metadata.array("tokenizer.ggml.scores") {
            Some(scores) => scores.iter().map(score).collect(),
            None => vec![0.0; len],
        };
        if kinds.len() != len || scores.len() != len {
            let (kinds, scores) = (kinds.len(), scores.len());
            return Err(refused(format!(
                "the file has {len} tokens, {kinds} types and {scores} scores"
            )));
        }
        let named = tokens
            .into_iter()
            .enumerate()
            .map(|(id, token)| match token {
                // llama.cpp gives nameless tokens this name.
                "" => format!("[EMPTY_{id}]"),
                token => token.to_owned(),
            });
        Ok(Self {
            tokens: named.collect(),
            kinds,
            scores,
        })
    }

    /// Each token's text and id.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, u32)> {
        self.tokens.iter().map(String::as_str).zip(0..)
    }
}

fn kind(value: &Value) -> Kind {
    match whole_number(value) {
        Some(2) => Kind::Unknown,
        Some(3) => Kind::Control,
        Some(4) => Kind::UserDefined,
        Some(5) => Kind::Unused,
        Some(6) => Kind::Byte,
        _ => Kind::Normal,
    }
}

fn score(value: &Value) -> f32 {
    match value {
        Value::F32(score) => *score,
        other => whole_number(other).map_or(0.0, |score| score as f32),
    }
}

fn whole_number(value: &Value) -> Option<i64> {
    match value {
        Value::I8(n) => Some(i64::from(*n)),
        Value::I16(n) => Some(i64::from(*n)),
        Value::I32(n) => Some(i64::from(*n)),
        Value::I64(n) => Some(*n),
        Value::U8(n) => Some(i64::from(*n)),
        Value::U16(n) => Some(i64::from(*n)),
        Value::U32(n) => Some(i64::from(*n)),
        Value::U64(n) => i64::try_from(*n).ok(),
        _ => None,
    }
}
