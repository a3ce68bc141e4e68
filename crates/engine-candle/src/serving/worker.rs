//! The inference thread: admit, prefill a chunk, decode a token for everyone, send, repeat.
//!
//! A prompt is read in chunks of its own, and decoding takes groups of at most
//! [`EXACT_ROWS`] rows. With dense weights the tokens of a request therefore do not depend on
//! what else is running. (candle's Q6_K kernels differ in the last bits between one row and
//! several; there they may.)

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use engine::EngineError;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::queue::Queue;
use super::sequence::Sequence;
use crate::decoder::{Chunk, Decoder, EXACT_ROWS};
use crate::{LoadError, Settings};

/// Tokens of a prompt that go through the model at a time. A multiple of 64, which is what
/// candle's quantised kernels like; other streams wait for one chunk at most.
const PREFILL_TOKENS: usize = 256;

/// One replica of the model at work.
pub(crate) struct Worker {
    decoder: Arc<Decoder>,
    queue: Arc<Queue>,
    threads: ThreadPool,
    max_running: usize,
    sequences: Vec<Sequence>,
}

impl Worker {
    /// Prepares a worker and the threads it computes with.
    pub(crate) fn new(
        decoder: Arc<Decoder>,
        queue: Arc<Queue>,
        settings: &Settings,
    ) -> Result<Self, LoadError> {
        let physical_cores = candle_core::utils::get_num_threads();
        let threads = ThreadPoolBuilder::new()
            .num_threads(settings.threads.unwrap_or(physical_cores))
            .thread_name(|index| format!("compute-{index}"))
            .build()
            .map_err(|error| LoadError::Worker(error.to_string()))?;
        Ok(Self {
            decoder,
            queue,
            threads,
            max_running: settings.max_running,
            sequences: Vec::new(),
        })
    }

    /// Works until the queue is closed.
    pub(crate) fn run(mut self) {
        loop {
            if self.sequences.is_empty() && !self.queue.wait() {
                return;
            }
            if self.queue.is_closed() {
                break;
            }
            self.admit();
            self.prefill();
            self.decode();
            self.sweep();
        }
        for mut sequence in self.sequences.drain(..) {
            sequence.fail(EngineError::ShuttingDown);
            sequence.end();
        }
    }

    /// Gives free slots to those who have waited longest.
    fn admit(&mut self) {
        self.queue.discard_abandoned();
        while self.sequences.len() < self.max_running {
            let Some((job, slot)) = self.queue.take() else {
                return;
            };
            self.sequences.push(Sequence::new(job, slot, &self.decoder));
        }
    }

    /// Reads one chunk of the oldest prompt that is not read yet.
    fn prefill(&mut self) {
        let waiting = |sequence: &&mut Sequence| sequence.is_prefilling() && !sequence.is_over();
        let Some(sequence) = self.sequences.iter_mut().find(waiting) else {
            return;
        };
        let mut batch = [sequence.prefill_chunk(PREFILL_TOKENS)];
        let logits = forward(&self.decoder, &self.threads, &mut batch);
        match logits {
            Ok(logits) => {
                for row in logits {
                    advance(sequence, &row);
                }
            }
            Err(error) => sequence.fail(error),
        }
    }

    /// Generates one token for every sequence whose prompt is read.
    fn decode(&mut self) {
        let ready = |sequence: &&mut Sequence| !sequence.is_prefilling() && !sequence.is_over();
        let mut ready = self.sequences.iter_mut().filter(ready).collect::<Vec<_>>();
        for group in ready.chunks_mut(EXACT_ROWS) {
            let chunks = group.iter_mut().map(|sequence| sequence.decode_chunk());
            let mut batch = chunks.collect::<Vec<_>>();
            let logits = forward(&self.decoder, &self.threads, &mut batch);
            match logits {
                Ok(logits) => {
                    for (sequence, row) in group.iter_mut().zip(logits) {
                        advance(sequence, &row);
                    }
                }
                Err(error) => {
                    for sequence in group {
                        sequence.fail(error.clone());
                    }
                }
            }
        }
    }

    /// Lets go of sequences that ended or that nobody listens to.
    fn sweep(&mut self) {
        for sequence in self.sequences.extract_if(.., |sequence| sequence.is_over()) {
            sequence.end();
        }
    }
}

fn forward(
    decoder: &Decoder,
    threads: &ThreadPool,
    batch: &mut [Chunk<'_>],
) -> Result<Vec<Vec<f32>>, EngineError> {
    let computed = catch_panic(|| threads.install(|| decoder.forward(batch)));
    computed.and_then(|logits| logits)
}

fn advance(sequence: &mut Sequence, logits: &[f32]) {
    if let Err(error) = catch_panic(|| sequence.advance(logits)) {
        sequence.fail(error);
    }
}

/// Turns a panic into an error of the requests at hand, so that the worker can go on. Whatever
/// the panic left half done belongs to these requests and is dropped with them.
///
/// A panic inside candle's quantised kernels poisons candle's own lock for good: later requests
/// to a quantised model then fail too, each with this error.
fn catch_panic<T>(work: impl FnOnce() -> T) -> Result<T, EngineError> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let reason = panic_message(&*panic);
        tracing::error!(reason, "a step of the model panicked");
        EngineError::Failed(format!("internal error: {reason}"))
    })
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("unknown")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error() {
        let failed = catch_panic(|| -> usize { panic!("out of {}", "luck") });
        let expected = EngineError::Failed("internal error: out of luck".into());
        assert_eq!(failed, Err(expected));
    }
}
