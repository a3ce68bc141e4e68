//! What the ingest thread, the embedding thread and those who wait for them tell each other.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::LibraryError;
use crate::store::unpoisoned;

/// How far indexing has come since the library was last at rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Files read.
    pub done: u64,
    /// Files read or still to be read.
    pub total: u64,
    /// The name of the file being read.
    pub current: Option<String>,
}

/// Wakes the ingest thread, and those who wait for it.
#[derive(Default)]
pub(crate) struct Signal {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Work came in since the ingest thread last looked.
    arrived: bool,
    /// The ingest thread looked and found nothing to do.
    at_rest: bool,
    /// The ingest thread is to end.
    stopping: bool,
    /// The ingest thread has ended.
    stopped: bool,
    /// Why the last try failed.
    stall: Option<Stall>,
    /// Why the embedding thread's last try failed.
    embedding_stall: Option<String>,
    /// The embedding thread has ended.
    embedding_stopped: bool,
    progress: Progress,
    /// Counts changes, so that those who wait see each but the ones they sleep through.
    changes: u64,
}

#[derive(Clone)]
enum Stall {
    StorageFull,
    Other(String),
}

impl Signal {
    /// Tells the ingest thread that there is work.
    pub(crate) fn work_arrived(&self) {
        self.change(|state| {
            if state.at_rest {
                state.progress = Progress::default();
            }
            state.arrived = true;
            state.at_rest = false;
            state.stall = None;
        });
    }

    /// Asks the ingest thread to end.
    pub(crate) fn stop(&self) {
        self.change(|state| state.stopping = true);
    }

    /// Whether the ingest thread was asked to end.
    pub(crate) fn is_stopping(&self) -> bool {
        unpoisoned(&self.state).stopping
    }

    /// For the ingest thread, when it tidies: whether there is something better to do.
    pub(crate) fn is_wanted(&self) -> bool {
        let state = unpoisoned(&self.state);
        state.arrived || state.stopping
    }

    /// For the ingest thread, when it found nothing to do: says so to those who wait.
    pub(crate) fn at_rest(&self) {
        let mut state = unpoisoned(&self.state);
        if !state.arrived {
            state.at_rest = true;
            state.stall = None;
            state.progress.current = None;
            self.publish(&mut state);
        }
    }

    /// For the ingest thread, when it found nothing to do: waits for work. `false` when the
    /// thread is to end.
    pub(crate) fn rest(&self) -> bool {
        let state = unpoisoned(&self.state);
        let mut state = self.wait_while(state, |state| !state.arrived && !state.stopping);
        state.arrived = false;
        !state.stopping
    }

    /// For the ingest thread, when a try failed: waits for a while or for new work, then it
    /// is to try again. `false` when the thread is to end.
    pub(crate) fn rest_after(&self, error: &LibraryError, pause: Duration) -> bool {
        let stall = match error {
            LibraryError::StorageFull => Stall::StorageFull,
            other => Stall::Other(other.with_causes()),
        };
        self.change(|state| state.stall = Some(stall));
        let state = unpoisoned(&self.state);
        let (mut state, _) = self
            .changed
            .wait_timeout_while(state, pause, |state| !state.arrived && !state.stopping)
            .unwrap_or_else(PoisonError::into_inner);
        state.arrived = false;
        !state.stopping
    }

    /// For the ingest thread: a batch begins, and `remaining` files wait with it.
    pub(crate) fn begin(&self, remaining: u64) {
        self.change(|state| {
            state.progress.total = state.progress.done + remaining;
        });
    }

    /// For the ingest thread: the file of that name is being read.
    pub(crate) fn reading(&self, filename: &str) {
        self.change(|state| state.progress.current = Some(filename.to_string()));
    }

    /// For the ingest thread: that file was read.
    pub(crate) fn read(&self) {
        self.change(|state| state.progress.done += 1);
    }

    /// For the ingest thread: what was read has reached the index.
    pub(crate) fn committed(&self) {
        self.change(|state| state.stall = None);
    }

