//! Who computes next: one batch at a time, searches before bulk work, and a bound on who waits.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use engine::EngineError;

/// How urgent a caller's batches are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Urgency {
    /// Somebody waits for the result of a search.
    Search,
    /// Many texts, such as documents that are being indexed. A search waits for at most the one
    /// batch that is being computed.
    Bulk,
}

/// The queue before a model.
pub(super) struct Turns {
    state: Mutex<State>,
    changed: Condvar,
    most: usize,
}

#[derive(Default)]
struct State {
    /// Somebody computes.
    taken: bool,
    /// Callers with a place.
    callers: usize,
    /// Counts tickets, so that equals come in the order in which they asked.
    next_ticket: u64,
    /// Those who wait for their turn, the next one first.
    waiting: BTreeSet<(Urgency, u64)>,
}

/// When a refused caller may try again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

impl Turns {
    /// A queue of at most `most` callers.
    pub(super) fn new(most: usize) -> Self {
        Self {
            state: Mutex::default(),
            changed: Condvar::new(),
            most,
        }
    }

    /// A place in the queue, for as many turns as the caller needs.
    ///
    /// # Errors
    ///
    /// [`EngineError::Busy`] when there is none.
    pub(super) fn enter(&self, urgency: Urgency) -> Result<Place<'_>, EngineError> {
        let mut state = self.state();
        if state.callers >= self.most {
            return Err(EngineError::Busy {
                retry_after: RETRY_AFTER,
            });
        }
        state.callers += 1;
        Ok(Place {
            turns: self,
            urgency,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A caller's place; dropping it gives it up.
pub(super) struct Place<'a> {
    turns: &'a Turns,
    urgency: Urgency,
}

impl<'a> Place<'a> {
    /// Waits until the caller may compute one batch. Dropping the turn lets the next one in.
    pub(super) fn turn(&self) -> Turn<'a> {
        let mut state = self.turns.state();
        let ticket = (self.urgency, state.next_ticket);
        state.next_ticket += 1;
        state.waiting.insert(ticket);
        let not_yet = |state: &mut State| state.taken || state.waiting.first() != Some(&ticket);
        let waited = self.turns.changed.wait_while(state, not_yet);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        state.waiting.remove(&ticket);
        state.taken = true;
        Turn(self.turns)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.turns.state().callers -= 1;
    }
}

/// Leave to compute one batch.
pub(super) struct Turn<'a>(&'a Turns);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.state().taken = false;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    #[test]
    fn searches_go_before_bulk_work_that_came_earlier() {
        let turns = Turns::new(8);
        let holder = turns.enter(Urgency::Bulk).expect("the queue is empty");
        let turn = holder.turn();
        let (done, order) = mpsc::channel();
        thread::scope(|scope| {
            for (name, urgency) in [("bulk", Urgency::Bulk), ("search", Urgency::Search)] {
                let (done, turns) = (done.clone(), &turns);
                scope.spawn(move || {
                    let place = turns.enter(urgency).expect("there is room");
                    let _turn = place.turn();
                    done.send(name).expect("the test listens");
                });
            }
            while turns.state().waiting.len() < 2 {
                thread::yield_now();
            }
            drop(turn);
        });
        assert_eq!(order.try_iter().collect::<Vec<_>>(), ["search", "bulk"]);
    }

    #[test]
    fn a_full_queue_refuses_until_a_place_is_free() {
        let turns = Turns::new(1);
        let place = turns.enter(Urgency::Search).expect("the queue is empty");
        let refused = turns.enter(Urgency::Search).err();
        assert!(matches!(refused, Some(EngineError::Busy { .. })));
        drop(place);
        assert!(turns.enter(Urgency::Bulk).is_ok());
    }
}
