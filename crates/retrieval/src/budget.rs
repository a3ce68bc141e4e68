//! How long a search may take.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The time of one search, however many collections and ways it is done in, and whether it was too
/// short. Clones share both.
#[derive(Debug, Clone)]
pub struct Budget {
    deadline: Instant,
    was_short: Arc<AtomicBool>,
}

impl Budget {
    /// From now on.
    pub fn of(time: Duration) -> Budget {
        Budget {
            deadline: Instant::now() + time,
            was_short: Arc::default(),
        }
    }

    /// Whether something was left out for want of time.
    pub fn was_short(&self) -> bool {
        self.was_short.load(Ordering::Relaxed)
    }

    /// Whether no time is left. Who asks leaves out what it was about to do.
    pub(crate) fn is_spent(&self) -> bool {
        let is_spent = Instant::now() >= self.deadline;
        if is_spent {
            self.was_short.store(true, Ordering::Relaxed);
        }
        is_spent
    }
}

/// The same budget, not an equal one.
impl PartialEq for Budget {
    fn eq(&self, other: &Budget) -> bool {
        Arc::ptr_eq(&self.was_short, &other.was_short)
    }
}

impl Eq for Budget {}
