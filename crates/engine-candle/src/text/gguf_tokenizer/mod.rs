//! Tokenizers rebuilt from what a GGUF file says of them.
//!
//! Converters to GGUF keep the vocabulary, the type and score of each token and a name for the
//! rules, not the rules. What is not sure to be right is refused by name: a model whose text is
//! split wrongly answers a little worse and never says why.

mod byte_level;
mod metadata;
mod pre_tokenizers;
mod sentence_piece;
mod unigram;
mod word_piece;

use candle_core::quantized::gguf_file::Content;
use tokenizers::{AddedToken, Tokenizer};

use super::controls::looks_like_markup;
use super::sentence_piece::SentencePiece;
use crate::LoadError;
use metadata::{Kind, Metadata, Vocabulary};

/// A rebuilt tokenizer.
pub(crate) enum Rebuilt {
    /// As the parts of Hugging Face's library. Tokens that stand for themselves are added to it.
    HuggingFace(Box<Tokenizer>),
    /// Pieces that are merged by their scores, and the tokens that stand for themselves.
    SentencePiece(SentencePiece, Vec<(u32, AddedToken)>),
}

/// Rebuilds the tokenizer.
pub(crate) fn rebuild(content: &Content) -> Result<Rebuilt, LoadError> {
    let metadata = Metadata(content);
    let model = metadata.string("tokenizer.ggml.model").unwrap_or_default();
    let vocabulary = Vocabulary::read(&metadata)?;
    let tokenizer = match model {
        "gpt2" => byte_level::rebuild(&metadata, &vocabulary)?,
        "t5" => unigram::rebuild(&metadata, &vocabulary)?,
        "bert" => word_piece::rebuild(&metadata, &vocabulary)?,
        "llama" => {
            let pieces = sentence_piece::rebuild(&metadata, &vocabulary);
            let added = added_tokens(&metadata, &vocabulary);
            return Ok(Rebuilt::SentencePiece(pieces, added));
        }
        other => {
            return Err(refused(format!(
                "the vocabulary is of the kind {other:?} (there are gpt2, llama, t5 and bert)"
            )));
        }
    };
    Ok(Rebuilt::HuggingFace(Box::new(with_added_tokens(
        tokenizer,
        &metadata,
        &vocabulary,
    )?)))
}

/// Hugging Face's library finds the id of an added token by its name, which is in the vocabulary.
fn with_added_tokens(
    mut tokenizer: Tokenizer,
    metadata: &Metadata<'_>,
    vocabulary: &Vocabulary,
) -> Result<Tokenizer, LoadError> {
    let added = added_tokens(metadata, vocabulary).into_iter();
    let (special, plain) = added
        .map(|(_, token)| token)
        .partition::<Vec<_>, _>(|token| token.special);
    let failed = |error: tokenizers::Error| LoadError::Tokenizer(error.to_string());
    tokenizer.add_special_tokens(special).map_err(failed)?;
    tokenizer.add_tokens(plain).map_err(failed)?;
    Ok(tokenizer)
}

/// Tokens that are found in a text before it is split: those that steer the model, and what its
/// makers wanted to be one token wherever it stands.
fn added_tokens(metadata: &Metadata<'_>, vocabulary: &Vocabulary) -> Vec<(u32, AddedToken)> {
    let steering = metadata.steering_ids();
    let takes_blanks = takes_blanks_after_it(metadata);
    let ids = (0..).zip(&vocabulary.tokens).zip(&vocabulary.kinds);
    ids.filter_map(|((id, name), kind)| {
        let special = match kind {
            Kind::Control | Kind::Unknown => true,
            Kind::Normal | Kind::UserDefined if steering.contains(&id) => true,
            Kind::UserDefined => looks_like_markup(name),
            _ => return None,
        };
        let token = AddedToken::from(name.clone(), special).normalized(false);
        Some((id, token.rstrip(special && takes_blanks(name))))
    })
    .collect()
}

/// Phi-3's markers take the line break that its template writes after them; the file does not
/// say so, and llama.cpp tells by the model's name as well.
fn takes_blanks_after_it(metadata: &Metadata<'_>) -> impl Fn(&str) -> bool {
    let name = metadata.string("general.name").unwrap_or_default();
    let name = name.to_lowercase();
    let is_phi_3 = name.contains("phi-3") || name.contains("phi3");
    move |token| is_phi_3 && !["<unk>", "<s>", "<|endoftext|>"].contains(&token)
}

/// A tokenizer that cannot be rebuilt.
fn refused(reason: String) -> LoadError {
    LoadError::Tokenizer(format!(
        "{reason}, which cannot be rebuilt from GGUF exactly; put the model's tokenizer.json \
         beside the file"
    ))
}
