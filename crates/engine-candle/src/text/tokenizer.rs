//! Text to tokens exactly as Hugging Face's tokenizers would, except that control tokens come
//! from the template alone.

use candle_core::quantized::gguf_file::Content;
use engine::EngineError;
use tokenizers::normalizer::Range;
use tokenizers::{
    AddedToken, Encoding, Model, NormalizedString, Normalizer, OffsetType, PreTokenizedString,
    PreTokenizer, Token, Tokenizer,
};

use super::controls::{Controls, Cut};
use super::gguf_tokenizer::{self, Rebuilt};
use super::ranged::Ranged;
use super::sentence_piece::SentencePiece;
use super::token_bytes::token_bytes;
use crate::LoadError;

/// A model's vocabulary and the rules for splitting text into it.
pub(crate) struct ModelTokenizer {
    rules: Rules,
    controls: Controls,
    unknown: Option<u32>,
}

/// How text becomes tokens.
enum Rules {
    HuggingFace(Box<Tokenizer>),
    SentencePiece(SentencePiece),
}

/// What one token stands for.
#[cfg(feature = "encoders")]
pub(crate) struct TextPiece {
    /// As written.
    pub(crate) text: String,
    /// The vocabulary holds it whole.
    pub(crate) known: bool,
}

type TokenizersResult<T> = tokenizers::Result<T>;

impl ModelTokenizer {
    /// Reads a `tokenizer.json`.
    pub(crate) fn from_json(bytes: &[u8]) -> Result<Self, LoadError> {
        let tokenizer = Tokenizer::from_bytes(bytes);
        let tokenizer = tokenizer.map_err(|error| LoadError::Tokenizer(error.to_string()))?;
        Self::from_hugging_face(Box::new(tokenizer))
    }

    /// Rebuilds the tokenizer from the metadata of a GGUF file, where that is sure to be right.
    pub(crate) fn from_gguf(content: &Content) -> Result<Self, LoadError> {
        match gguf_tokenizer::rebuild(content)? {
            Rebuilt::HuggingFace(tokenizer) => Self::from_hugging_face(tokenizer),
            Rebuilt::SentencePiece(pieces, added) => Self::new(Rules::SentencePiece(pieces), added),
        }
    }

    fn from_hugging_face(mut tokenizer: Box<Tokenizer>) -> Result<Self, LoadError> {
        // Cutting a prompt short silently is never right here.
        let untruncated = tokenizer.with_truncation(None).map(|_| ());
        untruncated.map_err(|error| LoadError::Tokenizer(error.to_string()))?;
        let added = tokenizer.get_added_tokens_decoder().into_iter().collect();
        Self::new(Rules::HuggingFace(tokenizer), added)
    }

    fn new(rules: Rules, added: Vec<(u32, AddedToken)>) -> Result<Self, LoadError> {
        let unknown = ["<unk>", "[UNK]"]
            .into_iter()
            .find_map(|name| rules.id(name));
        Ok(Self {
            controls: Controls::new(added)?,
            rules,
            unknown,
        })
    }

    /// The largest id a text can give.
    pub(crate) fn largest_id(&self) -> u32 {
        match &self.rules {
            Rules::HuggingFace(tokenizer) => {
                let ids = tokenizer.get_vocab(true).into_values();
                ids.max().unwrap_or(0)
            }
            Rules::SentencePiece(pieces) => pieces.largest_id(),
        }
    }

    /// The id of the token with this name.
    pub(crate) fn id(&self, name: &str) -> Option<u32> {
        self.rules.id(name)
    }

    /// Content that spells no control token, for a template to place.
    pub(crate) fn protect(&self, content: &str) -> String {
        self.controls.protect(content)
    }

    /// The tokens of what a template rendered from protected content.
    pub(crate) fn encode_rendered(&self, rendered: &str) -> Result<Vec<u32>, EngineError> {
        let (text, cuts) = self.controls.cut(rendered);
        match &self.rules {
            Rules::HuggingFace(tokenizer) => self
                .encode(tokenizer, &text, &cuts, OffsetType::None)
                .map(|encoding| encoding.get_ids().to_vec())
                .map_err(failed),
            // Control tokens are no pieces that merging could make.
            Rules::SentencePiece(pieces) => {
                let tokens = pieces.encode(&text, &cuts).into_iter();
                Ok(tokens.map(|(id, _)| id).collect())
            }
        }
    }

    /// The same, with the text that the tokens are of.
    pub(crate) fn encode_ranged(&self, rendered: &str) -> Result<Ranged, EngineError> {
        let (text, cuts) = self.controls.cut(rendered);
        let (ids, ranges) = match &self.rules {
            Rules::HuggingFace(tokenizer) => {
                let encoding = self.encode(tokenizer, &text, &cuts, OffsetType::Byte);
                let encoding = encoding.map_err(failed)?;
                let ranges = encoding
                    .get_offsets()
                    .iter()
                    .map(|&(start, end)| start..end);
                (encoding.get_ids().to_vec(), ranges.collect())
            }
            Rules::SentencePiece(pieces) => pieces.encode(&text, &cuts).into_iter().unzip(),
        };
        Ok(Ranged::new(text, ids, ranges))
    }

    /// What the vocabulary calls a token; empty if it has none of this id.
    pub(crate) fn name(&self, id: u32) -> String {
        match &self.rules {
            Rules::HuggingFace(tokenizer) => tokenizer.id_to_token(id).unwrap_or_default(),
            Rules::SentencePiece(pieces) => pieces.name(id).to_owned(),
        }
    }

