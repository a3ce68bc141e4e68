//! Files that wait become searchable, or fail: one index commit for a batch.

use std::collections::BTreeSet;

use retrieval::{Change, Index};
use rusqlite::Connection;
use sha2::{Digest, Sha256};

use super::BATCH_FILES;
use super::prepare::{self, Extracted, Prepared};
use crate::library::Core;
use crate::store::{collections, contents, documents, files, jobs, memberships, removals};
use crate::{Event, FileEvent, LibraryError, Status};

/// Reads a batch of files that wait for the collection's index, and settles them.
pub(super) fn run(core: &Core, collection_id: &str) -> Result<(), LibraryError> {
    let (waiting, remaining) = core.store.read(|connection| {
        let waiting = jobs::waiting(connection, collection_id, BATCH_FILES)?;
        Ok((waiting, jobs::count_waiting(connection)?))
    })?;
    core.signal.begin(remaining);
    let batch = prepare::batch(core, waiting)?;
    // The texts are kept before the index has them: whatever a search finds can be quoted,
    // and a crash from here on costs no extraction.
    if !batch.extracted.is_empty() {
        core.store
            .write(|connection| keep(connection, &batch.extracted))?;
    }
    drop(batch.extracted);
    settle(core, collection_id, batch.prepared)
}

/// How a batch changes its collection.
struct Settlement {
    generation: u64,
    prepared: Vec<Prepared>,
    /// Older files from the sources of those in `prepared`.
    superseded: Vec<String>,
}

fn keep(connection: &Connection, extracted: &[Extracted]) -> Result<(), LibraryError> {
    for Extracted {
        file_id,
        document,
        content,
    } in extracted
    {
        // The file may have been deleted while it was read.
        if files::get(connection, file_id)?.is_none() {
            continue;
        }
        documents::put(connection, file_id, document)?;
        if let Some(bytes) = content {
            let digest = Sha256::digest(bytes).into();
            files::set_digest(connection, file_id, bytes.len() as u64, &digest)?;
            contents::put(connection, file_id, &mut bytes.as_slice())?;
        }
    }
    Ok(())
}

/// Index first, database second. Between the two the index is ahead; a crash there makes the
/// next opening build it again, and the files still wait.
fn settle(core: &Core, collection_id: &str, prepared: Vec<Prepared>) -> Result<(), LibraryError> {
    let _changing = core.indexes.lock_changes();
    let index = core.indexes.get(&core.store, collection_id)?;
    let Some(mut settlement) = plan(core, collection_id, &index, prepared)? else {
        return Ok(());
    };
    index.apply(settlement.take_changes(), settlement.generation)?;
    core.store
        .write(|connection| settlement.record(connection, collection_id))?;
    settlement.tell(core, collection_id);
    Ok(())
}

/// What of the batch still holds now that nobody else may change the collection. `None` when
/// there is nothing to do, or when the index has to be caught up first.
fn plan(
    core: &Core,
    collection_id: &str,
    index: &Index,
    prepared: Vec<Prepared>,
) -> Result<Option<Settlement>, LibraryError> {
    core.store.read(|connection| {
        let Some(state) = collections::index_state(connection, collection_id)? else {
            return Ok(None);
        };
        if index.generation() < state.generation {
            core.indexes.note_behind(collection_id);
            return Ok(None);
        }
        let mut standing = Vec::with_capacity(prepared.len());
        let mut superseded = BTreeSet::new();
        for prepared in prepared {
            let job = &prepared.job;
            if jobs::still_stands(connection, collection_id, job)? {
                // A successor that cannot be read replaces nothing that could.
                let readable = prepared.outcome.is_ok();
                let file_id = &job.file_id;
                let older =
                    memberships::superseded_by(connection, collection_id, file_id, readable)?;
                superseded.extend(older);
                standing.push(prepared);
            }
        }
        Ok((!standing.is_empty()).then(|| Settlement {
            // An index can be ahead when recording its last commit failed.
            generation: state.generation.max(index.generation()) + 1,
            prepared: standing,
            superseded: superseded.into_iter().collect(),
        }))
    })
}

impl Settlement {
    /// Moves the passages into changes. What failed is deleted, because an earlier try that
    /// was not recorded may have left it in the index. What is superseded is deleted in the
    /// commit that brings its successor, so that a search sees one of the two.
    fn take_changes(&mut self) -> Vec<Change> {
        let of_prepared = self.prepared.iter_mut().map(|prepared| {
            let file_id = prepared.job.file_id.clone();
            match &mut prepared.outcome {
                Ok(passages) => Change::Upsert {
                    file_id,
                    passages: std::mem::take(passages),
                },
                Err(_) => Change::Delete { file_id },
            }
        });
        let of_superseded = self.superseded.iter().map(|file_id| Change::Delete {
            file_id: file_id.clone(),
        });
        of_prepared.chain(of_superseded).collect()
    }

    fn tell(&self, core: &Core, collection_id: &str) {
        for Prepared { job, outcome } in &self.prepared {
            core.listeners.tell(&Event::File(FileEvent {
                collection_id: collection_id.to_string(),
                file_id: job.file_id.clone(),
                filename: Some(job.filename.clone()),
                status: Some(match outcome {
                    Ok(_) => Status::Completed,
                    Err(_) => Status::Failed,
                }),
                last_error: outcome.as_ref().err().cloned(),
            }));
        }
        core.listeners.removed(collection_id, &self.superseded);
    }

    fn record(&self, connection: &Connection, collection_id: &str) -> Result<(), LibraryError> {
        for Prepared { job, outcome } in &self.prepared {
            let file_id = &job.file_id;
            match outcome {
                Ok(_) => {
                    memberships::complete(connection, collection_id, file_id, self.generation)?;
                }
                Err(error) => memberships::fail(connection, collection_id, file_id, error)?,
            }
        }
        removals::remove_members(connection, collection_id, &self.superseded, self.generation)?;
        files::delete_superseded(connection, &self.superseded)?;
        collections::set_generation(connection, collection_id, self.generation)
    }
}
