//! Requests that wait for a slot, and how many have one.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use engine::{EngineError, Load};

use super::Job;

/// The bounded queue in front of the workers.
pub(crate) struct Queue {
    capacity: usize,
    state: Mutex<State>,
    arrived: Condvar,
}

struct State {
    waiting: VecDeque<Job>,
    running: usize,
    closed: bool,
}

/// The right to run; free again when dropped.
pub(crate) struct Slot(Arc<Queue>);

/// Told to whoever finds the queue full. Answers take seconds on a CPU.
const RETRY_AFTER: Duration = Duration::from_secs(2);

impl Queue {
    /// A queue for this many requests.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            state: Mutex::new(State {
                waiting: VecDeque::new(),
                running: 0,
                closed: false,
            }),
            arrived: Condvar::new(),
        }
    }

    /// Refuses at once if there is no place.
    pub(crate) fn check_room(&self) -> Result<(), EngineError> {
        self.room(&mut self.lock())
    }

    /// Adds a request at the end.
    pub(crate) fn push(&self, job: Job) -> Result<(), EngineError> {
        let mut state = self.lock();
        self.room(&mut state)?;
        state.waiting.push_back(job);
        self.arrived.notify_one();
        Ok(())
    }

    /// Waits until there is a request to take; `false` when the queue was closed.
    pub(crate) fn wait(&self) -> bool {
        let nothing = |state: &mut State| state.waiting.is_empty() && !state.closed;
        let state = self.arrived.wait_while(self.lock(), nothing);
        !state.unwrap_or_else(PoisonError::into_inner).closed
    }

    /// The queue was closed: running sequences are to be ended too.
    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// The request that has waited longest, with a slot.
    pub(crate) fn take(self: &Arc<Self>) -> Option<(Job, Slot)> {
        let mut state = self.lock();
        let job = state.waiting.pop_front()?;
        state.running += 1;
        Some((job, Slot(self.clone())))
    }

    /// Forgets requests nobody waits for any more.
    pub(crate) fn discard_abandoned(&self) {
        self.lock().waiting.retain(|job| !job.is_abandoned());
    }

    /// Refuses everything from now on, also what waits.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        for job in state.waiting.drain(..) {
            job.fail(EngineError::ShuttingDown);
        }
        self.arrived.notify_all();
    }

    /// What waits and what runs, at one moment.
    pub(crate) fn load(&self) -> Load {
        let state = self.lock();
        Load {
            waiting: state.waiting.len(),
            running: state.running,
        }
    }

    fn room(&self, state: &mut State) -> Result<(), EngineError> {
        if state.closed {
            return Err(EngineError::ShuttingDown);
        }
        if state.waiting.len() >= self.capacity {
            state.waiting.retain(|job| !job.is_abandoned());
        }
        if state.waiting.len() >= self.capacity {
            return Err(EngineError::Busy {
                retry_after: RETRY_AFTER,
            });
        }
        Ok(())
    }

    /// Nothing that is done under the lock leaves the state half changed, so a poisoned lock
    /// is as good as any.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.lock().running -= 1;
    }
}
