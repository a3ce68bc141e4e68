//! `bert`: the longest pieces first, word by word.

use tokenizers::Tokenizer;
use tokenizers::decoders::wordpiece::WordPiece as WordPieceDecoder;
use tokenizers::models::bpe::Vocab;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::bert::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;

use super::metadata::{Kind, Metadata, Vocabulary};
use super::refused;
use crate::LoadError;

/// What BERT's own vocabulary writes before a piece that goes on with a word. GGUF marks the
/// pieces that begin one instead.
const GOES_ON: &str = "##";
const BEGINS: char = '▁';

pub(super) fn rebuild(
    metadata: &Metadata<'_>,
    vocabulary: &Vocabulary,
) -> Result<Tokenizer, LoadError> {
    let failed = |error: tokenizers::Error| LoadError::Tokenizer(error.to_string());
    let unknown = metadata
        .id("tokenizer.ggml.unknown_token_id")
        .unwrap_or(100);
    let unknown = vocabulary.tokens.get(unknown as usize);
    let unknown =
        unknown.ok_or_else(|| refused("the unknown token is not in the vocabulary".into()))?;
    let model = WordPiece::builder()
        .vocab(vocab(vocabulary))
        .unk_token(unknown.clone())
        .continuing_subword_prefix(GOES_ON.into())
        .build()
        .map_err(failed)?;
    let mut tokenizer = Tokenizer::new(model);
    let flag = |name| metadata.flag(&format!("tokenizer.ggml.normalizer.{name}"));
    let lowercase = flag("lowercase").unwrap_or(true);
    let strip_accents = flag("strip_accents").unwrap_or(lowercase);
    let (clean_text, handle_chinese_chars) = (true, true);
    let normalizer = BertNormalizer::new(
        clean_text,
        handle_chinese_chars,
        Some(strip_accents),
        lowercase,
    );
    tokenizer
        .with_normalizer(Some(normalizer))
        .map_err(failed)?;
    tokenizer.with_pre_tokenizer(Some(BertPreTokenizer));
    let cleanup = false;
    tokenizer.with_decoder(Some(WordPieceDecoder::new(GOES_ON.into(), cleanup)));
    Ok(tokenizer)
}

fn vocab(vocabulary: &Vocabulary) -> Vocab {
    let pieces = vocabulary.iter().zip(&vocabulary.kinds);
    pieces
        .map(
            |((piece, id), kind)| match (kind, piece.strip_prefix(BEGINS)) {
                (Kind::Control | Kind::Unknown, _) => (piece.to_owned(), id),
                (_, Some(word)) if !word.is_empty() => (word.to_owned(), id),
                _ => (format!("{GOES_ON}{piece}"), id),
            },
        )
        .collect()
}
