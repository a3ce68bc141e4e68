//! Running requests: a bounded queue, and workers that take sequences from it and step them.

mod penalties;
mod queue;
mod random;
mod sampler;
mod sequence;
mod worker;

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use engine::{EngineError, Load};

use crate::decoder::Decoder;
use crate::{LoadError, Settings};
use queue::Queue;
pub(crate) use sampler::check as check_sampling;
pub(crate) use sequence::Job;
use worker::Worker;

/// The workers of one model, behind one queue. Dropping it stops them within a step.
pub(crate) struct WorkerPool {
    queue: Arc<Queue>,
    workers: Vec<JoinHandle<()>>,
}

impl WorkerPool {
    /// Starts the workers. They share the weights.
    pub(crate) fn start(decoder: Decoder, settings: &Settings) -> Result<Self, LoadError> {
        let decoder = Arc::new(decoder);
        let mut pool = Self {
            queue: Arc::new(Queue::new(settings.queue)),
            workers: Vec::new(),
        };
        for index in 0..settings.workers {
            let worker = Worker::new(decoder.clone(), pool.queue.clone(), settings)?;
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

    /// What waits and what runs.
    pub(crate) fn load(&self) -> Load {
        self.queue.load()
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
