//! What is noted of an answer while it is made.

use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::{Prompt, SamplingParams};
use library::{NewAnswer, Retention};
use rag::{Answer, AnswerEvent, Judge, Pipeline, SearchResult, Written};
use serde_json::{Map, Value};

use super::Searched;
use crate::app::App;
use crate::energy::{EnergyMeter, Metered};
use crate::signing::Signer;
use crate::wire::completion::{Content, Ending, Grounds};
use crate::wire::groundedness::GroundednessObject;
use crate::wire::receipt;
use crate::wire::tools::ToolCallObject;

/// What the server does about receipts.
pub(crate) struct Receipts {
    /// For how long answers are kept; `None` keeps none.
    pub(crate) keep: Option<Retention>,
    /// Who is named as the provider of the answers.
    pub(crate) provider: String,
    /// What answers cost.
    pub(crate) meter: Arc<EnergyMeter>,
    /// Signs receipts, if they are to be signed.
    pub(crate) signer: Option<Signer>,
}

/// What was asked, as it stands when the answer begins.
pub(crate) struct Asked {
    pub(crate) id: String,
    pub(crate) body: Map<String, Value>,
    pub(crate) model: String,
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) searched: Vec<Searched>,
    pub(crate) sampling: SamplingParams,
    /// An index that was searched is being built again.
    pub(crate) rebuilding: bool,
}

/// An answer that came to its end, judged and kept as far as it was to be.
pub(crate) struct Whole {
    pub(crate) record: Record,
    pub(crate) grounds: Grounds,
    pub(crate) ending: Ending,
}

/// An answer as far as it has come.
pub(crate) struct Record {
    pub(crate) asked: Asked,
    pub(crate) passages: Vec<SearchResult>,
    pub(crate) prompt: Option<Arc<Prompt>>,
    pub(crate) contents: Vec<Content>,
    pub(crate) timings: Timings,
    /// How much the sources mattered, once that was judged.
    pub(crate) groundedness: Option<GroundednessObject>,
    judge: Option<Judge>,
    written: Option<Written>,
    metered: Metered,
    started: Instant,
    is_kept: bool,
}

/// When things happened, since the answer was begun.
#[derive(Clone, Copy, Default)]
pub(crate) struct Timings {
    /// The first text came.
    pub(crate) first_text: Option<Duration>,
    /// The answer ended.
    pub(crate) total: Duration,
}

impl Record {
    /// Nothing has come yet.
    pub(super) fn new(asked: Asked, metered: Metered, answer: &Answer) -> Self {
        let contents = (0..answer.choices()).map(|_| Content::default());
        Self {
            asked,
            passages: answer.search_results.clone(),
            prompt: answer.prompt.clone(),
            contents: contents.collect(),
            timings: Timings::default(),
            groundedness: None,
            judge: answer.judge.clone(),
            written: None,
            metered,
            started: Instant::now(),
            is_kept: true,
        }
    }

    /// The same, but nothing is kept of it.
    pub(crate) fn unkept(mut self) -> Self {
        self.is_kept = false;
        self
    }

    /// The texts as far as they have come.
    pub(crate) fn contents(&self) -> &[Content] {
        &self.contents
    }

    /// What the answer rests on, now that it has ended.
    pub(crate) fn grounds(&self, answer: &Answer) -> Grounds {
        let support = self.contents.first().and_then(|content| content.support);
        Grounds::from(answer).in_the_end(support.as_ref())
    }

    /// The texts, after the end.
    pub(crate) fn take_contents(&mut self) -> Vec<Content> {
        std::mem::take(&mut self.contents)
    }

    /// Takes note of what came next.
    pub(crate) fn note(&mut self, event: &AnswerEvent) {
        match event {
            AnswerEvent::Text { choice, piece } => {
                let now = self.started.elapsed();
                self.timings.first_text.get_or_insert(now);
                self.contents[*choice].push(piece.clone());
            }
            AnswerEvent::ToolCall { choice, call, .. } => {
                let calls = &mut self.contents[*choice].tool_calls;
                calls.push(ToolCallObject::new(call));
            }
            AnswerEvent::Finished {
                choice,
                finish_reason,
                support,
                tokens,
                written,
            } => {
                let content = &mut self.contents[*choice];
                content.finish_reason = Some(*finish_reason);
                content.support = *support;
                content.tokens.clone_from(tokens);
                if self.judge.is_some() {
                    self.written.clone_from(written);
                }
            }
            AnswerEvent::Done { .. } => self.timings.total = self.started.elapsed(),
        }
    }

    /// Judges the answer, if that was asked, and keeps it, if answers are kept. May block.
    pub(crate) fn finish(mut self, app: &App, grounds: Grounds, ending: Ending) -> Whole {
        if let (Some(judge), Some(written)) = (&self.judge, &self.written) {
            match judge.judge(written) {
                Ok(judged) => self.groundedness = Some(GroundednessObject::from(&judged)),
                // The answer itself is good, and long told in a stream.
                Err(error) => tracing::warn!(%error, "cannot judge an answer"),
            }
        }
        self.keep(app, &grounds, &ending);
        Whole {
            record: self,
            grounds,
            ending,
        }
    }

    fn keep(&self, app: &App, grounds: &Grounds, ending: &Ending) {
        let Some(keep) = app.receipts.keep.filter(|_| self.is_kept) else {
            return;
        };
        let spent = self.metered.spent();
        let mut sources: Vec<String> = Vec::new();
        for passage in &self.passages {
            if !sources.contains(&passage.file_id) {
                sources.push(passage.file_id.clone());
            }
        }
        let answer = NewAnswer {
            id: self.asked.id.clone(),
            receipt: receipt::receipt(self, &app.receipts, grounds, ending, Some(&spent))
                .to_string(),
            content: receipt::content(self).to_string(),
            sources,
        };
        // The answer itself is good: that it cannot be kept concerns the operator.
        if let Err(error) = app.library.keep_answer(&answer, keep) {
            tracing::warn!(%error, "cannot keep an answer");
        }
    }
}
