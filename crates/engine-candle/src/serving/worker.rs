//! The inference thread: admit, feed everyone in one forward pass, send, repeat.
//!
//! A step takes a token of every sequence that generates, and some tokens of the prompts that are
//! still read (see `schedule`), so that a long prompt delays the others by one step at most.
//!
//! The tokens of a request do not depend on what else runs, nor on how its prompt is cut or where
//! the first part of it came from: each row of a batch is computed by itself in the same order of
//! operations, and keys and values are rounded one by one.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use engine::EngineError;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::network::{Network, Wanted};
use super::pace::{Step, Work};
use super::queue::Queue;
use super::schedule::{PATIENCE, most_tokens, shares};
use super::sequence::Sequence;
use crate::{LoadError, Settings};

/// One replica of the model at work.
pub(crate) struct Worker<N: Network> {
    index: usize,
    network: Arc<N>,
    queue: Arc<Queue>,
    threads: ThreadPool,
    max_running: usize,
    /// Oldest first.
    sequences: Vec<Sequence<N::Memory>>,
}

/// A sequence, and how many tokens it is fed in a step.
struct Fed<'a, M> {
    sequence: &'a mut Sequence<M>,
    tokens: usize,
}

impl<N: Network> Worker<N> {
    /// Prepares a worker and the threads it computes with.
    pub(crate) fn new(
        index: usize,
        network: Arc<N>,
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
            index,
            network,
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
            self.step();
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
            let admitted = self.queue.take(|job| {
                let wanted = Wanted {
                    prompt: job.shared(),
                    tokens: job.held_tokens(),
                    sharing: &job.sharing,
                };
                catch_panic(|| self.network.admit(&wanted))
            });
            let Some((job, memory, slot)) = admitted else {
                return;
            };
            self.sequences.push(Sequence::new(job, memory, slot));
        }
    }

    /// Feeds every sequence its next tokens, and sends what comes of it.
    fn step(&mut self) {
        let started = Instant::now();
        let network = &*self.network;
        let live = self.sequences.iter_mut().filter(|one| !one.is_over());
        let mut live = live.collect::<Vec<_>>();
        for sequence in &mut live {
            sequence.recall(network);
        }
        let left = live.iter().map(|one| one.prompt_left()).collect::<Vec<_>>();
        let within_patience = self.queue.pace(|pace| pace.prefill_tokens(PATIENCE));
        let shares = shares(&left, most_tokens(left.contains(&0), within_patience));
        let tokens = left.iter().zip(shares).map(|(left, share)| match left {
            0 => 1,
            _ => share,
        });
        let fed = live.into_iter().zip(tokens);
        let fed = fed.map(|(sequence, tokens)| Fed { sequence, tokens });
        let mut fed = fed.filter(|fed| fed.tokens > 0).collect::<Vec<_>>();
        let writers = left.iter().filter(|left| **left == 0).count();
        let tokens = fed.iter().map(|fed| fed.tokens).sum::<usize>();
        if !fed.is_empty() {
            feed(network, &self.threads, &mut fed);
        }
        let step = Step {
            prefilled: tokens - writers,
            decoded: writers,
            took: started.elapsed(),
        };
        self.queue.note_step(self.index, &step, self.work_left());
    }

    /// Lets go of sequences that ended or that nobody listens to.
    fn sweep(&mut self) {
        for sequence in self.sequences.extract_if(.., |sequence| sequence.is_over()) {
            if let Some(tokens) = sequence.whole_answer() {
                self.queue.note_answer(tokens);
            }
            sequence.end();
        }
    }

    fn work_left(&self) -> Work {
        let sequences = self.sequences.iter().filter(|one| !one.is_over());
        self.queue.pace(|pace| {
            let work = |one: &Sequence<N::Memory>| Work {
                prefill: one.prompt_left(),
                decode: one.answer_left(|most| pace.expected_answer(most)),
            };
            sequences.map(work).sum()
        })
    }
}

/// Feeds some sequences in one forward pass. If that fails, each is fed alone, so that only those
/// end that cannot go on.
fn feed<N: Network>(network: &N, threads: &ThreadPool, group: &mut [Fed<'_, N::Memory>]) {
    let found = {
        let chunks = group.iter_mut().map(|fed| fed.sequence.chunk(fed.tokens));
        let mut batch = chunks.collect::<Vec<_>>();
        catch_panic(|| threads.install(|| network.forward(&mut batch)))
    };
    match found.and_then(|found| found) {
        Ok(found) => {
            let mut found = found.into_iter();
            for Fed { sequence, tokens } in group {
                if sequence.was_fed(*tokens) {
                    advance(sequence, found.next());
                }
            }
        }
        Err(error) => match group {
            [alone] => alone.sequence.fail(error),
            several => {
                for index in 0..several.len() {
                    feed(network, threads, &mut several[index..=index]);
                }
            }
        },
    }
}

fn advance<M>(sequence: &mut Sequence<M>, numbers: Option<Vec<f32>>) {
    let Some(numbers) = numbers else {
        sequence.fail(EngineError::Failed("the model gave no logits".into()));
        return;
    };
    if let Err(error) = catch_panic(|| sequence.advance(numbers)) {
        sequence.fail(error);
    }
}

/// Turns a panic into an error of the requests at hand, so that the worker can go on. Whatever
/// the panic left half done belongs to these requests and is dropped with them.
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
mod tests;
