//! `chat.completion.chunk`: one answer in pieces.
//!
//! Our fields ride on ordinary chunks, because openai-python takes every event of the stream,
//! whatever its name, for a chunk.

use engine::{FinishReason, Usage};
use rag::{Ledger, Support, TextPiece};
use serde::Serialize;

use super::completion::{Form, Grounds, Head, UsageObject, finish_reason, objects};
use super::context::Context;
use super::disclosure::Disclosure;
use super::groundedness::GroundednessObject;
use super::grounding::{
    Annotation, CitationObject, LedgerObject, SupportObject, UnsupportedObject,
};
use super::logprobs::LogprobsObject;
use super::tools::ToolCallObject;

/// Makes the chunks of one answer: all with the same id, time and model.
pub(crate) struct Chunks {
    head: Head,
    form: Form,
}

/// One of the texts has come to its end.
pub(crate) struct Ended {
    pub(crate) choice: usize,
    pub(crate) finish_reason: FinishReason,
    pub(crate) support: Option<Support>,
}

/// One piece of an answer.
#[derive(Serialize)]
pub(crate) struct Chunk<'a> {
    #[serde(flatten)]
    head: &'a Head,
    choices: Vec<Choice>,
    #[serde(skip_serializing_if = "ChunkUsage::is_unasked")]
    usage: ChunkUsage,
    /// Those of the first choice.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    citations: Vec<CitationObject>,
    /// As the citations.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unsupported: Vec<UnsupportedObject>,
    /// On the last chunk of the first choice.
    #[serde(skip_serializing_if = "Option::is_none")]
    support: Option<SupportObject>,
    /// On the last chunk, where it was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) groundedness: Option<GroundednessObject>,
    /// On the first chunk; and again on the last one if the text had to be withheld.
    #[serde(flatten)]
    pub(crate) grounds: Option<Grounds>,
    /// On the first chunk.
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ledger: Option<LedgerObject>,
    /// On the first chunk.
    #[serde(skip_serializing_if = "Option::is_none")]
    disclosure: Option<Disclosure>,
}

#[derive(Serialize)]
struct Choice {
    index: usize,
    delta: Delta,
    logprobs: Option<LogprobsObject>,
    finish_reason: Option<&'static str>,
}

#[derive(Default, Serialize)]
struct Delta {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    annotations: Vec<Annotation>,
    /// On the first chunk, as Azure has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<Context>,
    /// Only where there are several choices, each with its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    citations: Vec<CitationObject>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unsupported: Vec<UnsupportedObject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    support: Option<SupportObject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<[ToolCallObject; 1]>,
}

/// `usage` is absent unless asked for, and then null on all chunks but the one after the last
/// content.
#[derive(Serialize)]
#[serde(untagged)]
enum ChunkUsage {
    Unasked,
    NotYet,
    Final(UsageObject),
}

impl ChunkUsage {
    fn is_unasked(&self) -> bool {
        matches!(self, Self::Unasked)
    }
}

impl Chunks {
    /// Chunks for an answer that is to be written like this.
    pub(crate) fn new(form: Form) -> Self {
        Self {
            head: Head::new("chat.completion.chunk", &form),
            form,
        }
    }

    /// The first chunk of a choice: who speaks; and with the first one, on what grounds.
    pub(crate) fn opening(&self, choice: usize, grounds: Option<Grounds>) -> Chunk<'_> {
        let delta = Delta {
            role: Some("assistant"),
            content: (!self.form.as_refusal).then(String::new),
            context: self.form.context.clone(),
            ..Delta::default()
        };
        let Form {
            model, provider, ..
        } = &self.form;
        let disclosed = grounds.as_ref().map(|grounds| grounds.answered_by);
        Chunk {
            disclosure: disclosed.map(|by| Disclosure::new(by, model, provider)),
            index: grounds.as_ref().and_then(|_| self.form.index()),
            grounds,
            ..self.chunk(choice, delta)
        }
    }

    /// Some text, with what is told of the sentence that it closes.
    pub(crate) fn text(&self, choice: usize, piece: TextPiece) -> Chunk<'_> {
        let TextPiece {
            text,
            citations,
            unsupported,
            logprobs,
        } = piece;
        let annotation = |citation| Annotation::new(citation, &self.form.base_url);
        let (content, refusal) = match self.form.as_refusal {
            true => (None, Some(text)),
            false => (Some(text), None),
        };
        let mut delta = Delta {
            content,
            refusal,
            annotations: citations.iter().map(annotation).collect(),
            ..Delta::default()
        };
        if self.form.several {
            delta.citations = objects(&citations);
            delta.unsupported = objects(&unsupported);
        }
        let mut chunk = self.chunk(choice, delta);
        if choice == 0 {
            chunk.citations = objects(&citations);
            chunk.unsupported = objects(&unsupported);
        }
        chunk.choices[0].logprobs = LogprobsObject::new(&logprobs);
        chunk
    }

    /// A call of a tool, whole.
    pub(crate) fn tool_call(&self, choice: usize, call: ToolCallObject) -> Chunk<'_> {
        let delta = Delta {
            tool_calls: Some([call]),
            ..Delta::default()
        };
        self.chunk(choice, delta)
    }

    /// The last chunk of a choice: why it ended, and on what it rests; and with the last one,
    /// where the tokens went.
    pub(crate) fn closing(&self, ended: &Ended, ledger: Option<&Ledger>) -> Chunk<'_> {
        let support = ended.support.as_ref();
        let delta = Delta {
            support: support
                .filter(|_| self.form.several)
                .map(SupportObject::from),
            ..Delta::default()
        };
        let mut chunk = self.chunk(ended.choice, delta);
        chunk.choices[0].finish_reason = Some(finish_reason(ended.finish_reason));
        chunk.support = support
            .filter(|_| ended.choice == 0)
            .map(SupportObject::from);
        chunk.ledger = ledger.map(LedgerObject::from);
        chunk
    }

    /// The chunk of `usage`, if it was asked for. It has no choices, which is why it is not
    /// sent otherwise: simple clients look at `choices[0]` of every chunk.
    pub(crate) fn usage(&self, usage: &Usage) -> Option<Chunk<'_>> {
        self.form.include_usage.then(|| Chunk {
            choices: Vec::new(),
            usage: ChunkUsage::Final(UsageObject::from(usage)),
            ..self.chunk(0, Delta::default())
        })
    }

    fn chunk(&self, choice: usize, delta: Delta) -> Chunk<'_> {
        let usage = match self.form.include_usage {
            true => ChunkUsage::NotYet,
            false => ChunkUsage::Unasked,
        };
        Chunk {
            head: &self.head,
            choices: vec![Choice {
                index: choice,
                delta,
                logprobs: None,
                finish_reason: None,
            }],
            usage,
            citations: Vec::new(),
            unsupported: Vec::new(),
            support: None,
            groundedness: None,
            grounds: None,
            index: None,
            ledger: None,
            disclosure: None,
        }
    }
}
