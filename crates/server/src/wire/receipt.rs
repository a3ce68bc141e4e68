//! The receipt of an answer: how it came about, with hashes of everything said and read.

use library::KeptAnswer;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::completion::{Content, Ending, Grounds, UsageObject, finish_reason, objects};
use super::disclosure::Disclosure;
use super::files::FSYNC;
use super::grounding::{CitationObject, LedgerObject, SupportObject};
use super::list::Identified;
use crate::answering::{Receipts, Record, sha256};
use crate::energy::Spent;

/// A kept answer, as it is told.
#[derive(Serialize)]
pub(crate) struct AnswerObject {
    id: String,
    object: &'static str,
    created_at: i64,
    durability: &'static str,
    /// A file that it rests on has changed or gone.
    stale: bool,
    stale_files: Vec<String>,
    #[serde(flatten)]
    receipt: Map<String, Value>,
    /// What was asked and answered; null when it was forgotten with a file.
    content: Option<Value>,
}

/// A kept answer that others can check.
#[derive(Serialize)]
pub(crate) struct SignedAnswer {
    id: String,
    object: &'static str,
    /// The answer with a signature: a JSON Web Signature in its compact form.
    jws: String,
}

impl SignedAnswer {
    pub(crate) fn new(answer: &AnswerObject, jws: String) -> Self {
        Self {
            id: answer.id.clone(),
            object: "answer.signed",
            jws,
        }
    }
}

impl From<&KeptAnswer> for AnswerObject {
    fn from(kept: &KeptAnswer) -> Self {
        let content = kept.content.as_deref().map(serde_json::from_str);
        Self {
            id: kept.id.clone(),
            object: "answer",
            created_at: kept.created_at,
            durability: FSYNC,
            stale: !kept.stale.is_empty(),
            stale_files: kept.stale.clone(),
            receipt: serde_json::from_str(&kept.receipt).unwrap_or_default(),
            content: content.and_then(Result::ok),
        }
    }
}

impl Identified for AnswerObject {
    fn id(&self) -> &str {
        &self.id
    }
}

/// What can be told for ever, also when the documents are gone.
pub(crate) fn receipt(
    record: &Record,
    receipts: &Receipts,
    grounds: &Grounds,
    ending: &Ending,
    spent: Option<&Spent>,
) -> Value {
    let fingerprint = record.asked.pipeline.fingerprint();
    let passages = record.passages.iter().map(|passage| {
        json!({
            "n": passage.n,
            "file_id": passage.file_id,
            "start": passage.start,
            "end": passage.end,
            "sha256": sha256(&passage.text),
        })
    });
    let searched = record.asked.searched.iter().map(
        |searched| json!({"collection": searched.collection, "generation": searched.generation}),
    );
    let milliseconds = |duration: std::time::Duration| duration.as_secs_f64() * 1000.0;
    json!({
        "program": concat!("ibid ", env!("CARGO_PKG_VERSION")),
        "model": {
            "name": record.asked.model,
            "weights_sha256": fingerprint.weights,
            "tokenizer_sha256": fingerprint.tokenizer,
        },
        "answered_by": grounds.answered_by,
        "evidence": grounds.evidence,
        "prompt_sha256": record.prompt.as_ref().map(|prompt| sha256(&format!("{prompt:?}"))),
        "collections": searched.collect::<Vec<_>>(),
        "passages": passages.collect::<Vec<_>>(),
        "sampling": sampling(record),
        "choices": record.contents.iter().map(summary).collect::<Vec<_>>(),
        "usage": UsageObject::from(&ending.usage),
        "ledger": LedgerObject::from(&ending.ledger),
        "groundedness": record.groundedness,
        "timings": {
            "first_text_ms": record.timings.first_text.map(milliseconds),
            "total_ms": milliseconds(record.timings.total),
        },
        "energy": spent.map(energy),
        "disclosure": Disclosure::new(grounds.answered_by, &record.asked.model, &receipts.provider),
    })
}

/// What was asked and answered. It goes when a document goes that it rests on.
pub(crate) fn content(record: &Record) -> Value {
    let choices = record.contents.iter().map(|content| {
        json!({
            "text": content.text,
            "citations": objects::<_, CitationObject>(&content.citations),
            "token_ids": content.tokens,
            "tool_calls": content.tool_calls,
        })
    });
    json!({
        "request": record.asked.body,
        "choices": choices.collect::<Vec<_>>(),
    })
}

fn sampling(record: &Record) -> Value {
    let sampling = &record.asked.sampling;
    json!({
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "min_p": sampling.min_p,
        "frequency_penalty": sampling.frequency_penalty,
        "presence_penalty": sampling.presence_penalty,
        "repetition_penalty": sampling.repetition_penalty,
        "seed": sampling.seed.map(u64::cast_signed),
    })
}

fn summary(content: &Content) -> Value {
    json!({
        "text_sha256": sha256(&content.text),
        "tokens": content.tokens.len(),
        "finish_reason": content.finish_reason.map(finish_reason),
        "support": content.support.as_ref().map(SupportObject::from),
    })
}

fn energy(spent: &Spent) -> Value {
    let (method, scope) = match spent.measured {
        true => (
            "rapl",
            "processor packages, shared among the answers of the time",
        ),
        false => (
            "estimate",
            "processor time of this program, times watts_per_core",
        ),
    };
    json!({
        "joules": spent.joules,
        "cpu_seconds": spent.cpu_seconds,
        "method": method,
        "scope": scope,
    })
}
