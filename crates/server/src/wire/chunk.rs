//! `chat.completion.chunk`: one answer in pieces.
//!
//! Our fields ride on ordinary chunks, because openai-python takes every event of the stream,
//! whatever its name, for a chunk.

use engine::{FinishReason, TokenLogprobs, Usage};
use rag::{Citation, Ledger};
use serde::Serialize;

use super::completion::{Form, Grounds, Head, UsageObject, finish_reason};
use super::grounding::{Annotation, CitationObject, LedgerObject};
use super::logprobs::LogprobsObject;
use super::tools::ToolCallObject;

/// Makes the chunks of one answer: all with the same id, time and model.
pub(crate) struct Chunks {
    head: Head,
    form: Form,
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
    #[serde(flatten)]
    grounds: Option<Grounds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ledger: Option<LedgerObject>,
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
    /// Only where there are several choices, each with its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    citations: Vec<CitationObject>,
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
            head: Head::new("chat.completion.chunk", &form.model),
            form,
        }
    }

    /// The first chunk of a choice: who speaks; and with the first one, on what grounds.
    pub(crate) fn opening(&self, choice: usize, grounds: Option<Grounds>) -> Chunk<'_> {
        let delta = Delta {
            role: Some("assistant"),
            content: (!self.form.as_refusal).then(String::new),
            ..Delta::default()
        };
        Chunk {
            grounds,
            ..self.chunk(choice, delta)
        }
    }

    /// Some text, with the footnotes of the sentence that it closes.
    pub(crate) fn text(
        &self,
        choice: usize,
        text: String,
        citations: &[Citation],
        logprobs: &[TokenLogprobs],
    ) -> Chunk<'_> {
        let annotation = |citation| Annotation::new(citation, &self.form.base_url);
        let objects = |wanted: bool| {
            let citations = citations.iter().filter(|_| wanted);
            citations.map(CitationObject::from).collect()
        };
        let (content, refusal) = match self.form.as_refusal {
            true => (None, Some(text)),
            false => (Some(text), None),
        };
        let delta = Delta {
            content,
            refusal,
            annotations: citations.iter().map(annotation).collect(),
            citations: objects(self.form.several),
            ..Delta::default()
        };
        let mut chunk = self.chunk(choice, delta);
        chunk.citations = objects(choice == 0);
        chunk.choices[0].logprobs = LogprobsObject::new(logprobs);
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

    /// The last chunk of a choice: why it ended; and with the last one, where the tokens went.
    pub(crate) fn closing(
        &self,
        choice: usize,
        reason: FinishReason,
        ledger: Option<&Ledger>,
    ) -> Chunk<'_> {
        let mut chunk = self.chunk(choice, Delta::default());
        chunk.choices[0].finish_reason = Some(finish_reason(reason));
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
            grounds: None,
            ledger: None,
        }
    }
}
