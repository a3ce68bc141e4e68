//! Texts and pairs of texts to the tokens an encoder reads.

use engine::EngineError;
use serde_json::Value;
use tokenizers::processors::PostProcessorWrapper;
use tokenizers::{Encoding, PostProcessor, Token};

use crate::LoadError;
use crate::text::ModelTokenizer;

/// A text as the model reads it.
pub(super) struct TokenSequence {
    /// Tokens, with those around the text.
    pub(super) ids: Vec<u32>,
    /// For each token 0, or 1 if it belongs to the second text of a pair and the model wants to
    /// know.
    pub(super) types: Vec<u32>,
}

/// A tokenizer together with its post-processor, which puts tokens such as `[CLS]` around texts.
///
/// As in prompts, a text is content: `[SEP]` written in it is five ordinary characters.
pub(super) struct Tokens {
    tokenizer: ModelTokenizer,
    post_processor: Option<PostProcessorWrapper>,
    most: usize,
}

/// No text that fits has on average more bytes for each token than this; what has more is
/// refused unread.
const MOST_BYTES_PER_TOKEN: usize = 32;

impl Tokens {
    /// Reads a `tokenizer.json`, for texts of at most `most` tokens.
    pub(super) fn from_json(json: &[u8], most: usize) -> Result<Self, LoadError> {
        let unusable = |error: serde_json::Error| LoadError::Tokenizer(error.to_string());
        let mut file = serde_json::from_slice::<Value>(json).map_err(unusable)?;
        let post_processor = file["post_processor"].take();
        Ok(Self {
            tokenizer: ModelTokenizer::from_json(json)?,
            post_processor: serde_json::from_value(post_processor).map_err(unusable)?,
            most,
        })
    }

    /// The largest token a text can have.
    pub(super) fn largest_id(&self) -> u32 {
        self.tokenizer.largest_id()
    }

    /// The tokens of a text.
    ///
    /// # Errors
    ///
    /// When they are too many, or none.
    pub(super) fn of_text(&self, text: &str) -> Result<TokenSequence, EngineError> {
        self.refuse_the_hopeless(text.len())?;
        self.checked(self.around(self.content(text)?, None)?)
    }

    /// The tokens of two texts that are read together.
    ///
    /// # Errors
    ///
    /// When they are too many, or none.
    pub(super) fn of_pair(&self, first: &str, second: &str) -> Result<TokenSequence, EngineError> {
        self.refuse_the_hopeless(first.len() + second.len())?;
        let second = self.content(second)?;
        self.checked(self.around(self.content(first)?, Some(second))?)
    }

    /// How many tokens a text is, however many that are.
    pub(super) fn count(&self, text: &str) -> Result<usize, EngineError> {
        let sequence = self.around(self.content(text)?, None)?;
        Ok(sequence.ids.len())
    }

    fn refuse_the_hopeless(&self, bytes: usize) -> Result<(), EngineError> {
        if bytes <= self.most.saturating_mul(MOST_BYTES_PER_TOKEN) {
            return Ok(());
        }
        // Counting exactly is the work that is refused; four bytes to a token is a usual text.
        Err(self.too_long(bytes / 4))
    }

    fn content(&self, text: &str) -> Result<Encoding, EngineError> {
        let protected = self.tokenizer.protect(text);
        let ids = self.tokenizer.encode_rendered(&protected)?;
        let nowhere = (0, 0);
        let tokens = ids
            .into_iter()
            .map(|id| Token::new(id, String::new(), nowhere));
        Ok(Encoding::from_tokens(tokens.collect(), 0))
    }

    fn around(
        &self,
        first: Encoding,
        second: Option<Encoding>,
    ) -> Result<TokenSequence, EngineError> {
        let encoding = match (&self.post_processor, second) {
            (Some(processor), second) => {
                let add_special_tokens = true;
                let processed = processor.process(first, second, add_special_tokens);
                processed.map_err(|error| EngineError::Failed(format!("the tokenizer: {error}")))?
            }
            (None, Some(second)) => Encoding::merge([first, second], false),
            (None, None) => first,
        };
        Ok(TokenSequence {
            ids: encoding.get_ids().to_vec(),
            types: encoding.get_type_ids().to_vec(),
        })
    }

    fn checked(&self, sequence: TokenSequence) -> Result<TokenSequence, EngineError> {
        if sequence.ids.is_empty() {
            return Err(EngineError::InvalidRequest {
                param: "input",
                message: "a text must have at least one token".into(),
            });
        }
        if sequence.ids.len() > self.most {
            return Err(self.too_long(sequence.ids.len()));
        }
        Ok(sequence)
    }

    fn too_long(&self, prompt: usize) -> EngineError {
        let context = self.most;
        EngineError::PromptTooLong { prompt, context }
    }
}
