//! `[answer]` and `[receipts]`: how answers are made, and what is kept of them.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::app::ReceiptSettings;

/// How answers are made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AnswerConfig {
    /// Passages that are looked up for a question.
    pub top_k: usize,
    /// Evidence below this, 0 to 1, is answered with a refusal.
    pub evidence_floor: f32,
    /// Support below this, 0 to 1, gives a sentence no footnote.
    pub citation_floor: f32,
    /// From which cosine on a sentence is supported by its meaning, see the shipped file.
    pub meaning_floor: f32,
    /// What happens to sentences that no source supports.
    pub support: SupportPolicy,
    /// With "strict", the part of all sentences that must be supported; 0 asks for a single one.
    pub citation_density: f32,
    /// Whether the model's attention has a vote on footnotes.
    pub attention: bool,
    /// A folder of prompt templates; those of the program when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompts: Option<PathBuf>,
    /// The most tokens of an answer, when the request does not say.
    pub max_tokens: usize,
    /// The most sentences of an answer in quotes.
    pub quote_sentences: usize,
}

impl Default for AnswerConfig {
    fn default() -> Self {
        let settings = rag::Settings::default();
        Self {
            top_k: settings.top_k,
            evidence_floor: settings.evidence_floor,
            citation_floor: settings.citation_floor,
            meaning_floor: settings.meaning_floor,
            support: SupportPolicy::Mark,
            citation_density: settings.citation_density,
            attention: settings.attention,
            prompts: None,
            max_tokens: settings.max_answer_tokens,
            quote_sentences: settings.quote_sentences,
        }
    }
}

/// What happens to sentences that no source supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SupportPolicy {
    /// A text without a single supported sentence is withheld.
    Strict,
    /// They are told apart.
    Mark,
    /// Nothing.
    Off,
}

impl From<SupportPolicy> for rag::SupportPolicy {
    fn from(policy: SupportPolicy) -> Self {
        match policy {
            SupportPolicy::Strict => Self::Strict,
            SupportPolicy::Mark => Self::Mark,
            SupportPolicy::Off => Self::Off,
        }
    }
}

/// What is kept and told of answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReceiptsConfig {
    /// Days for which answers are kept; 0 keeps none.
    pub keep_days: u32,
    /// The most answers that are kept.
    pub keep_most: u32,
    /// Who is named as the provider of the answers.
    pub provider: String,
    /// Watts of a busy core, where the machine does not measure its energy.
    pub watts_per_core: f64,
    /// The file of the Ed25519 key that signs receipts, made if it does not exist; without one
    /// nothing is signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signing_key: Option<PathBuf>,
}

impl Default for ReceiptsConfig {
    fn default() -> Self {
        let ReceiptSettings {
            keep_days,
            keep_most,
            provider,
            watts_per_core,
            signing_key,
        } = ReceiptSettings::default();
        Self {
            keep_days,
            keep_most,
            provider,
            watts_per_core,
            signing_key,
        }
    }
}
