//! `chat.completion.chunk`: one answer in pieces.
//!
//! Our fields ride on ordinary chunks, because openai-python takes every event of the stream,
//! whatever its name, for a chunk.

use engine::Usage;
use rag::Citation;
use serde::Serialize;

use super::completion::{Ending, Grounds, Head, UsageObject, finish_reason};
use super::grounding::{Annotation, CitationObject, LedgerObject};

/// Makes the chunks of one answer: all with the same id, time and model.
pub(crate) struct Chunks {
    head: Head,
    base_url: String,
    include_usage: bool,
}

/// One piece of an answer.
#[derive(Serialize)]
pub(crate) struct Chunk<'a> {
    #[serde(flatten)]
    head: &'a Head,
    choices: Vec<Choice>,
    #[serde(skip_serializing_if = "ChunkUsage::is_unasked")]
    usage: ChunkUsage,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    citations: Vec<CitationObject>,
    #[serde(flatten)]
    grounds: Option<Grounds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ledger: Option<LedgerObject>,
}

#[derive(Serialize)]
struct Choice {
    index: u32,
    delta: Delta,
    logprobs: Option<()>,
    finish_reason: Option<&'static str>,
}

#[derive(Default, Serialize)]
struct Delta {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    annotations: Vec<Annotation>,
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
    /// Chunks for an answer by `model`; links in them begin with `base_url`.
    pub(crate) fn new(model: &str, base_url: String, include_usage: bool) -> Self {
        Self {
            head: Head::new("chat.completion.chunk", model),
            base_url,
            include_usage,
        }
    }

    /// The first chunk: who speaks, and on what grounds.
    pub(crate) fn opening(&self, grounds: Grounds) -> Chunk<'_> {
        let delta = Delta {
            role: Some("assistant"),
            content: Some(String::new()),
            ..Delta::default()
        };
        Chunk {
            grounds: Some(grounds),
            ..self.chunk(delta)
        }
    }

    /// Some text, with the footnotes of the sentence that it closes.
    pub(crate) fn text(&self, text: String, citations: &[Citation]) -> Chunk<'_> {
        let annotation = |citation| Annotation::new(citation, &self.base_url);
        let delta = Delta {
            content: Some(text),
            annotations: citations.iter().map(annotation).collect(),
            ..Delta::default()
        };
        Chunk {
            citations: citations.iter().map(CitationObject::from).collect(),
            ..self.chunk(delta)
        }
    }

    /// The last chunk with a choice: why the answer ended, and where the tokens went.
    pub(crate) fn closing(&self, ending: &Ending) -> Chunk<'_> {
        let mut chunk = self.chunk(Delta::default());
        chunk.choices[0].finish_reason = Some(finish_reason(ending.finish_reason));
        chunk.ledger = Some(LedgerObject::from(&ending.ledger));
        chunk
    }

    /// The chunk of `usage`, if it was asked for. It has no choices, which is why it is not
    /// sent otherwise: simple clients look at `choices[0]` of every chunk.
    pub(crate) fn usage(&self, usage: &Usage) -> Option<Chunk<'_>> {
        self.include_usage.then(|| Chunk {
            choices: Vec::new(),
            usage: ChunkUsage::Final(UsageObject::from(usage)),
            ..self.chunk(Delta::default())
        })
    }

    fn chunk(&self, delta: Delta) -> Chunk<'_> {
        let usage = match self.include_usage {
            true => ChunkUsage::NotYet,
            false => ChunkUsage::Unasked,
        };
        Chunk {
            head: &self.head,
            choices: vec![Choice {
                index: 0,
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