    /// Tells the embedding thread that a collection's contents changed.
    pub(crate) fn contents_changed(&self) {
        self.change(|_| ());
    }

    /// For the embedding thread: some vectors are in place, new or found on the disk.
    pub(crate) fn embedded(&self) {
        self.change(|_| ());
    }

    /// For the embedding thread, when a try failed: says so to those who wait.
    pub(crate) fn embedding_stalled(&self, error: &LibraryError) {
        let reason = error.with_causes();
        self.change(|state| state.embedding_stall = Some(reason));
    }

    /// For the embedding thread: a try went well.
    pub(crate) fn embedding_goes_on(&self) {
        let mut state = unpoisoned(&self.state);
        if state.embedding_stall.take().is_some() {
            self.publish(&mut state);
        }
    }

    /// For the embedding thread: it has ended, however it did.
    pub(crate) fn embedding_stopped(&self) {
        self.change(|state| state.embedding_stopped = true);
    }

    /// What keeps vectors from being made, if anything does.
    pub(crate) fn embedding_trouble(&self) -> Option<LibraryError> {
        let state = unpoisoned(&self.state);
        if state.stopping || state.embedding_stopped {
            return Some(LibraryError::Closed);
        }
        let reason = state.embedding_stall.clone()?;
        Some(LibraryError::Stalled { reason })
    }

    /// Counts all that has happened.
    pub(crate) fn changes(&self) -> u64 {
        unpoisoned(&self.state).changes
    }

    /// Waits until more has happened than `seen`, or the library is closing.
    pub(crate) fn wait_past(&self, seen: u64) {
        let state = unpoisoned(&self.state);
        drop(self.wait_while(state, |state| state.changes == seen && !state.stopping));
    }

    /// Waits for a while, or until the library is closing.
    pub(crate) fn pause(&self, pause: Duration) {
        let state = unpoisoned(&self.state);
        let waited = self
            .changed
            .wait_timeout_while(state, pause, |state| !state.stopping);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// For the ingest thread: it has ended, however it did.
    pub(crate) fn stopped(&self) {
        self.change(|state| state.stopped = true);
    }

    /// How far indexing has come; `None` when there is nothing to do.
    pub(crate) fn progress(&self) -> Option<Progress> {
        let state = unpoisoned(&self.state);
        (!state.at_rest).then(|| state.progress.clone())
    }

    /// Waits until there is nothing to do, reporting on the way and at the end.
    pub(crate) fn wait_until_idle(
        &self,
        report: &mut dyn FnMut(Progress),
    ) -> Result<(), LibraryError> {
        loop {
            let state = unpoisoned(&self.state);
            let seen = state.changes;
            let outcome = state.outcome();
            let progress = state.progress.clone();
            // The report may take its time; the ingest thread must not wait for it.
            drop(state);
            report(progress);
            if let Some(outcome) = outcome {
                return outcome;
            }
            drop(self.wait_while(unpoisoned(&self.state), |state| state.changes == seen));
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = unpoisoned(&self.state);
        change(&mut state);
        self.publish(&mut state);
    }

    fn publish(&self, state: &mut State) {
        state.changes += 1;
        self.changed.notify_all();
    }

    fn wait_while<'a>(
        &self,
        state: MutexGuard<'a, State>,
        condition: impl FnMut(&mut State) -> bool,
    ) -> MutexGuard<'a, State> {
        self.changed
            .wait_while(state, condition)
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What waiting comes to, once there is no more reason to wait.
    fn outcome(&self) -> Option<Result<(), LibraryError>> {
        if self.at_rest {
            return Some(Ok(()));
        }
        if self.stopped || self.stopping {
            return Some(Err(LibraryError::Closed));
        }
        let stall = self.stall.clone()?;
        Some(Err(match stall {
            Stall::StorageFull => LibraryError::StorageFull,
            Stall::Other(reason) => LibraryError::Stalled { reason },
        }))
    }
}
