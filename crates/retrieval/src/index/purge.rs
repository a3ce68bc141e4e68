//! Deleted passages leave searches at once, and the disk when their segment is written anew.

use tantivy::collector::Count;
use tantivy::query::TermQuery;
use tantivy::schema::IndexRecordOption;
use tantivy::{SegmentMeta, TantivyError};

use super::storage::{self, storage_error};
use super::{Index, PoisonError};
use crate::error::RetrievalError;

/// A segment of at most so many passages is written anew for a single deletion: it costs less
/// than a second.
const SMALL_SEGMENT: u32 = 20_000;

/// A larger one when one in so many of its passages is deleted.
const DELETED_SHARE: u32 = 50;

impl Index {
    /// Rewrites the segments that hold deleted passages, so that nothing of these stays on the
    /// disk and their space is free again. A large segment waits until two in a hundred of its
    /// passages are deleted. Searches and changes go on meanwhile.
    ///
    /// # Errors
    /// As those of [`Index::apply`]; what is searchable is the same.
    pub fn purge(&self) -> Result<(), RetrievalError> {
        let mut slot = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let segments = self
            .index
            .searchable_segment_metas()
            .map_err(storage_error)?;
        let worthwhile: Vec<_> = segments.iter().filter(is_worthwhile).collect();
        if worthwhile.is_empty() {
            return Ok(());
        }
        let writer = match &mut *slot {
            Some(writer) => writer,
            none => none.insert(self.open_writer()?),
        };
        let rewritten: Vec<_> = worthwhile
            .iter()
            .map(|segment| writer.merge(&[segment.id()]))
            .collect();
        drop(slot);
        for segment in rewritten {
            match segment.wait() {
                // A commit meanwhile has begun to merge the segment already.
                Ok(_) | Err(TantivyError::InvalidArgument(_)) => {}
                Err(error) => return Err(storage_error(error)),
            }
        }
        self.sweep()
    }

    /// Lets go of the segments that were rewritten, and deletes their files.
    fn sweep(&self) -> Result<(), RetrievalError> {
        let slot = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(writer) = &*slot {
            writer
                .garbage_collect_files()
                .wait()
                .map_err(storage_error)?;
        }
        self.reload(slot)
    }

    /// Reads all of the index and compares it with its checksums, which takes about as long as
    /// copying it.
    ///
    /// # Errors
    /// [`RetrievalError::Damaged`] when something is not what was written.
    pub fn verify(&self) -> Result<(), RetrievalError> {
        // A commit or a merge meanwhile may delete a file that was about to be read; what is
        // really damaged is so the second time.
        storage::verify(&self.index).or_else(|_| storage::verify(&self.index))
    }

    /// Ends all writing, such as a merge in the background; the next change begins it anew.
    pub fn retire_writer(&self) {
        *self.writer.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// How many passages of a file the index holds.
    ///
    /// # Errors
    /// [`RetrievalError::Storage`] when the index cannot be read.
    pub fn passage_count_of(&self, file_id: &str) -> Result<u64, RetrievalError> {
        let term = tantivy::Term::from_field_text(self.fields.file_id, file_id);
        let query = TermQuery::new(term, IndexRecordOption::Basic);
        let count = self.snapshot().searcher.search(&query, &Count);
        Ok(count.map_err(storage_error)? as u64)
    }
}

fn is_worthwhile(segment: &&SegmentMeta) -> bool {
    let (deleted, all) = (segment.num_deleted_docs(), segment.max_doc());
    deleted > 0 && (all <= SMALL_SEGMENT || deleted >= all / DELETED_SHARE)
}
