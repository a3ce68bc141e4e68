//! One request while it is worked on, with everything it holds.

use engine::{EngineError, FinishReason, Sharing, TokenSender, Usage};

use super::network::Network;
use super::queue::Slot;
use super::task::Task;
use crate::decoder::{Asks, Chunk};

/// A request that was checked and tokenised, and waits.
pub(crate) struct Job {
    /// What is read, at least one token and no more than the context: the prompt, and all but the
    /// last token of a text behind it that is judged.
    pub(crate) prompt: Vec<u32>,
    /// What is done with it.
    pub(crate) task: Task,
    /// With whom it shares what is kept of the prompt.
    pub(crate) sharing: Sharing,
    pub(crate) sender: TokenSender,
}

impl Job {
    /// The most tokens to generate.
    pub(crate) fn max_tokens(&self) -> usize {
        match &self.task {
            Task::Write(writing) => writing.max_tokens,
            Task::Score(_) | Task::Look(_) => 0,
        }
    }

    /// The most tokens to keep in memory: the last one is sent, and not fed again.
    pub(crate) fn held_tokens(&self) -> usize {
        self.prompt.len() + self.max_tokens().saturating_sub(1)
    }

    /// What may be taken over from others who have read the same.
    pub(crate) fn shared(&self) -> &[u32] {
        shared(&self.task, &self.prompt)
    }

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
    task: Task,
    memory: M,
    outcome: Option<Result<FinishReason, EngineError>>,
    sender: TokenSender,
    slot: Slot,
}

impl<M> Sequence<M> {
    /// Begins a request.
    pub(crate) fn new(job: Job, memory: M, slot: Slot) -> Self {
        Self {
            prompt: job.prompt,
            prefilled: 0,
            cached: 0,
            task: job.task,
            memory,
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
        match &self.task {
            Task::Write(writing) => writing.left(expected),
            Task::Score(_) | Task::Look(_) => 0,
        }
    }

    /// Nobody listens, or the answer ended.
    pub(crate) fn is_over(&self) -> bool {
        self.outcome.is_some() || self.sender.is_closed()
    }

    /// The length of the answer, if it ended well.
    pub(crate) fn whole_answer(&self) -> Option<usize> {
        match (&self.task, &self.outcome) {
            (Task::Write(writing), Some(Ok(_))) => Some(writing.generated),
            _ => None,
        }
    }

    /// Skips what is known of the rest of the prompt.
    pub(crate) fn recall<N: Network<Memory = M>>(&mut self, network: &N) {
        let shared = shared(&self.task, &self.prompt);
        if self.prefilled < shared.len() {
            let known = network.recall(&mut self.memory, shared);
            self.cached += known - self.prefilled;
            self.prefilled = known;
        }
    }

    /// The next tokens of the prompt, so many; after it, the token that was generated last.
    pub(crate) fn chunk(&mut self, tokens: usize) -> Chunk<'_, M> {
        let end = self.prompt.len().min(self.prefilled + tokens);
        let whole = end == self.prompt.len();
        let next = &self.prompt[self.prefilled..end];
        let (tokens, asks) = match &mut self.task {
            Task::Write(writing) => match (next.is_empty(), whole) {
                (true, _) => writing.last(),
                (false, true) => (next, writing.asks()),
                (false, false) => (next, Asks::Nothing),
            },
            Task::Score(scoring) => match scoring.asked(end) {
                [] => (next, Asks::Nothing),
                asked => (next, Asks::Logprobs(asked)),
            },
            Task::Look(looking) => (next, Asks::Weights(&mut looking.weights)),
        };
        Chunk {
            tokens,
            cache: &mut self.memory,
            asks,
        }
    }

    /// So many tokens went through the model. Returns whether numbers were asked for.
    pub(crate) fn was_fed(&mut self, tokens: usize) -> bool {
        self.prefilled = self.prompt.len().min(self.prefilled + tokens);
        let whole = self.prompt_left() == 0;
        match &mut self.task {
            Task::Write(_) => whole,
            Task::Score(scoring) => !scoring.asked(self.prefilled).is_empty(),
            Task::Look(looking) => {
                if whole {
                    looking.finish();
                    self.outcome = Some(Ok(FinishReason::Stop));
                }
                false
            }
        }
    }

    /// Goes on with the numbers that were asked for.
    pub(crate) fn advance(&mut self, numbers: Vec<f32>) {
        match self.take(numbers) {
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
            completion_tokens: match &self.task {
                Task::Write(writing) => writing.generated,
                Task::Score(_) | Task::Look(_) => 0,
            },
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

    /// Returns why the sequence ends, if it does.
    fn take(&mut self, numbers: Vec<f32>) -> Result<Option<FinishReason>, EngineError> {
        let whole = self.prompt_left() == 0;
        match &mut self.task {
            Task::Write(writing) => {
                let (token, end) = writing.next_token(&numbers)?;
                self.sender.token(token);
                Ok(end)
            }
            Task::Score(scoring) => {
                scoring.take(numbers)?;
                Ok(whole.then_some(FinishReason::Stop))
            }
            Task::Look(_) => Ok(None),
        }
    }
}

/// The tokens that need not be read if they are known: those before the first of which something
/// is asked, which is the last of the prompt; and none where something is asked of each.
fn shared<'a>(task: &Task, prompt: &'a [u32]) -> &'a [u32] {
    match task {
        Task::Write(_) => prompt,
        Task::Score(scoring) => &prompt[..scoring.prompt],
        Task::Look(_) => &prompt[..1],
    }
}
