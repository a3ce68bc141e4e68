//! One request while it is answered, with everything it holds.

use std::sync::Arc;

use engine::{EngineError, FinishReason, SamplingParams, Token, TokenSender, Usage};

use super::network::Network;
use super::penalties::Penalties;
use super::queue::Slot;
use super::sampler::Sampler;
use crate::decoder::Chunk;
use crate::text::{Detokenizer, Text};

/// A request that was checked and tokenised, and waits.
pub(crate) struct Job {
    /// Tokens of the prompt, fewer than the context.
    pub(crate) prompt: Vec<u32>,
    pub(crate) sampling: SamplingParams,
    /// Tokens of the vocabulary with what is added to their logits.
    pub(crate) logit_bias: Vec<(u32, f32)>,
    /// The most tokens to generate; prompt and answer fit the context.
    pub(crate) max_tokens: usize,
    pub(crate) stop: Vec<String>,
    /// What is kept of the prompt is used again only for the same salt.
    pub(crate) salt: Option<String>,
    /// Tokens that end the model's turn.
    pub(crate) end_tokens: Arc<[u32]>,
    pub(crate) text: Arc<Text>,
    pub(crate) sender: TokenSender,
}

impl Job {
    /// Nobody waits for the answer any more.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.sender.is_closed()
    }

    /// Ends the request before it began.
    pub(crate) fn fail(self, error: EngineError) {
        self.sender.fail(error);
    }
}

/// A request that has a slot. Dropping it frees the memory, the slot and the stream.
pub(crate) struct Sequence<M> {
    prompt: Vec<u32>,
    /// Tokens of the prompt that went through the model, or were known.
    prefilled: usize,
    /// Those that were known.
    cached: usize,
    /// The token that goes through the model next; it was sent already.
    last_token: u32,
    generated: usize,
    max_tokens: usize,
    end_tokens: Arc<[u32]>,
    memory: M,
    penalties: Penalties,
    sampler: Sampler,
    detokenizer: Detokenizer,
    outcome: Option<Result<FinishReason, EngineError>>,
    sender: TokenSender,
    slot: Slot,
}

impl<M> Sequence<M> {
    /// Begins a request.
    pub(crate) fn new(job: Job, memory: M, slot: Slot) -> Self {
        let penalties = Penalties::new(&job.sampling, job.logit_bias, &job.prompt);
        Self {
            prompt: job.prompt,
            prefilled: 0,
            cached: 0,
            last_token: 0,
            generated: 0,
            max_tokens: job.max_tokens,
            end_tokens: job.end_tokens,
            memory,
            penalties,
            sampler: Sampler::new(job.sampling),
            detokenizer: Detokenizer::new(job.text, job.stop),
            outcome: None,
            sender: job.sender,
            slot,
        }
    }

    /// Tokens of the prompt that are still to be read.
    pub(crate) fn prompt_left(&self) -> usize {
        self.prompt.len() - self.prefilled
    }

    /// Tokens that are still to be generated, when an answer is expected to be so long.
    pub(crate) fn answer_left(&self, expected: impl FnOnce(usize) -> usize) -> usize {
        let more = 1;
        expected(self.max_tokens)
            .saturating_sub(self.generated)
            .max(more)
    }

    /// Nobody listens, or the answer ended.
    pub(crate) fn is_over(&self) -> bool {
        self.outcome.is_some() || self.sender.is_closed()
    }

    /// The length of the answer, if it ended well.
    pub(crate) fn whole_answer(&self) -> Option<usize> {
        let ended = matches!(self.outcome, Some(Ok(_)));
        ended.then_some(self.generated)
    }

    /// Skips what is known of the rest of the prompt.
    pub(crate) fn recall<N: Network<Memory = M>>(&mut self, network: &N) {
        if self.prompt_left() > 0 {
            let known = network.recall(&mut self.memory, &self.prompt);
            self.cached += known - self.prefilled;
            self.prefilled = known;
        }
    }

    /// The next tokens of the prompt, so many; after it, the token that was generated last.
    pub(crate) fn chunk(&mut self, tokens: usize) -> Chunk<'_, M> {
        let left = self.prompt_left();
        Chunk {
            tokens: match left {
                0 => std::slice::from_ref(&self.last_token),
                _ => &self.prompt[self.prefilled..self.prefilled + tokens],
            },
            cache: &mut self.memory,
            wants_logits: left <= tokens,
        }
    }

    /// So many tokens went through the model. Returns whether logits were asked for.
    pub(crate) fn was_fed(&mut self, tokens: usize) -> bool {
        self.prefilled = self.prompt.len().min(self.prefilled + tokens);
        self.prompt_left() == 0
    }

    /// Chooses a token by the logits and sends it.
    pub(crate) fn advance(&mut self, logits: &[f32]) {
        match self.next_token(logits) {
            Ok(None) => {}
            Ok(Some(reason)) => self.outcome = Some(Ok(reason)),
            Err(error) => self.fail(error),
        }
    }

    /// Ends the sequence with an error.
    pub(crate) fn fail(&mut self, error: EngineError) {
        self.outcome = Some(Err(error));
    }

    /// Gives everything back, then tells the reader: whoever sees the end sees the slot free.
    pub(crate) fn end(self) {
        let usage = Usage {
            prompt_tokens: self.prompt.len(),
            completion_tokens: self.generated,
            cached_tokens: self.cached,
        };
        drop(self.memory);
        drop(self.slot);
        match self.outcome {
            Some(Ok(reason)) => self.sender.done(reason, usage),
            Some(Err(error)) => self.sender.fail(error),
            // Nobody listens.
            None => {}
        }
    }

    fn next_token(&mut self, logits: &[f32]) -> Result<Option<FinishReason>, EngineError> {
        let id = self.sampler.sample(&self.penalties.apply(logits))?;
        self.penalties.note(id);
        self.last_token = id;
        self.generated += 1;
        let ended = self.end_tokens.contains(&id);
        let full = self.generated == self.max_tokens;

        let mut piece = match ended {
            true => self.detokenizer.finish()?,
            false => self.detokenizer.push(id)?,
        };
        if full && !ended && !piece.stopped {
            let rest = self.detokenizer.finish()?;
            piece.text.push_str(&rest.text);
            piece.stopped = rest.stopped;
        }
        self.sender.token(Token {
            id,
            text: piece.text,
        });
        Ok(match () {
            () if ended || piece.stopped => Some(FinishReason::Stop),
            () if full => Some(FinishReason::Length),
            () => None,
        })
    }
}