    /// The bytes that a token adds to the text; none if it is special or unknown.
    pub(crate) fn bytes(&self, id: u32) -> Vec<u8> {
        if let Some(added) = self.controls.added(id) {
            return match added.special {
                true => Vec::new(),
                false => added.content.clone().into_bytes(),
            };
        }
        match &self.rules {
            Rules::HuggingFace(tokenizer) => token_bytes(&self.name(id), tokenizer.get_decoder()),
            Rules::SentencePiece(pieces) => pieces.bytes(id),
        }
    }

    /// The text of generated tokens, without special ones.
    pub(crate) fn decode(&self, ids: &[u32]) -> Result<String, EngineError> {
        let skip_special_tokens = true;
        match &self.rules {
            Rules::HuggingFace(tokenizer) => {
                tokenizer.decode(ids, skip_special_tokens).map_err(failed)
            }
            Rules::SentencePiece(pieces) => Ok(pieces.decode(ids)),
        }
    }

    /// The parts of a text that its tokens stand for, in order, without looking for control tokens.
    /// A token that is only a part of a character, such as a byte of it, is not known.
    #[cfg(feature = "encoders")]
    pub(crate) fn pieces(&self, text: &str) -> Vec<TextPiece> {
        // Encoders come with a `tokenizer.json`.
        let Rules::HuggingFace(tokenizer) = &self.rules else {
            return Vec::new();
        };
        let Ok(encoding) = tokenizer.encode_char_offsets(text, false) else {
            return Vec::new();
        };
        let characters = text.chars().collect::<Vec<_>>();
        let ranges = encoding.get_offsets();
        let overlap = |one: usize, other: Option<usize>| {
            let other = other.and_then(|other| ranges.get(other));
            other.is_some_and(|&(start, end)| start < ranges[one].1 && ranges[one].0 < end)
        };
        let piece = |(index, id): (usize, &u32)| {
            let (start, end) = ranges[index];
            let is_part = overlap(index, Some(index + 1)) || overlap(index, index.checked_sub(1));
            TextPiece {
                text: characters[start..end].iter().collect(),
                known: self.unknown != Some(*id) && !is_part,
            }
        };
        encoding.get_ids().iter().enumerate().map(piece).collect()
    }

    /// The steps of `Tokenizer::encode`, with our cuts in place of its search for added tokens,
    /// and without a post-processor: what goes around a prompt is the template's business.
    fn encode(
        &self,
        tokenizer: &Tokenizer,
        text: &str,
        cuts: &[Cut],
        offsets: OffsetType,
    ) -> TokenizersResult<Encoding> {
        let mut pieces = PreTokenizedString::from(text);
        pieces.split(|_, whole| Ok(split(&whole, cuts)))?;
        if let Some(normalizer) = tokenizer.get_normalizer() {
            pieces.normalize(|piece| normalizer.normalize(piece))?;
        }
        if let Some(pre_tokenizer) = tokenizer.get_pre_tokenizer() {
            pre_tokenizer.pre_tokenize(&mut pieces)?;
        }
        pieces.tokenize(|piece| self.encode_word(tokenizer, piece.get()))?;
        pieces.into_encoding(None, 0, offsets)
    }

    /// Some vocabularies can spell a control token out of ordinary characters. Such a word is
    /// spelt character by character.
    fn encode_word(&self, tokenizer: &Tokenizer, word: &str) -> TokenizersResult<Vec<Token>> {
        let model = tokenizer.get_model();
        let tokens = model.tokenize(word)?;
        if !tokens.iter().any(|token| self.is_forbidden(token.id)) {
            return Ok(tokens);
        }
        let mut spelt = Vec::new();
        for character in word.chars() {
            spelt.extend(model.tokenize(character.encode_utf8(&mut [0; 4]))?);
        }
        spelt.retain(|token| !self.is_forbidden(token.id));
        Ok(spelt)
    }

    fn is_forbidden(&self, id: u32) -> bool {
        self.controls.is_control(id) && self.unknown != Some(id)
    }
}

impl Rules {
    fn id(&self, name: &str) -> Option<u32> {
        match self {
            Self::HuggingFace(tokenizer) => tokenizer.token_to_id(name),
            Self::SentencePiece(pieces) => pieces.id(name),
        }
    }
}

fn failed(error: tokenizers::Error) -> EngineError {
    EngineError::Failed(format!("the tokenizer: {error}"))
}

type Piece = (NormalizedString, Option<Vec<Token>>);

/// The text between the cuts, and each cut as one token.
fn split(whole: &NormalizedString, cuts: &[Cut]) -> Vec<Piece> {
    let slice = |range| {
        whole
            .slice(Range::Original(range))
            .expect("cuts are at boundaries of characters")
    };
    let mut pieces = Vec::new();
    let mut end = 0;
    for Cut { range, id } in cuts {
        pieces.push((slice(end..range.start), None));
        let token = slice(range.clone());
        let value = token.get().to_owned();
        let offsets = (0, value.len());
        pieces.push((token, Some(vec![Token::new(*id, value, offsets)])));
        end = range.end;
    }
    pieces.push((slice(end..whole.len_original()), None));
    pieces.retain(|(piece, _)| !piece.is_empty());
    pieces
}
