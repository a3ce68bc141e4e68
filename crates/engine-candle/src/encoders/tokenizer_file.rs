//! Tokenizers in use. Models that have the same one share it: it takes as much memory as the weights
//! of a small model, and as long to read.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokenizers::processors::PostProcessorWrapper;

use crate::LoadError;
use crate::text::ModelTokenizer;

/// Those in use, by the digests of their files.
static IN_USE: Mutex<Vec<([u8; 32], Weak<TokenizerFile>)>> = Mutex::new(Vec::new());

/// A tokenizer together with its post-processor, which puts tokens such as `[CLS]` around texts.
pub(super) struct TokenizerFile {
    pub(super) tokenizer: ModelTokenizer,
    pub(super) post_processor: Option<PostProcessorWrapper>,
    /// The largest token that a text can have.
    pub(super) largest_id: u32,
}

/// What is read of `tokenizer.json` beside the tokenizer itself.
#[derive(Deserialize)]
struct Further {
    post_processor: Option<PostProcessorWrapper>,
}

impl TokenizerFile {
    /// What this `tokenizer.json` says, which is parsed unless the same is in use already.
    pub(super) fn of(json: &[u8]) -> Result<Arc<Self>, LoadError> {
        let digest = Sha256::digest(json).into();
        let mut in_use = IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
        in_use.retain(|(_, file)| file.strong_count() > 0);
        let same = in_use.iter().find(|(known, _)| *known == digest);
        if let Some(file) = same.and_then(|(_, file)| file.upgrade()) {
            return Ok(file);
        }
        let file = Arc::new(Self::parse(json)?);
        in_use.push((digest, Arc::downgrade(&file)));
        Ok(file)
    }

    fn parse(json: &[u8]) -> Result<Self, LoadError> {
        let further = serde_json::from_slice::<Further>(json);
        let further = further.map_err(|error| LoadError::Tokenizer(error.to_string()))?;
        let tokenizer = ModelTokenizer::from_json(json)?;
        Ok(Self {
            largest_id: tokenizer.largest_id(),
            tokenizer,
            post_processor: further.post_processor,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tokenizer of one word.
    fn of_word(word: &str) -> Vec<u8> {
        let vocab = format!(r#"{{"[UNK]": 0, "{word}": 1}}"#);
        let model = format!(r#"{{"type": "WordLevel", "unk_token": "[UNK]", "vocab": {vocab}}}"#);
        format!(r#"{{"version": "1.0", "added_tokens": [], "model": {model}}}"#).into_bytes()
    }

    #[test]
    fn the_same_file_is_in_memory_once_while_it_is_in_use() {
        let once = TokenizerFile::of(&of_word("once")).expect("a tokenizer");
        let again = TokenizerFile::of(&of_word("once")).expect("a tokenizer");
        assert!(Arc::ptr_eq(&once, &again));
        let other = TokenizerFile::of(&of_word("other")).expect("a tokenizer");
        assert!(!Arc::ptr_eq(&once, &other));

        let kept = Arc::downgrade(&once);
        drop((once, again));
        assert!(kept.upgrade().is_none(), "nobody uses it any more");
        TokenizerFile::of(&of_word("once")).expect("it is parsed anew");
    }

    #[test]
    fn a_damaged_file_is_refused_each_time() {
        for _ in 0..2 {
            assert!(matches!(
                TokenizerFile::of(b"{"),
                Err(LoadError::Tokenizer(_))
            ));
        }
    }
}
