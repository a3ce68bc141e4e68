//! Requests that wait for a slot, what has one, and who is refused.
//!
//! Requests are taken in the order in which they came. One that finds no memory yet keeps those
//! behind it waiting, or a large one might wait for ever.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use engine::{EngineError, Load};

use super::Job;
use super::pace::{Pace, Step, Work};

/// The bounded queue in front of the workers.
pub(crate) struct Queue {
    limits: QueueLimits,
    state: Mutex<State>,
    changed: Condvar,
}

/// What may wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QueueLimits {
    /// Requests that may wait.
    pub(crate) requests: usize,
    /// Tokens of prompts that may wait. One request may always wait, whatever its length.
    pub(crate) tokens: usize,
    /// How long a request may have to wait, by the speed measured so far.
    pub(crate) wait: Duration,
    /// Requests that run at the same time.
    pub(crate) slots: usize,
    /// Workers that take from the queue.
    pub(crate) workers: usize,
}

struct State {
    waiting: VecDeque<Job>,
    running: usize,
    /// The first request that waits found no memory, and none was given back since.
    stuck: bool,
    closed: bool,
    pace: Pace,
    /// What each worker has taken and not yet done.
    backlogs: Vec<Work>,
}

/// The right to run; free again when dropped.
pub(crate) struct Slot(Arc<Queue>);

/// Told to whoever is refused before anything was measured. Answers take seconds on a CPU.
const RETRY_UNMEASURED: Duration = Duration::from_secs(2);

impl Queue {
    /// An empty queue.
    pub(crate) fn new(limits: QueueLimits) -> Self {
        Self {
            limits,
            state: Mutex::new(State {
                waiting: VecDeque::new(),
                running: 0,
                stuck: false,
                closed: false,
                pace: Pace::default(),
                backlogs: vec![Work::default(); limits.workers],
            }),
            changed: Condvar::new(),
        }
    }

    /// Refuses at once if not even the shortest request has room.
    pub(crate) fn check_room(&self) -> Result<(), EngineError> {
        self.room(&mut self.lock(), 1)
    }

    /// Adds a request at the end, or refuses it at once.
    pub(crate) fn push(&self, job: Job) -> Result<(), EngineError> {
        let mut state = self.lock();
        self.room(&mut state, job.prompt.len())?;
        state.waiting.push_back(job);
        self.changed.notify_one();
        Ok(())
    }

    /// Waits until there is a request to take; `false` when the queue was closed.
    pub(crate) fn wait(&self) -> bool {
        let nothing = |state: &mut State| {
            let none = state.waiting.is_empty() || state.stuck;
            none && !state.closed
        };
        let state = self.changed.wait_while(self.lock(), nothing);
        !state.unwrap_or_else(PoisonError::into_inner).closed
    }

    /// The queue was closed: running sequences are to be ended too.
    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// The request that has waited longest, with a slot and with the memory that `admit` finds
    /// for it. If that is none, all wait until some is given back. One that cannot be admitted is
    /// answered with the error, and the next is taken.
    pub(crate) fn take<M>(
        self: &Arc<Self>,
        admit: impl Fn(&Job) -> Result<Option<M>, EngineError>,
    ) -> Option<(Job, M, Slot)> {
        let mut state = self.lock();
        if state.stuck {
            return None;
        }
        loop {
            match admit(state.waiting.front()?) {
                Ok(Some(memory)) => {
                    let job = state.waiting.pop_front()?;
                    state.running += 1;
                    return Some((job, memory, Slot(self.clone())));
                }
                Ok(None) if state.running > 0 => {
                    state.stuck = true;
                    return None;
                }
                // Nobody will give any back.
                Ok(None) => {
                    let why = "the request does not fit in memory";
                    state
                        .waiting
                        .pop_front()?
                        .fail(EngineError::Failed(why.into()));
                }
                Err(error) => state.waiting.pop_front()?.fail(error),
            }
        }
    }

