//! `t5`: SentencePiece's unigram model, which takes the likeliest of all ways to split a text.

use tokenizers::Tokenizer;
use tokenizers::models::unigram::Unigram;
use tokenizers::normalizers::precompiled::Precompiled;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::metaspace::{Metaspace, PrependScheme};
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::whitespace::WhitespaceSplit;

use super::metadata::{Kind, Metadata, Vocabulary};
use super::refused;
use crate::LoadError;

pub(super) fn rebuild(
    metadata: &Metadata<'_>,
    vocabulary: &Vocabulary,
) -> Result<Tokenizer, LoadError> {
    let failed = |error: tokenizers::Error| LoadError::Tokenizer(error.to_string());
    let unknown = metadata.id("tokenizer.ggml.unknown_token_id").unwrap_or(2) as usize;
    if unknown >= vocabulary.tokens.len() {
        return Err(refused("the unknown token is not in the vocabulary".into()));
    }
    let has_bytes = vocabulary.kinds.contains(&Kind::Byte);
    let model = Unigram::from(pieces(vocabulary), Some(unknown), has_bytes).map_err(failed)?;
    let mut tokenizer = Tokenizer::new(model);
    if let Some(map) = character_map(metadata) {
        let map = Precompiled::from(&map);
        let map =
            map.map_err(|error| refused(format!("the map of characters is damaged ({error})")))?;
        tokenizer.with_normalizer(Some(map)).map_err(failed)?;
    }
    let metaspace = metaspace(metadata);
    tokenizer.with_decoder(Some(metaspace.clone()));
    let mut steps = Vec::new();
    if metadata.flag("tokenizer.ggml.remove_extra_whitespaces") != Some(false) {
        steps.push(PreTokenizerWrapper::WhitespaceSplit(WhitespaceSplit));
    }
    steps.push(PreTokenizerWrapper::Metaspace(metaspace));
    tokenizer.with_pre_tokenizer(Some(Sequence::new(steps)));
    Ok(tokenizer)
}

/// Each piece and its score. Tokens that are no pieces of text score as low as the rarest piece,
/// so that they are never the likeliest and do not count in what an unknown character costs.
fn pieces(vocabulary: &Vocabulary) -> Vec<(String, f64)> {
    let normal = vocabulary.kinds.iter().zip(&vocabulary.scores);
    let normal = normal.filter(|(kind, _)| **kind == Kind::Normal);
    let lowest = normal.map(|(_, score)| *score).fold(0.0, f32::min);
    let scores = vocabulary.kinds.iter().zip(&vocabulary.scores);
    let scores = scores.map(|(kind, score)| match kind {
        Kind::Normal => f64::from(*score),
        _ => f64::from(lowest),
    });
    vocabulary.tokens.iter().cloned().zip(scores).collect()
}

fn metaspace(metadata: &Metadata<'_>) -> Metaspace {
    let prepend = match metadata.flag("tokenizer.ggml.add_space_prefix") {
        Some(false) => PrependScheme::Never,
        _ => PrependScheme::Always,
    };
    Metaspace::new('▁', prepend, true)
}

/// SentencePiece's table of characters and what they are written as.
fn character_map(metadata: &Metadata<'_>) -> Option<Vec<u8>> {
    let bytes = metadata.array("tokenizer.ggml.precompiled_charsmap")?;
    bytes
        .iter()
        .map(|byte| {
            byte.to_u8()
                .or_else(|_| byte.to_i8().map(|byte| byte as u8))
                .ok()
        })
        .collect()
}
