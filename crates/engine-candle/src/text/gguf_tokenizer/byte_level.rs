//! `gpt2`: byte pair encoding over bytes that are written as characters.

use std::collections::HashSet;

use tokenizers::decoders::byte_level::ByteLevel;
use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::normalizers::unicode::NFC;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{SplitDelimiterBehavior, Tokenizer};

use super::metadata::{Metadata, Vocabulary};
use super::pre_tokenizers::{self, Rules};
use super::refused;
use crate::LoadError;

pub(super) fn rebuild(
    metadata: &Metadata<'_>,
    vocabulary: &Vocabulary,
) -> Result<Tokenizer, LoadError> {
    let name = metadata.string("tokenizer.ggml.pre").unwrap_or_default();
    let rules = pre_tokenizers::find(name).ok_or_else(|| {
        refused(match name {
            "" => "the file names no pre-tokenizer (tokenizer.ggml.pre)".to_owned(),
            _ => format!("the pre-tokenizer is {name:?}"),
        })
    })?;
    let merges = metadata.strings("tokenizer.ggml.merges");
    let merges = merges.ok_or_else(|| refused("the file holds no merges".into()))?;
    let failed = |error: tokenizers::Error| LoadError::Tokenizer(error.to_string());
    let model = BPE::builder()
        .vocab_and_merges(vocab(vocabulary), known_merges(vocabulary, merges))
        .ignore_merges(rules.ignore_merges)
        .build()
        .map_err(failed)?;
    let mut tokenizer = Tokenizer::new(model);
    tokenizer.with_pre_tokenizer(Some(pre_tokenizer(rules)?));
    tokenizer.with_decoder(Some(ByteLevel::default()));
    if rules.composes {
        tokenizer.with_normalizer(Some(NFC)).map_err(failed)?;
    }
    Ok(tokenizer)
}

fn vocab(vocabulary: &Vocabulary) -> Vocab {
    let tokens = vocabulary.iter();
    tokens.map(|(token, id)| (token.to_owned(), id)).collect()
}

/// Merges of tokens that there are. A few files hold others, which never apply.
fn known_merges(vocabulary: &Vocabulary, merges: Vec<&str>) -> Vec<(String, String)> {
    let tokens = vocabulary.tokens.iter().map(String::as_str);
    let tokens = tokens.collect::<HashSet<_>>();
    let known = |first: &str, second: &str| {
        let merged = [first, second].concat();
        [first, second, &merged]
            .into_iter()
            .all(|token| tokens.contains(token))
    };
    merges
        .into_iter()
        .filter_map(|merge| merge.split_once(' '))
        .filter(|(first, second)| known(first, second))
        .map(|(first, second)| (first.to_owned(), second.to_owned()))
        .collect()
}

/// One split after the other, each within the pieces of those before, then bytes to characters.
fn pre_tokenizer(rules: &Rules) -> Result<Sequence, LoadError> {
    let splits = rules.patterns.iter().map(|pattern| {
        let pattern = SplitPattern::Regex((*pattern).to_owned());
        let split = Split::new(pattern, SplitDelimiterBehavior::Isolated, false);
        split
            .map(PreTokenizerWrapper::Split)
            .map_err(|error| LoadError::Tokenizer(error.to_string()))
    });
    let mut steps = splits.collect::<Result<Vec<_>, _>>()?;
    let (prefix_space, offsets, words) = (false, true, false);
    let bytes = ByteLevel::new(prefix_space, offsets, words);
    steps.push(PreTokenizerWrapper::ByteLevel(bytes));
    Ok(Sequence::new(steps))
}
