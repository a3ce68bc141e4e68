//! Text to tokens exactly as Hugging Face's tokenizers would, except that control tokens come
//! from the template alone.

use candle_core::quantized::gguf_file::{Content, Value};
use candle_core::quantized::tokenizer::TokenizerFromGguf;
use engine::EngineError;
use tokenizers::normalizer::Range;
use tokenizers::{
    Model, NormalizedString, Normalizer, OffsetType, PreTokenizedString, PreTokenizer, Token,
    Tokenizer,
};

use super::controls::{Controls, Cut};
use crate::LoadError;

/// A model's vocabulary and the rules for splitting text into it.
pub(crate) struct ModelTokenizer {
    tokenizer: Tokenizer,
    controls: Controls,
    unknown: Option<u32>,
}

/// What llama.cpp calls the rules for splitting text into words, where candle's reading of them
/// is right: the name in the file, and the one that candle knows.
const PRE_TOKENIZERS: [(&str, &str); 3] = [
    ("qwen2", "qwen2"),
    ("llama-bpe", "llama3"),
    ("llama3", "llama3"),
];

type TokenizersResult<T> = tokenizers::Result<T>;

impl ModelTokenizer {
    /// Reads a `tokenizer.json`.
    pub(crate) fn from_json(bytes: &[u8]) -> Result<Self, LoadError> {
        let tokenizer = Tokenizer::from_bytes(bytes);
        Self::new(tokenizer.map_err(|error| LoadError::Tokenizer(error.to_string()))?)
    }

    /// Rebuilds the tokenizer from the metadata of a GGUF file, where that is sure to be right.
    pub(crate) fn from_gguf(content: &Content) -> Result<Self, LoadError> {
        let string = |key| match content.metadata.get(key) {
            Some(Value::String(value)) => value.as_str(),
            _ => "",
        };
        let model = string("tokenizer.ggml.model");
        let pre = string("tokenizer.ggml.pre");
        let known = PRE_TOKENIZERS.iter().find(|(name, _)| *name == pre);
        let Some((_, candle_name)) = known.filter(|_| model == "gpt2") else {
            return Err(LoadError::Tokenizer(format!(
                "cannot rebuild {model:?} with pre-tokenizer {pre:?} from GGUF exactly; put the \
                 model's tokenizer.json beside the file"
            )));
        };
        let mut metadata = content.metadata.clone();
        metadata.retain(|key, _| key.starts_with("tokenizer."));
        let name = Value::String((*candle_name).to_owned());
        metadata.insert("tokenizer.ggml.pre".into(), name);
        let llama = *candle_name == "llama3";
        metadata.insert("tokenizer.ggml.ignore_merges".into(), Value::Bool(llama));
        let content = Content {
            magic: content.magic,
            metadata,
            tensor_infos: Default::default(),
            tensor_data_offset: 0,
        };
        let tokenizer = <Tokenizer as TokenizerFromGguf>::from_gguf(&content);
        Self::new(tokenizer.map_err(|error| LoadError::Tokenizer(error.to_string()))?)
    }

    fn new(mut tokenizer: Tokenizer) -> Result<Self, LoadError> {
        // Cutting a prompt short silently is never right here.
        let untruncated = tokenizer.with_truncation(None).map(|_| ());
        untruncated.map_err(|error| LoadError::Tokenizer(error.to_string()))?;
        let added = tokenizer.get_added_tokens_decoder().into_iter().collect();
        let unknown = ["<unk>", "[UNK]"]
            .into_iter()
            .find_map(|name| tokenizer.token_to_id(name));
        Ok(Self {
            controls: Controls::new(added)?,
            tokenizer,
            unknown,
        })
    }

    /// The largest id a text can give.
    pub(crate) fn largest_id(&self) -> u32 {
        let ids = self.tokenizer.get_vocab(true).into_values();
        ids.max().unwrap_or(0)
    }

    /// The id of the token with this name.
    pub(crate) fn id(&self, name: &str) -> Option<u32> {
        self.tokenizer.token_to_id(name)
    }

    /// Content that spells no control token, for a template to place.
    pub(crate) fn protect(&self, content: &str) -> String {
        self.controls.protect(content)
    }

    /// The tokens of what a template rendered from protected content.
    pub(crate) fn encode_rendered(&self, rendered: &str) -> Result<Vec<u32>, EngineError> {
        let (text, cuts) = self.controls.cut(rendered);
        self.encode(&text, &cuts)
            .map_err(|error| EngineError::Failed(format!("the tokenizer: {error}")))
    }

    /// The text of generated tokens, without special ones.
    pub(crate) fn decode(&self, ids: &[u32]) -> Result<String, EngineError> {
        let skip_special_tokens = true;
        self.tokenizer
            .decode(ids, skip_special_tokens)
            .map_err(|error| EngineError::Failed(format!("the tokenizer: {error}")))
    }

    /// The steps of `Tokenizer::encode`, with our cuts in place of its search for added tokens,
    /// and without a post-processor: what goes around a prompt is the template's business.
    fn encode(&self, text: &str, cuts: &[Cut]) -> TokenizersResult<Vec<u32>> {
        let mut pieces = PreTokenizedString::from(text);
        pieces.split(|_, whole| Ok(split(&whole, cuts)))?;
        if let Some(normalizer) = self.tokenizer.get_normalizer() {
            pieces.normalize(|piece| normalizer.normalize(piece))?;
        }
        if let Some(pre_tokenizer) = self.tokenizer.get_pre_tokenizer() {
            pre_tokenizer.pre_tokenize(&mut pieces)?;
        }
        pieces.tokenize(|piece| self.encode_word(piece.get()))?;
        let encoding = pieces.into_encoding(None, 0, OffsetType::None)?;
        Ok(encoding.get_ids().to_vec())
    }

    /// Some vocabularies can spell a control token out of ordinary characters. Such a word is
    /// spelt character by character.
    fn encode_word(&self, word: &str) -> TokenizersResult<Vec<Token>> {
        let model = self.tokenizer.get_model();
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
