//! `chat.completion`: the whole answer in one object, and the parts that streams share.

use engine::{FinishReason, TokenLogprobs, Usage};
use rag::{Answer, AnsweredBy, Citation, Ledger, Support, TextPiece, Unsupported};
use serde::Serialize;

use super::context::Context;
use super::disclosure::Disclosure;
use super::groundedness::GroundednessObject;
use super::grounding::{
    Annotation, CitationObject, EvidenceObject, LedgerObject, SearchResultObject, SupportObject,
    UnsupportedObject, answered_by,
};
use super::logprobs::LogprobsObject;
use super::tools::ToolCallObject;
use crate::answering::Record;
use crate::app::unix_seconds;

/// The same request, seed and fingerprint give the same answer.
const SYSTEM_FINGERPRINT: &str = concat!("ibid-", env!("CARGO_PKG_VERSION"));

/// How an answer is to be written.
pub(crate) struct Form {
    /// The answer's id.
    pub(crate) id: String,
    /// The name of the model.
    pub(crate) model: String,
    /// Who is named as the provider.
    pub(crate) provider: String,
    /// Links begin with this.
    pub(crate) base_url: String,
    /// A stream ends with a chunk of `usage`.
    pub(crate) include_usage: bool,
    /// There are several choices.
    pub(crate) several: bool,
    /// The passages in Azure's shape, if they are wanted.
    pub(crate) context: Option<Context>,
    /// The text is a refusal, and would not be the JSON that was asked for.
    pub(crate) as_refusal: bool,
    /// An index that was searched is being built again.
    pub(crate) rebuilding: bool,
}

impl Form {
    /// "rebuilding" while searches find only a part, or what was there before.
    pub(super) fn index(&self) -> Option<&'static str> {
        self.rebuilding.then_some("rebuilding")
    }
}

/// The whole answer in one object.
#[derive(Serialize)]
pub(crate) struct Completion {
    #[serde(flatten)]
    head: Head,
    choices: Vec<Choice>,
    usage: UsageObject,
    /// Those of the first choice.
    citations: Vec<CitationObject>,
    unsupported: Vec<UnsupportedObject>,
    /// Null when there was nothing to rest on.
    support: Option<SupportObject>,
    /// Only where it was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    groundedness: Option<GroundednessObject>,
    #[serde(flatten)]
    grounds: Grounds,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<&'static str>,
    ledger: LedgerObject,
    disclosure: Disclosure,
}

#[derive(Serialize)]
struct Choice {
    index: usize,
    message: AssistantMessage,
    logprobs: Option<LogprobsObject>,
    finish_reason: &'static str,
}

#[derive(Serialize)]
struct AssistantMessage {
    role: &'static str,
    content: Option<String>,
    /// A refusal of ours is an ordinary message, with `answered_by` beside it, unless the
    /// content must be JSON.
    refusal: Option<String>,
    annotations: Vec<Annotation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<Context>,
    /// Only where there are several choices, each with its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    citations: Option<Vec<CitationObject>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unsupported: Option<Vec<UnsupportedObject>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    support: Option<SupportObject>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCallObject>,
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
    pub(crate) search_results: Vec<SearchResultObject>,
    pub(crate) answered_by: &'static str,
    /// Null when nothing was searched.
    pub(crate) evidence: Option<EvidenceObject>,
}

/// One of an answer's texts, complete.
#[derive(Default)]
pub(crate) struct Content {
    pub(crate) text: String,
    pub(crate) citations: Vec<Citation>,
    pub(crate) unsupported: Vec<Unsupported>,
    pub(crate) support: Option<Support>,
    /// The ids of the model's tokens.
    pub(crate) tokens: Vec<u32>,
    pub(crate) logprobs: Vec<TokenLogprobs>,
    pub(crate) tool_calls: Vec<ToolCallObject>,
    pub(crate) finish_reason: Option<FinishReason>,
}

/// What is known of an answer after its last word.
#[derive(Clone, Default)]
pub(crate) struct Ending {
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

impl Content {
    /// Adds what came next.
    pub(crate) fn push(&mut self, piece: TextPiece) {
        self.text.push_str(&piece.text);
        self.citations.extend(piece.citations);
        self.unsupported.extend(piece.unsupported);
        self.logprobs.extend(piece.logprobs);
    }
}

impl Completion {
    /// The object for an answer that has ended.
    pub(crate) fn new(form: &Form, grounds: Grounds, mut record: Record, ending: &Ending) -> Self {
        let contents = record.take_contents();
        let first = contents.first();
        let support = first.and_then(|content| content.support);
        let citations = first.map(|content| objects(&content.citations));
        let unsupported = first.map(|content| objects(&content.unsupported));
        let choices = contents.into_iter().enumerate();
        let choice = |(index, content)| Choice::new(index, content, form);
        Self {
            head: Head::new("chat.completion", form),
            disclosure: Disclosure::new(grounds.answered_by, &form.model, &form.provider),
            choices: choices.map(choice).collect(),
            usage: UsageObject::from(&ending.usage),
            citations: citations.unwrap_or_default(),
            unsupported: unsupported.unwrap_or_default(),
            support: support.as_ref().map(SupportObject::from),
            groundedness: record.groundedness,
            grounds,
            index: form.index(),
            ledger: LedgerObject::from(&ending.ledger),
        }
    }
}

impl Choice {
    fn new(index: usize, content: Content, form: &Form) -> Self {
        let citations = content.citations.iter();
        let annotations = citations.map(|citation| Annotation::new(citation, &form.base_url));
        let (said, refusal) = match form.as_refusal {
            true => (None, Some(content.text)),
            // A message that only calls tools has no content.
            false if content.text.is_empty() && !content.tool_calls.is_empty() => (None, None),
            false => (Some(content.text), None),
        };
        let support = content.support.as_ref().filter(|_| form.several);
        let several_support = support.map(SupportObject::from);
        let message = AssistantMessage {
            role: "assistant",
            annotations: annotations.collect(),
            context: form.context.clone(),
            citations: form.several.then(|| objects(&content.citations)),
            unsupported: form.several.then(|| objects(&content.unsupported)),
            support: several_support,
            content: said,
            refusal,
            tool_calls: content.tool_calls,
        };
        Self {
            index,
            message,
            logprobs: LogprobsObject::new(&content.logprobs),
            finish_reason: finish_reason(content.finish_reason.unwrap_or(FinishReason::Stop)),
        }
    }
}

pub(crate) fn objects<'a, T, O: From<&'a T>>(things: &'a [T]) -> Vec<O> {
    things.iter().map(O::from).collect()
}

impl Head {
    /// For an answer that is given now.
    pub(crate) fn new(object: &'static str, form: &Form) -> Self {
        Self {
            id: form.id.clone(),
            object,
            created: unix_seconds(),
            model: form.model.clone(),
            system_fingerprint: SYSTEM_FINGERPRINT,
        }
    }
}

impl Grounds {
    /// The same, or a refusal when the text had to be withheld.
    pub(crate) fn in_the_end(mut self, support: Option<&Support>) -> Self {
        if support.is_some_and(|support| support.withheld) {
            self.answered_by = answered_by(AnsweredBy::Refusal);
            self.evidence = self.evidence.map(EvidenceObject::unanswered);
        }
        self
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
        FinishReason::ToolCalls => "tool_calls",
        FinishReason::Length => "length",
    }
}
