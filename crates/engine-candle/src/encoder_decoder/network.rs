//! T5 as something that sequences run on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use engine::{EngineError, KvLoad};

use super::{Reading, T5};
use crate::decoder::{Asks, Chunk};
use crate::serving::{Kept, Network, Wanted};
use crate::softmax::{log_sum_exp, logprob};

/// A T5 and the memory for its sequences.
///
/// The encoder sees a prompt as a whole, so chunks of it are only gathered, and the last one
/// makes the encoder run: other answers wait that long. Sequences of a batch run one after the
/// other.
pub(crate) struct EncoderDecoder {
    model: T5,
    budget: Arc<Budget>,
}

/// Memory for keys and values, which is counted, not allocated, beforehand.
struct Budget {
    bytes: usize,
    reserved: AtomicUsize,
}

/// One sequence.
pub(crate) struct Progress {
    state: State,
    reserved: usize,
    budget: Arc<Budget>,
}

enum State {
    /// The prompt, as far as it came.
    Gathering(Vec<u32>),
    Answering(Reading),
}

impl EncoderDecoder {
    /// A model whose sequences together may keep so many bytes.
    pub(crate) fn new(model: T5, bytes: usize) -> Self {
        let reserved = AtomicUsize::new(0);
        Self {
            model,
            budget: Arc::new(Budget { bytes, reserved }),
        }
    }

    /// The most tokens that a sequence can have.
    pub(crate) fn context(&self) -> usize {
        let fits = self.budget.bytes / self.bytes_per_token();
        self.model.config.context.min(fits)
    }

    fn bytes_per_token(&self) -> usize {
        self.model.config.kv_numbers() * size_of::<f32>()
    }

    /// What a sequence is after a chunk, and the numbers if some are asked for. The sequence
    /// itself stays as it was.
    fn step(&self, chunk: &Chunk<'_, Progress>) -> Result<(State, Option<Vec<f32>>), EngineError> {
        // A text that is judged begins within the chunk that asks for the first of its tokens.
        let (tokens, judged) = match &chunk.asks {
            Asks::Logprobs(judged) => (chunk.tokens, *judged),
            _ => (chunk.tokens, &[][..]),
        };
        let (mut reading, mut logits, rest) = match &chunk.cache.state {
            State::Gathering(prompt) => {
                let end = tokens.len() - judged.len().saturating_sub(1);
                let mut prompt = [prompt, &tokens[..end]].concat();
                if matches!(chunk.asks, Asks::Nothing) {
                    return Ok((State::Gathering(prompt), None));
                }
                prompt.push(self.model.config.end_token);
                let mut reading = self.model.read(&prompt)?;
                let start = [self.model.start_token()];
                let logits = self.model.decode(&start, &mut reading)?;
                (reading, logits, &tokens[end..])
            }
            State::Answering(reading) => {
                let mut reading = reading.clone();
                let (first, rest) = tokens.split_at(1);
                let logits = self.model.decode(first, &mut reading)?;
                (reading, logits, rest)
            }
        };
        let Some((first, others)) = judged.split_first() else {
            return Ok((State::Answering(reading), Some(logits)));
        };
        let mut logprobs = vec![logprob(&logits, *first, log_sum_exp(&logits))];
        for (token, next) in rest.iter().zip(others) {
            logits = self.model.decode(&[*token], &mut reading)?;
            logprobs.push(logprob(&logits, *next, log_sum_exp(&logits)));
        }
        Ok((State::Answering(reading), Some(logprobs)))
    }
}

impl Network for EncoderDecoder {
    type Memory = Progress;

    fn admit(&self, wanted: &Wanted<'_>) -> Option<Progress> {
        // The prompt's end token and the answer's start token are ours.
        let bytes = (wanted.tokens + 2) * self.bytes_per_token();
        let reserve = |reserved: usize| {
            let all = reserved + bytes;
            (all <= self.budget.bytes || reserved == 0).then_some(all)
        };
        let order = Ordering::SeqCst;
        let reserved = &self.budget.reserved;
        reserved.fetch_update(order, order, reserve).ok()?;
        Some(Progress {
            state: State::Gathering(Vec::new()),
            reserved: bytes,
            budget: self.budget.clone(),
        })
    }

    fn recall(&self, memory: &mut Progress, prompt: &[u32]) -> usize {
        match &memory.state {
            State::Gathering(gathered) => gathered.len(),
            State::Answering(_) => prompt.len(),
        }
    }

    fn forward(&self, batch: &mut [Chunk<'_, Progress>]) -> Result<Vec<Vec<f32>>, EngineError> {
        let steps = batch.iter().map(|chunk| self.step(chunk));
        let steps = steps.collect::<Result<Vec<_>, _>>()?;
        let mut found = Vec::new();
        for (chunk, (state, numbers)) in batch.iter_mut().zip(steps) {
            chunk.cache.state = state;
            found.extend(numbers);
        }
        Ok(found)
    }
}

impl Kept for EncoderDecoder {
    fn kv_load(&self) -> KvLoad {
        KvLoad {
            budget_bytes: self.budget.bytes,
            reserved_bytes: self.budget.reserved.load(Ordering::SeqCst),
            ..KvLoad::default()
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        let reserved = &self.budget.reserved;
        reserved.fetch_sub(self.reserved, Ordering::SeqCst);
    }
}