    /// Forgets requests nobody waits for any more.
    pub(crate) fn discard_abandoned(&self) {
        self.lock().discard_abandoned();
    }

    /// Takes note of a step of a worker, and of what it has left to do.
    pub(crate) fn note_step(&self, worker: usize, step: &Step, left: Work) {
        let mut state = self.lock();
        state.pace.note_step(step);
        state.backlogs[worker] = left;
    }

    /// Takes note of an answer of so many tokens.
    pub(crate) fn note_answer(&self, tokens: usize) {
        self.lock().pace.note_answer(tokens);
    }

    /// Reads what was measured.
    pub(crate) fn pace<T>(&self, read: impl FnOnce(&Pace) -> T) -> T {
        read(&self.lock().pace)
    }

    /// Refuses everything from now on, also what waits.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        for job in state.waiting.drain(..) {
            job.fail(EngineError::ShuttingDown);
        }
        self.changed.notify_all();
    }

    /// What waits and what runs, at one moment.
    pub(crate) fn load(&self) -> Load {
        let state = self.lock();
        Load {
            waiting: state.waiting.len(),
            running: state.running,
            waiting_tokens: state.waiting_tokens(),
            wait: self.wait_for_slot(&state).unwrap_or_default(),
            ..Load::default()
        }
    }

    fn room(&self, state: &mut State, tokens: usize) -> Result<(), EngineError> {
        if state.closed {
            return Err(EngineError::ShuttingDown);
        }
        state.discard_abandoned();
        let waiting = state.waiting.len();
        let too_many = waiting >= self.limits.requests;
        let too_long = waiting > 0 && state.waiting_tokens() + tokens > self.limits.tokens;
        if too_many || too_long {
            return Err(busy(self.time_of_endings(state, 1)));
        }
        match self.wait_for_slot(state) {
            Some(wait) if wait > self.limits.wait => Err(busy(Some(wait - self.limits.wait))),
            _ => Ok(()),
        }
    }

    /// How long a request that comes now would wait; `None` if that is not known.
    fn wait_for_slot(&self, state: &State) -> Option<Duration> {
        // One that found no memory waits as if there were no more slots.
        let free = match state.stuck {
            true => 0,
            false => self.limits.slots.saturating_sub(state.running),
        };
        let endings = (state.waiting.len() + 1).saturating_sub(free);
        self.time_of_endings(state, endings)
    }

    /// How long it takes until so many requests have ended, of those that run or wait. They end
    /// one after the other, in equal distances: a guess, for they have come at any time.
    fn time_of_endings(&self, state: &State, endings: usize) -> Option<Duration> {
        let requests = state.running + state.waiting.len();
        if endings == 0 || requests == 0 {
            return Some(Duration::ZERO);
        }
        let waiting = state.waiting.iter().map(|job| Work {
            prefill: job.prompt.len(),
            decode: state.pace.expected_answer(job.max_tokens()),
        });
        let work = waiting.chain(state.backlogs.iter().copied()).sum();
        let all = state.pace.time(work)?.div_f64(self.limits.workers as f64);
        Some(all.mul_f64(endings as f64 / requests as f64))
    }

    /// Nothing that is done under the lock leaves the state half changed, so a poisoned lock
    /// is as good as any.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn waiting_tokens(&self) -> usize {
        self.waiting.iter().map(|job| job.prompt.len()).sum()
    }

    fn discard_abandoned(&mut self) {
        let before = self.waiting.len();
        self.waiting.retain(|job| !job.is_abandoned());
        if self.waiting.len() < before {
            // It may have been the one that found no memory.
            self.stuck = false;
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.running -= 1;
        state.stuck = false;
        self.0.changed.notify_all();
    }
}

fn busy(retry_after: Option<Duration>) -> EngineError {
    let retry_after = retry_after.unwrap_or(RETRY_UNMEASURED);
    EngineError::Busy {
        retry_after: retry_after.max(Duration::from_secs(1)),
    }
}

#[cfg(test)]
mod tests;
