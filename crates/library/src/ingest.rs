//! The ingest thread: takes what the database says is to be done, and does it.
//!
//! There is one, because an index has one writer; for extraction it calls in as many others as
//! there are cores. It holds no lock while it extracts and splits.

mod catch_up;
pub(crate) mod prepare;
mod settle;
mod tidy;

use std::collections::BTreeMap;
use std::time::Duration;

use tracing::warn;

use crate::library::Core;
use crate::signal::Signal;
use crate::store::jobs;
use crate::{Event, LibraryError};

/// A batch ends with the file that reaches one of these, so that an index commit is worth its
/// cost, memory stays bounded, and the first files are searchable soon.
const BATCH_FILES: usize = 64;
const BATCH_BYTES: u64 = 8_000_000;
const BATCH_TIME: Duration = Duration::from_secs(1);

/// How long to wait before trying again when the disk is full or broken.
const RETRY_PAUSE: Duration = Duration::from_secs(5);

/// Works until the library is closed.
pub(crate) fn run(core: &Core) {
    let _stopped = StoppedOnDrop(&core.signal);
    let mut troubled = Troubled::new();
    while !core.signal.is_stopping() {
        let go_on = match step(core, &mut troubled) {
            Ok(Step::Worked) => true,
            Ok(Step::NothingLeft) => {
                core.signal.at_rest();
                core.listeners.tell(&Event::AtRest);
                tidy::run(core);
                core.signal.rest()
            }
            Err(error) => {
                warn!(error = error.with_causes(), "indexing is stalled");
                troubled.clear();
                if matches!(error, LibraryError::StorageFull) {
                    tidy::make_room(core);
                }
                core.signal.rest_after(&error, RETRY_PAUSE)
            }
        };
        if !go_on {
            return;
        }
    }
}

/// Collections whose last batch failed, and why.
type Troubled = BTreeMap<String, LibraryError>;

/// What a step came to.
enum Step {
    Worked,
    NothingLeft,
}

/// One batch of work.
enum Task {
    /// Put what the database has completed into an index that is behind.
    CatchUp(String),
    /// Read files that wait, and complete them.
    Settle(String),
}

/// Tells those who wait that the thread has ended, even by a panic.
struct StoppedOnDrop<'a>(&'a Signal);

impl Drop for StoppedOnDrop<'_> {
    fn drop(&mut self) {
        self.0.stopped();
    }
}

/// Does one batch. A collection whose batch fails is passed over until all others are done,
/// so that one bad collection does not keep them waiting.
fn step(core: &Core, troubled: &mut Troubled) -> Result<Step, LibraryError> {
    let Some(task) = next_task(core, troubled)? else {
        return match troubled.pop_first() {
            Some((_, error)) => Err(error),
            None => Ok(Step::NothingLeft),
        };
    };
    let result = match &task {
        Task::CatchUp(collection_id) => catch_up::run(core, collection_id),
        Task::Settle(collection_id) => settle::run(core, collection_id),
    };
    let (Task::CatchUp(collection_id) | Task::Settle(collection_id)) = task;
    match result {
        Ok(()) => core.signal.committed(),
        Err(error) => {
            troubled.insert(collection_id, error);
        }
    }
    Ok(Step::Worked)
}

/// An index that is behind comes before the files that wait for it.
fn next_task(core: &Core, troubled: &Troubled) -> Result<Option<Task>, LibraryError> {
    if let Some(behind) = core.indexes.next_behind(|id| troubled.contains_key(id)) {
        return Ok(Some(Task::CatchUp(behind)));
    }
    let except: Vec<&String> = troubled.keys().collect();
    let waiting = core
        .store
        .read(|connection| jobs::next_collection(connection, &except))?;
    Ok(waiting.map(Task::Settle))
}
