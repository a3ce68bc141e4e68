//! Brings an index that is behind, or new, to what the database says: the recovery from
//! every crash, and the rebuilding of every index.

use retrieval::{Change, Index};

use super::prepare;
use super::{BATCH_BYTES, BATCH_FILES};
use crate::LibraryError;
use crate::library::Core;
use crate::store::jobs::{self, Job};
use crate::store::{collections, documents, removals};

/// No generation completes more than `BATCH_FILES` files, so that twice as many always hold
/// one generation whole.
const READ_AHEAD: usize = 2 * BATCH_FILES;

/// Puts the next batch of completed files into the index, in the order of generations.
pub(super) fn run(core: &Core, collection_id: &str) -> Result<(), LibraryError> {
    let index = match core.indexes.get(&core.store, collection_id) {
        Err(LibraryError::NotFound { .. }) => {
            core.indexes.note_caught_up(collection_id);
            return Ok(());
        }
        opened => opened?,
    };
    let reached = index.generation();
    let (completed, remaining) = core.store.read(|connection| {
        let completed = jobs::completed_since(connection, collection_id, reached, READ_AHEAD)?;
        let remaining = jobs::count_waiting(connection)?
            + jobs::count_completed_since(connection, collection_id, reached)?;
        Ok((completed, remaining))
    })?;
    core.signal.begin(remaining);
    let batch = whole_generations(completed);
    let Some(upserts) = split_all(core, &batch.jobs)? else {
        return Ok(());
    };
    commit(core, collection_id, &index, batch, upserts)
}

/// Files of which no generation is taken in part.
struct Generations {
    jobs: Vec<Job>,
    /// Whether they are all there are.
    complete: bool,
}

/// Takes as many whole generations as make a batch, at least one.
fn whole_generations(mut jobs: Vec<Job>) -> Generations {
    let read_all = jobs.len() < READ_AHEAD;
    let generations: Vec<&[Job]> = jobs
        .chunk_by(|one, next| one.generation == next.generation)
        .collect();
    // Unless everything was read, the last generation may go on behind what was read.
    let whole = generations.len() - usize::from(!read_all);
    let (mut files, mut bytes) = (0, 0);
    for generation in &generations[..whole] {
        files += generation.len();
        bytes += generation.iter().map(|job| job.text_bytes).sum::<u64>();
        if files >= BATCH_FILES || bytes >= BATCH_BYTES {
            break;
        }
    }
    let complete = read_all && files == jobs.len();
    jobs.truncate(files);
    Generations { jobs, complete }
}

/// The passages of each file; `None` when the library is closing.
fn split_all(core: &Core, jobs: &[Job]) -> Result<Option<Vec<Change>>, LibraryError> {
    let mut changes = Vec::with_capacity(jobs.len());
    for job in jobs {
        if core.signal.is_stopping() {
            return Ok(None);
        }
        core.signal.reading(&job.filename);
        let document = core
            .store
            .read(|connection| documents::get(connection, &job.file_id))?;
        let passages = document.map(|document| prepare::split(core, job, &document));
        // A document that could be split once and cannot now leaves nothing to search; the
        // collection goes on without it.
        changes.push(Change::Upsert {
            file_id: job.file_id.clone(),
            passages: passages.and_then(Result::ok).unwrap_or_default(),
        });
        core.signal.read();
    }
    Ok(Some(changes))
}

fn commit(
    core: &Core,
    collection_id: &str,
    index: &Index,
    batch: Generations,
    upserts: Vec<Change>,
) -> Result<(), LibraryError> {
    let _changing = core.indexes.lock_changes();
    let mut changes = Vec::with_capacity(upserts.len());
    let state = core.store.read(|connection| {
        for (job, upsert) in batch.jobs.iter().zip(upserts) {
            // The file may have been removed while it was split.
            if jobs::still_stands(connection, collection_id, job)? {
                changes.push(upsert);
            }
        }
        let removed = removals::since(connection, collection_id, index.generation())?;
        changes.extend(
            removed
                .into_iter()
                .map(|file_id| Change::Delete { file_id }),
        );
        collections::index_state(connection, collection_id)
    })?;
    let Some(state) = state else {
        return Ok(());
    };
    let last = batch.jobs.last().map(|job| job.generation);
    let generation = match last {
        Some(last) if !batch.complete => last,
        _ => state.generation,
    };
    index.apply(changes, generation)?;
    if generation == state.generation {
        core.indexes.note_caught_up(collection_id);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    //! A batch must end with a generation, or the index would claim files it lacks.

    use super::*;

    #[test]
    fn batches_end_with_a_generation() {
        let check = |files: &[(u64, usize)], expected: (usize, bool)| {
            let jobs = files
                .iter()
                .flat_map(|&(generation, count)| std::iter::repeat_n(job(generation), count));
            let batch = whole_generations(jobs.take(READ_AHEAD).collect());
            assert_eq!((batch.jobs.len(), batch.complete), expected, "{files:?}");
        };
        check(&[], (0, true));
        check(&[(1, 3), (2, 4)], (7, true));
        check(&[(1, 40), (2, 40)], (80, true));
        check(&[(1, 64), (2, 10)], (64, false));
        check(&[(1, 64), (2, 64), (3, 5)], (64, false));
        check(&[(1, 60), (2, 60), (3, 60)], (120, false));
    }

    fn job(generation: u64) -> Job {
        Job {
            file_id: String::new(),
            filename: String::new(),
            source: None,
            generation,
            text_bytes: 1,
        }
    }
}
