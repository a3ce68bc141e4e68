//! Texts and pairs of texts to the tokens an encoder reads.

use std::sync::Arc;

use engine::EngineError;
use tokenizers::{Encoding, PostProcessor, Token};

use super::tokenizer_file::TokenizerFile;
use crate::LoadError;

/// A text as the model reads it.
pub(super) struct TokenSequence {
    /// Tokens, with those around the text.
    pub(super) ids: Vec<u32>,
    /// For each token 0, or 1 if it belongs to the second text of a pair and the model wants to
    /// know.
    pub(super) types: Vec<u32>,
}

/// The tokenizer of a model, for texts of a bounded length.
///
/// As in prompts, a text is content: `[SEP]` written in it is five ordinary characters.
pub(super) struct Tokens {
    file: Arc<TokenizerFile>,
    most: usize,
}

/// No text that fits has on average more bytes for each token than this; what has more is
/// refused unread.
const MOST_BYTES_PER_TOKEN: usize = 32;

impl Tokens {
    /// Reads a `tokenizer.json`, for texts of at most `most` tokens.
    pub(super) fn from_json(json: &[u8], most: usize) -> Result<Self, LoadError> {
        let file = TokenizerFile::of(json)?;
        Ok(Self { file, most })
    }

    /// The largest token a text can have.
    pub(super) fn largest_id(&self) -> u32 {
        self.file.largest_id
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

    /// The tokens of a text that comes as tokens, behind those of a prefix.
    ///
    /// # Errors
    ///
    /// When they are too many or none, or when the model does not know one.
    pub(super) fn of_tokens(
        &self,
        prefix: &[u32],
        tokens: &[u32],
    ) -> Result<TokenSequence, EngineError> {
        if tokens.len() > self.most {
            return Err(self.too_long(tokens.len()));
        }
        if let Some(token) = tokens.iter().find(|&&token| token > self.file.largest_id) {
            return Err(EngineError::InvalidRequest {
                param: "input",
                message: format!("the model has no token {token}; send the text itself"),
            });
        }
        let ids = [prefix, tokens].concat();
        self.checked(self.around(untold(ids), None)?)
    }

    /// The tokens of a text, without those around it.
    pub(super) fn content_of(&self, text: &str) -> Result<Vec<u32>, EngineError> {
        Ok(self.content(text)?.get_ids().to_vec())
    }

    /// The share of the letters and digits of `text` that are in known pieces of two characters
    /// or more. Syllables and ideographs count alone, because many models read them one by one.
    pub(super) fn coverage(&self, text: &str) -> f32 {
        let (mut covered, mut all) = (0, 0);
        for piece in self.file.tokenizer.pieces(text) {
            let written = piece.text.chars().filter(|char| char.is_alphanumeric());
            let (count, whole) = written.fold((0, 0), |(count, whole), char| {
                (count + 1, whole + usize::from(says_much_alone(char)))
            });
            all += count;
            if piece.known {
                covered += if count > 1 { count } else { whole };
            }
        }
        match all {
            0 => 1.0,
            _ => covered as f32 / all as f32,
        }
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
        let protected = self.file.tokenizer.protect(text);
        Ok(untold(self.file.tokenizer.encode_rendered(&protected)?))
    }

    fn around(
        &self,
        first: Encoding,
        second: Option<Encoding>,
    ) -> Result<TokenSequence, EngineError> {
        let encoding = match (&self.file.post_processor, second) {
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

/// Tokens that do not say where they stood.
fn untold(ids: Vec<u32>) -> Encoding {
    let nowhere = (0, 0);
    let tokens = ids
        .into_iter()
        .map(|id| Token::new(id, String::new(), nowhere));
    Encoding::from_tokens(tokens.collect(), 0)
}

/// Han characters, kana and Hangul syllables.
fn says_much_alone(char: char) -> bool {
    matches!(char, '\u{3040}'..='\u{30FF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}'
        | '\u{AC00}'..='\u{D7A3}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{323AF}')
}
