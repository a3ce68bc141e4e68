//! How likely a model finds a text that it did not write.

use std::ops::Range;

/// How likely one token of a text was, after the prompt and the text before it.
///
/// The probability is the model's own, as in [`TokenLogprobs`](crate::TokenLogprobs).
#[derive(Clone, Debug, PartialEq)]
pub struct TokenScore {
    /// The token's place in the vocabulary.
    pub id: u32,
    /// The bytes of the text that the token stands for, at boundaries of characters. Tokens that
    /// are parts of one character all have the range of that character.
    pub range: Range<usize>,
    /// The natural logarithm of its probability.
    pub logprob: f32,
}
