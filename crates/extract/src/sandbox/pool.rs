//! The children that wait for the next file.

use std::sync::{Mutex, PoisonError};

use super::Sandbox;
use super::worker::Worker;
use crate::{Document, ExtractError};

/// Files a child reads before it is replaced, so that what a parser leaks or keeps stays bounded.
const MAX_FILES: usize = 100;

/// A child that read a larger file than this is not kept: its heap does not shrink.
const MAX_KEPT_BYTES: usize = 4 << 20;

/// Children waiting for work. There are never more than have worked at the same time.
#[derive(Debug)]
pub(super) struct Pool {
    sandbox: Sandbox,
    idle: Mutex<Vec<Worker>>,
}

impl Pool {
    pub(super) fn new(sandbox: Sandbox) -> Self {
        Self {
            sandbox,
            idle: Mutex::new(Vec::new()),
        }
    }

    pub(super) fn extract(&self, filename: &str, bytes: &[u8]) -> Result<Document, ExtractError> {
        let waiting = self.idle().pop();
        let worker = match waiting {
            Some(worker) => worker,
            None => self.start()?,
        };
        let (result, worker) = worker.extract(&self.sandbox, filename, bytes);
        if let Some(worker) = worker
            && worker.files < MAX_FILES
            && bytes.len() <= MAX_KEPT_BYTES
        {
            self.idle().push(worker);
        }
        result
    }

    fn start(&self) -> Result<Worker, ExtractError> {
        Worker::start(&self.sandbox).map_err(|error| ExtractError::Unavailable {
            reason: error.to_string(),
        })
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Worker>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
