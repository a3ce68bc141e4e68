//! That a machine answers, for machines to read: what article 50 of the EU's AI Act and article
//! 31 of Korea's AI Basic Act ask of those who give such answers to people. A record, not a
//! claim of compliance.

use serde::Serialize;

/// Who or what made an answer.
#[derive(Serialize)]
pub(crate) struct Disclosure {
    /// A language model wrote the text. Quotes and refusals are put together by rule.
    pub(crate) ai_generated: bool,
    /// The text was given without a person looking at it.
    automated: bool,
    human_review: bool,
    /// The model that wrote it; null when none did.
    model: Option<String>,
    provider: String,
    system: &'static str,
}

impl Disclosure {
    /// Of an answer by `answered_by`, as [`answered_by`](super::grounding::answered_by) says it.
    pub(crate) fn new(answered_by: &str, model: &str, provider: &str) -> Self {
        let ai_generated = answered_by == "model";
        Self {
            ai_generated,
            automated: true,
            human_review: false,
            model: ai_generated.then(|| model.to_owned()),
            provider: provider.to_owned(),
            system: concat!("ibid ", env!("CARGO_PKG_VERSION")),
        }
    }
}
