//! Answers that were given, kept for as long as the configuration says.

use crate::store::answers;
use crate::{Library, LibraryError, Listing, Page};

/// An answer to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAnswer {
    /// Its id, never used before.
    pub id: String,
    /// JSON: how it came about, with hashes of what was said and read, and nothing more of it.
    pub receipt: String,
    /// JSON: what was asked and answered.
    pub content: String,
    /// The ids of the files it rests on.
    pub sources: Vec<String>,
}

/// An answer that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAnswer {
    /// Its id.
    pub id: String,
    /// When it was given, in seconds since 1970.
    pub created_at: i64,
    /// JSON: how it came about.
    pub receipt: String,
    /// JSON: what was asked and answered; `None` once a file that it rests on was deleted.
    pub content: Option<String>,
    /// The files it rests on that no collection serves any more: they were replaced, detached or
    /// deleted.
    pub stale: Vec<String>,
}

/// For how long answers are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Days, after which an answer is deleted.
    pub days: u32,
    /// The most answers; the oldest go first.
    pub most: u32,
}

impl Library {
    /// Keeps an answer, and lets go of those that are due. When this returns, it survives a
    /// power failure.
    pub fn keep_answer(&self, answer: &NewAnswer, keep: Retention) -> Result<(), LibraryError> {
        self.core.store.write(|connection| {
            answers::insert(connection, answer)?;
            answers::expire(connection, keep)?;
            Ok(())
        })
    }

    /// Lets go of the answers that are due.
    pub fn expire_answers(&self, keep: Retention) -> Result<usize, LibraryError> {
        let expired = self
            .core
            .store
            .delete(|connection| answers::expire(connection, keep))?;
        // For the ingest thread to give the space back.
        self.core.signal.work_arrived();
        Ok(expired)
    }

    /// The answer with that id.
    pub fn answer(&self, id: &str) -> Result<Option<KeptAnswer>, LibraryError> {
        self.core
            .store
            .read(|connection| answers::get(connection, id))
    }

    /// The answers that are kept, page by page; all, or only those of which a source is gone.
    ///
    /// # Errors
    ///
    /// [`LibraryError::Invalid`] when the page begins behind an answer that is not kept.
    pub fn answers(
        &self,
        stale_only: bool,
        page: &Page,
    ) -> Result<Listing<KeptAnswer>, LibraryError> {
        self.core
            .store
            .read(|connection| answers::list(connection, stale_only, page))
    }

    /// Deletes an answer. `false` when there is none with that id.
    pub fn delete_answer(&self, id: &str) -> Result<bool, LibraryError> {
        let deleted = self
            .core
            .store
            .delete(|connection| answers::delete(connection, id))?;
        self.core.signal.work_arrived();
        Ok(deleted)
    }
}
