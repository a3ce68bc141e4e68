//! What is done with a prompt: an answer is written, a text is judged, or attention is looked at.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use engine::{EngineError, TokenStream};

use super::writing::Writing;
use crate::decoder::AttentionWeights;

/// What becomes of a sequence.
pub(crate) enum Task {
    /// An answer is written.
    Write(Box<Writing>),
    /// What is read behind the prompt is judged.
    Score(Scoring),
    /// It is read, and its attention is looked at.
    Look(Looking),
}

/// A text, as the answer to a prompt, that is judged token by token.
pub(crate) struct Scoring {
    /// Tokens of the prompt.
    pub(super) prompt: usize,
    /// Tokens of the text. All but the last are read.
    pub(super) text: Vec<u32>,
    logprobs: Vec<f32>,
    reply: SyncSender<Vec<f32>>,
}

/// A text whose attention is looked at.
pub(crate) struct Looking {
    pub(super) weights: AttentionWeights,
    reply: SyncSender<AttentionWeights>,
}

/// What comes of a sequence that writes nothing, once it has ended.
pub(crate) struct Reply<T> {
    stream: TokenStream,
    found: Receiver<T>,
}

impl<T> Reply<T> {
    /// What was found.
    pub(crate) fn wait(mut self) -> Result<T, EngineError> {
        if let Some(Err(error)) = self.stream.next_blocking() {
            return Err(error);
        }
        let found = self.found.try_recv();
        found.map_err(|_| EngineError::Failed("nothing was found".into()))
    }
}

impl Scoring {
    /// Judges this text, at least one token, behind a prompt of so many.
    pub(crate) fn task(
        prompt: usize,
        text: Vec<u32>,
        stream: TokenStream,
    ) -> (Task, Reply<Vec<f32>>) {
        let (reply, found) = sync_channel(1);
        let task = Task::Score(Self {
            prompt,
            text,
            logprobs: Vec::new(),
            reply,
        });
        (task, Reply { stream, found })
    }

    /// The tokens whose probabilities are to be known when so many tokens were read in all.
    pub(super) fn asked(&self, read: usize) -> &[u32] {
        let known = self.logprobs.len();
        let next = (read + 1).saturating_sub(self.prompt);
        &self.text[known..next.max(known)]
    }

    /// Takes the logarithms of the probabilities that were asked for.
    pub(super) fn take(&mut self, logprobs: Vec<f32>) -> Result<(), EngineError> {
        if logprobs.iter().any(|logprob| logprob.is_nan()) {
            let reason = "the model's logits are not numbers";
            return Err(EngineError::Failed(reason.into()));
        }
        self.logprobs.extend(logprobs);
        if self.logprobs.len() == self.text.len() {
            // Whoever asked may have left.
            let _ = self.reply.try_send(std::mem::take(&mut self.logprobs));
        }
        Ok(())
    }
}

impl Looking {
    /// Looks at these weights.
    pub(crate) fn task(
        weights: AttentionWeights,
        stream: TokenStream,
    ) -> (Task, Reply<AttentionWeights>) {
        let (reply, found) = sync_channel(1);
        let task = Task::Look(Self { weights, reply });
        (task, Reply { stream, found })
    }

    /// All was read.
    pub(super) fn finish(&mut self) {
        let nothing = AttentionWeights::new(&[], engine::Heads::Mean);
        // Whoever asked may have left.
        let _ = self
            .reply
            .try_send(std::mem::replace(&mut self.weights, nothing));
    }
}
