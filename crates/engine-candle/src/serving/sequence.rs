//! One request while it is answered, with everything it holds.

use std::sync::Arc;

use engine::{EngineError, FinishReason, SamplingParams, TokenSender, Usage};

use super::grammar::Grammar;
use super::network::Network;
use super::output::{Output, Place, Wishes};
use super::penalties::Penalties;
use super::queue::Slot;
use super::sampler::Sampler;
use crate::decoder::Chunk;
use crate::text::Text;

/// A request that was checked and tokenised, and waits.
pub(crate) struct Job {
    /// Tokens of the prompt, fewer than the context.
    pub(crate) prompt: Vec<u32>,
    pub(crate) sampling: SamplingParams,
    /// Tokens of the vocabulary with what is added to their logits.
    pub(crate) logit_bias: Vec<(u32, f32)>,
    /// What is made of the tokens.
    pub(crate) wishes: Wishes,
    /// What the text must be, if that matters.
    pub(crate) grammar: Option<Grammar>,
    /// The most tokens to generate; prompt and answer fit the context.
    pub(crate) max_tokens: usize,
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
    grammar: Option<Grammar>,
    sampler: Sampler,
    output: Output,
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
            grammar: job.grammar,
            sampler: Sampler::new(job.sampling),
            output: Output::new(job.text, job.wishes),
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
        let id = self.choose(logits)?;
        let place = match () {
            () if self.end_tokens.contains(&id) => Place::End,
            () if self.generated == self.max_tokens => Place::Last,
            () => Place::Inside,
        };
        let sent = self.output.take(id, place, logits)?;
        self.sender.token(sent.token);
        Ok(match place {
            _ if sent.stopped => Some(FinishReason::Stop),
            Place::End if self.output.called() => Some(FinishReason::ToolCalls),
            Place::End => Some(FinishReason::Stop),
            Place::Last => Some(FinishReason::Length),
            Place::Inside => None,
        })
    }

    fn choose(&mut self, logits: &[f32]) -> Result<u32, EngineError> {
        let mut wished = self.penalties.apply(logits);
        if let Some(grammar) = &mut self.grammar {
            grammar.restrict(wished.to_mut())?;
        }
        let id = self.sampler.sample(&wished)?;
        self.penalties.note(id);
        self.last_token = id;
        self.generated += 1;
        match &mut self.grammar {
            Some(grammar) if !self.end_tokens.contains(&id) => grammar.consume(id)?,
            _ => {}
        }
        Ok(id)
    }
}
