//! `chat.completion`: the whole answer in one object, and the parts that streams share.

use engine::{FinishReason, Usage};
use rag::{Answer, Citation, Ledger};
use serde::Serialize;

use super::grounding::{
    Annotation, CitationObject, EvidenceObject, LedgerObject, SearchResultObject, answered_by,
};
use super::id::random_id;
use crate::app::unix_seconds;

/// The same request, seed and fingerprint give the same answer.
const SYSTEM_FINGERPRINT: &str = concat!("ibid-", env!("CARGO_PKG_VERSION"));

/// The whole answer in one object.
#[derive(Serialize)]
pub(crate) struct Completion {
    #[serde(flatten)]
    head: Head,
    choices: [Choice; 1],
    usage: UsageObject,
    citations: Vec<CitationObject>,
    #[serde(flatten)]
    grounds: Grounds,
    ledger: LedgerObject,
}

#[derive(Serialize)]
struct Choice {
    index: u32,
    message: AssistantMessage,
    logprobs: Option<()>,
    finish_reason: &'static str,
}

#[derive(Serialize)]
struct AssistantMessage {
    role: &'static str,
    content: String,
    /// Always null: a refusal of ours is an ordinary message, with `answered_by` beside it.
    refusal: Option<()>,
    annotations: Vec<Annotation>,
}

/// What the whole object and every chunk of a stream begin with.
#[derive(Serialize)]
pub(crate) struct Head {
    id: String,
    object: &'static str,
    created: u64,
    model: String,
    system_fingerprint: &'static str,
}

/// What is known of an answer before its first word.
#[derive(Serialize)]
pub(crate) struct Grounds {
    search_results: Vec<SearchResultObject>,
    answered_by: &'static str,
    /// Null when nothing was searched.
    evidence: Option<EvidenceObject>,
}

/// An answer's text and footnotes, complete.
#[derive(Default)]
pub(crate) struct Content {
    pub(crate) text: String,
    pub(crate) citations: Vec<Citation>,
}

/// What is known of an answer after its last word.
pub(crate) struct Ending {
    pub(crate) finish_reason: FinishReason,
    pub(crate) usage: Usage,
    pub(crate) ledger: Ledger,
}

/// Tokens that the request took.
#[derive(Serialize)]
pub(crate) struct UsageObject {
    prompt_tokens: usize,
    completion_tokens: usize,
    total_tokens: usize,
    prompt_tokens_details: PromptTokensDetails,
    completion_tokens_details: CompletionTokensDetails,
}

#[derive(Serialize)]
struct PromptTokensDetails {
    cached_tokens: usize,
}

#[derive(Serialize)]
struct CompletionTokensDetails {
    reasoning_tokens: usize,
}

impl Completion {
    /// The object for an answer that has ended; links in it begin with `base_url`.
    pub(crate) fn new(
        model: &str,
        grounds: Grounds,
        content: Content,
        ending: &Ending,
        base_url: &str,
    ) -> Self {
        let citations = &content.citations;
        let annotations = citations
            .iter()
            .map(|citation| Annotation::new(citation, base_url));
        let message = AssistantMessage {
            role: "assistant",
            annotations: annotations.collect(),
            content: content.text,
            refusal: None,
        };
        Self {
            head: Head::new("chat.completion", model),
            choices: [Choice {
                index: 0,
                message,
                logprobs: None,
                finish_reason: finish_reason(ending.finish_reason),
            }],
            usage: UsageObject::from(&ending.usage),
            citations: citations.iter().map(CitationObject::from).collect(),
            grounds,
            ledger: LedgerObject::from(&ending.ledger),
        }
    }
}

impl Head {
    /// A fresh id, now.
    pub(crate) fn new(object: &'static str, model: &str) -> Self {
        Self {
            id: random_id("chatcmpl-"),
            object,
            created: unix_seconds(),
            model: model.to_owned(),
            system_fingerprint: SYSTEM_FINGERPRINT,
        }
    }
}

impl From<&Answer> for Grounds {
    fn from(answer: &Answer) -> Self {
        Self {
            search_results: answer
                .search_results
                .iter()
                .map(SearchResultObject::from)
                .collect(),
            answered_by: answered_by(answer.answered_by),
            evidence: answer.evidence.as_ref().map(EvidenceObject::from),
        }
    }
}

impl From<&Usage> for UsageObject {
    fn from(usage: &Usage) -> Self {
        Self {
            prompt_tokens: usage.prompt_tokens,
            completion_tokens: usage.completion_tokens,
            total_tokens: usage.prompt_tokens + usage.completion_tokens,
            prompt_tokens_details: PromptTokensDetails {
                cached_tokens: usage.cached_tokens,
            },
            completion_tokens_details: CompletionTokensDetails {
                reasoning_tokens: 0,
            },
        }
    }
}

/// OpenAI's word for why an answer ended.
pub(crate) fn finish_reason(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::Stop => "stop",
        FinishReason::Length => "length",
    }
}
