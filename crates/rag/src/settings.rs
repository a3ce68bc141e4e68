//! What an operator may choose about answering.

use crate::support::SupportPolicy;

/// How questions are answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Passages to search for when the question does not say, 1 to 200.
    pub top_k: usize,
    /// Below this [evidence](crate::Evidence), 0 to 1, the answer is a refusal.
    pub evidence_floor: f32,
    /// Below this support, 0 to 1, a sentence gets no citation.
    pub citation_floor: f32,
    /// A sentence that means the same as one of a source is supported by it, whatever its words: from
    /// this cosine of their vectors on, where unrelated texts have 0. Above 1 the embedder has no vote.
    pub meaning_floor: f32,
    /// What happens to sentences that no source supports, when the question does not say.
    pub support: SupportPolicy,
    /// Under [`SupportPolicy::Strict`], the part of a text's sentences, 0 to 1, that must be
    /// supported; 0 asks for a single one.
    pub citation_density: f32,
    /// Whether the model's attention has a vote on citations, see [`Vote`](crate::Vote).
    pub attention: bool,
    /// Tokens kept free for the answer when the question does not say.
    pub max_answer_tokens: usize,
    /// The most sentences that an answer in quotes has.
    pub quote_sentences: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            top_k: 5,
            evidence_floor: 0.3,
            citation_floor: 0.5,
            meaning_floor: 0.78,
            support: SupportPolicy::Mark,
            citation_density: 0.0,
            attention: true,
            max_answer_tokens: 512,
            quote_sentences: 3,
        }
    }
}
