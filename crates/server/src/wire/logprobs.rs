//! How likely the answer's tokens were, as OpenAI tells it.

use std::fmt::Write;

use engine::{Logprob, TokenLogprobs};
use serde::Serialize;

/// What OpenAI uses for the logarithm of nothing; JSON has no infinity.
const IMPOSSIBLE: f32 = -9999.0;

/// `logprobs` of a choice.
#[derive(Serialize)]
pub(crate) struct LogprobsObject {
    content: Vec<TokenObject>,
    /// Always null: a refusal of ours is not the model's.
    refusal: Option<()>,
}

#[derive(Serialize)]
struct TokenObject {
    #[serde(flatten)]
    chosen: LogprobObject,
    top_logprobs: Vec<LogprobObject>,
}

#[derive(Serialize)]
struct LogprobObject {
    token: String,
    logprob: f32,
    bytes: Vec<u8>,
}

impl LogprobsObject {
    /// The object for these tokens; null when there are none.
    pub(crate) fn new(tokens: &[TokenLogprobs]) -> Option<Self> {
        let object = |token: &TokenLogprobs| TokenObject {
            chosen: LogprobObject::from(&token.chosen),
            top_logprobs: token.top.iter().map(LogprobObject::from).collect(),
        };
        (!tokens.is_empty()).then(|| Self {
            content: tokens.iter().map(object).collect(),
            refusal: None,
        })
    }
}

impl From<&Logprob> for LogprobObject {
    fn from(logprob: &Logprob) -> Self {
        Self {
            token: readable(&logprob.bytes),
            logprob: logprob.logprob.max(IMPOSSIBLE),
            bytes: logprob.bytes.clone(),
        }
    }
}

/// The token as text, or, when it is a part of a character, `bytes:\xed\x95` as OpenAI writes it.
fn readable(bytes: &[u8]) -> String {
    match str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().fold("bytes:".to_owned(), |mut text, byte| {
            let _ = write!(text, "\\x{byte:02x}");
            text
        }),
    }
}
