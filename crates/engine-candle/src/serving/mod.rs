//! Running requests: a bounded queue, and workers that take sequences from it and step them.
//!
//! What the sequences run on is a [`Network`]: read `worker` for the loop, `memory` for keys and
//! values.

#[cfg(test)]
mod fake;
mod grammar;
mod logprobs;
mod memory;
mod network;
mod output;
mod pace;
mod penalties;
mod pointing;
mod queue;
mod quotable;
mod quotation;
mod random;
mod sampler;
mod schedule;
mod sequence;
mod task;
mod worker;
mod writing;

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use engine::{EngineError, Load};

use crate::{LoadError, Settings};
pub(crate) use grammar::{Grammar, Grammars};
pub(crate) use memory::PagedDecoder;
pub(crate) use network::{Kept, Network, Wanted};
pub(crate) use output::Wishes;
pub(crate) use pointing::{Pointers, Pointing};
use queue::{Queue, QueueLimits};
pub(crate) use quotation::{Quotation, Spellings};
pub(crate) use sampler::check as check_sampling;
pub(crate) use sequence::Job;
pub(crate) use task::{Looking, Scoring, Task};
use worker::Worker;
pub(crate) use writing::{Manner, Writing};

/// The workers of one model, behind one queue. Dropping it stops them within a step.
pub(crate) struct WorkerPool {
    queue: Arc<Queue>,
    workers: Vec<JoinHandle<()>>,
    kept: Arc<dyn Kept>,
}

impl WorkerPool {
    /// Starts the workers. They share the weights and the memory for sequences.
    pub(crate) fn start<N: Network>(network: N, settings: &Settings) -> Result<Self, LoadError> {
        let network = Arc::new(network);
        let limits = QueueLimits {
            requests: settings.queue,
            tokens: settings.queue_tokens,
            wait: settings.max_wait,
            slots: settings.workers * settings.max_running,
            workers: settings.workers,
        };
        let mut pool = Self {
            queue: Arc::new(Queue::new(limits)),
            workers: Vec::new(),
            kept: network.clone(),
        };
        for index in 0..settings.workers {
            let worker = Worker::new(index, network.clone(), pool.queue.clone(), settings)?;
            let handle = thread::Builder::new()
                .name(format!("worker-{index}"))
                .spawn(move || worker.run())
                .map_err(|error| LoadError::Worker(error.to_string()))?;
            pool.workers.push(handle);
        }
        Ok(pool)
    }

    /// Refuses at once if there is no place in the queue.
    pub(crate) fn check_room(&self) -> Result<(), EngineError> {
        self.queue.check_room()
    }

    /// Puts a request in the queue, or refuses it at once.
    pub(crate) fn submit(&self, job: Job) -> Result<(), EngineError> {
        self.queue.push(job)
    }

    /// Lets go of what is kept for later requests.
    pub(crate) fn forget(&self) {
        self.kept.forget();
    }

    /// How often that was asked.
    pub(crate) fn era(&self) -> u64 {
        self.kept.era()
    }

    /// What waits and what runs.
    pub(crate) fn load(&self) -> Load {
        Load {
            kv: self.kept.kv_load(),
            ..self.queue.load()
        }
    }
}

impl Drop for WorkerPool {
    fn drop(&mut self) {
        self.queue.close();
        for worker in self.workers.drain(..) {
            // A worker catches the panics of its steps; if it died all the same, it is gone.
            let _ = worker.join();
        }
    }
}
