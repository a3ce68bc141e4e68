//! The passages of one collection, searchable: one tantivy index in one directory.
//!
//! Everything in it is derived and can be rebuilt, so damage is reported, never repaired. It may be
//! shared between threads: searches read an immutable snapshot, changes take turns at the writer.

mod best;
mod filter;
mod lookup;
mod nearness;
mod purge;
mod ranking;
mod schema;
mod snapshot;
mod storage;
mod typing;

use std::panic;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use tantivy::indexer::LogMergePolicy;
use tantivy::{IndexReader, IndexWriter, ReloadPolicy};

use crate::analysis::{Asked, Term};
use crate::error::RetrievalError;
use crate::passage::Passage;
use crate::query::{Hit, Query};
use crate::vectors::Vectors;
use schema::Fields;
use snapshot::Snapshot;
use storage::{Stamp, damaged, storage_error};

pub(crate) use storage::damage;

/// Memory for passages that are not yet written out; the least that tantivy accepts.
const WRITER_BYTES: usize = 15_000_000;

/// A segment is rewritten when this share of its passages is deleted. tantivy's own default never
/// does, and a collection whose files change would grow without end.
const DELETED_SHARE_BEFORE_MERGE: f32 = 0.3;

/// A search index over passages.
pub struct Index {
    index: tantivy::Index,
    fields: Fields,
    reader: IndexReader,
    snapshot: RwLock<Arc<Snapshot>>,
    /// Opened by the first change; taken down after an error, since it does not survive one.
    writer: Mutex<Option<IndexWriter>>,
    /// `None` in memory.
    directory: Option<PathBuf>,
    /// The vectors of the same passages, as far as there are any.
    vectors: RwLock<Option<Arc<Vectors>>>,
}

/// One step of [`Index::apply`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Makes these the passages of a file, instead of all it had.
    Upsert {
        /// The file.
        file_id: String,
        /// All of its passages; their `file_id` is expected to be the same.
        passages: Vec<Passage>,
    },
    /// Removes all passages of a file. A file that is not there is fine.
    Delete {
        /// The file.
        file_id: String,
    },
}

impl std::fmt::Debug for Index {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Index")
            .field("directory", &self.directory)
            .field("generation", &self.generation())
            .finish_non_exhaustive()
    }
}

impl Index {
    /// Opens the index in `directory`, creating both when missing.
    ///
    /// # Errors
    /// [`RetrievalError::Damaged`] when what lies there cannot be used or was written by another
    /// version; [`RetrievalError::Storage`] when the directory cannot be read or created.
    pub fn open(directory: &Path) -> Result<Index, RetrievalError> {
        // tantivy panics over some truncated files instead of refusing them.
        panic::catch_unwind(|| Index::open_checked(directory))
            .unwrap_or_else(|_| Err(damage("reading it failed in a way nobody foresaw")))
    }

    fn open_checked(directory: &Path) -> Result<Index, RetrievalError> {
        let (schema, fields) = schema::build();
        let index = storage::open_or_create(directory, &schema)?;
        Index::new(index, fields, Some(directory.to_owned()))
    }

    /// An index that lives and dies with the process.
    ///
    /// # Errors
    /// None in practice; the signature is that of [`Index::open`].
    pub fn in_memory() -> Result<Index, RetrievalError> {
        let (schema, fields) = schema::build();
        Index::new(tantivy::Index::create_in_ram(schema), fields, None)
    }

    fn new(
        index: tantivy::Index,
        fields: Fields,
        directory: Option<PathBuf>,
    ) -> Result<Index, RetrievalError> {
        let builder = index.reader_builder().reload_policy(ReloadPolicy::Manual);
        let reader: IndexReader = builder.try_into().map_err(damaged)?;
        let snapshot = Snapshot::new(reader.searcher(), fields, Stamp::read(&index)?)?;
        Ok(Index {
            index,
            fields,
            reader,
            snapshot: RwLock::new(Arc::new(snapshot)),
            writer: Mutex::new(None),
            directory,
            vectors: RwLock::new(None),
        })
    }

    /// The generation that the last [`Index::apply`] was given; 0 for a new index.
    pub fn generation(&self) -> u64 {
        self.snapshot().generation
    }

    /// Makes all `changes` in order, durably and at once: a search sees all of them or none, and so
    /// does a restart. Applying the same changes again changes nothing.
    ///
    /// # Errors
    /// [`RetrievalError::Busy`] when somebody else is writing to the directory,
    /// [`RetrievalError::Storage`] when writing fails. Searches then go on as before, and the call
    /// may be repeated.
    pub fn apply(&self, changes: Vec<Change>, generation: u64) -> Result<(), RetrievalError> {
        let mut slot = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = self.commit(&mut slot, changes, generation);
        if outcome.is_err() {
            *slot = None;
        }
        outcome?;
        self.reload(slot)
    }

    /// The best passages for `query`, best first. Equal scores are ordered by file and position.
    /// Empty when no word of the query occurs.
    ///
    /// # Errors
    /// [`RetrievalError::Invalid`] for a query that is too long or asks for no or too many hits.
    pub fn search(&self, query: &Query) -> Result<Vec<Hit>, RetrievalError> {
        query.check()?;
        self.snapshot().search(query)
    }

    /// How many passages the index holds.
    pub fn passage_count(&self) -> u64 {
        self.snapshot().searcher.num_docs()
    }

    /// The terms of a text, as the index compares them: one for each word, by its stem or without
    /// its particle, and the pairs of characters within words of Korean, Chinese, Japanese and Thai;
    /// and what words sound like, to be met by those of the other script. Two texts that say the same
    /// thing share many of them.
    pub fn terms(&self, text: &str) -> Vec<Term> {
        self.snapshot().terms(text)
    }

    /// The terms by which a question is searched: those of [`Index::terms`], and the ones that the
    /// passages have for its words instead.
    pub fn asked(&self, question: &str) -> Vec<Asked> {
        self.snapshot().asked(question)
    }

    /// How rare a term of [`Index::terms`] is: BM25's inverse document frequency over the text of
    /// the passages, above 0; highest for a term that does not occur.
    pub fn idf(&self, term: &str) -> f32 {
        self.snapshot().idf(term)
    }

    /// Searches by meaning go through these vectors from now on.
    pub fn attach(&self, vectors: Option<Arc<Vectors>>) {
        *self.vectors.write().unwrap_or_else(PoisonError::into_inner) = vectors;
    }

    /// The vectors that searches by meaning go through.
    pub fn vectors(&self) -> Option<Arc<Vectors>> {
        let vectors = self.vectors.read().unwrap_or_else(PoisonError::into_inner);
        vectors.clone()
    }

    /// The passage of a file that lies at `start..end`; `None` when there is none.
    pub(crate) fn passage(
        &self,
        file_id: &str,
        start: usize,
        end: usize,
    ) -> Result<Option<Passage>, RetrievalError> {
        let snapshot = self.snapshot();
        lookup::passage(&snapshot.searcher, self.fields, file_id, start, end)
    }

    /// Whether a passage holds the phrases that `query` wants and none of the words it excludes.
    pub(crate) fn allows(&self, query: &Query, passage: &Passage) -> bool {
        self.snapshot().allows(query, passage)
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        let current = self.snapshot.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current)
    }

    fn commit(
        &self,
        slot: &mut Option<IndexWriter>,
        changes: Vec<Change>,
        generation: u64,
    ) -> Result<(), RetrievalError> {
        let writer = match slot {
            Some(writer) => writer,
            None => slot.insert(self.open_writer()?),
        };
        for change in changes {
            self.stage(writer, change)?;
        }
        let mut commit = writer.prepare_commit().map_err(storage_error)?;
        commit.set_payload(&Stamp::new(generation).to_payload());
        commit.commit().map_err(storage_error)?;
        match &self.directory {
            Some(directory) => storage::sync(directory),
            None => Ok(()),
        }
    }

    fn stage(&self, writer: &IndexWriter, change: Change) -> Result<(), RetrievalError> {
        let (file_id, passages) = match change {
            Change::Upsert { file_id, passages } => (file_id, passages),
            Change::Delete { file_id } => (file_id, Vec::new()),
        };
        writer.delete_term(tantivy::Term::from_field_text(
            self.fields.file_id,
            &file_id,
        ));
        let language = schema::language_of(&passages);
        for passage in &passages {
            let document = self.fields.document(&file_id, passage, language);
            writer.add_document(document).map_err(storage_error)?;
        }
        Ok(())
    }

    fn open_writer(&self) -> Result<IndexWriter, RetrievalError> {
        let writer = self
            .index
            .writer_with_num_threads(1, WRITER_BYTES)
            .map_err(storage_error)?;
        let mut policy = LogMergePolicy::default();
        policy.set_del_docs_ratio_before_merge(DELETED_SHARE_BEFORE_MERGE);
        writer.set_merge_policy(Box::new(policy));
        // A process that was killed may have left files that it had not committed. The next
        // commit gives its own the same names, and would find them taken.
        let swept = writer.garbage_collect_files().wait();
        swept.map_err(storage_error)?;
        Ok(writer)
    }

    /// Makes the last commit visible; the guard keeps the next one from overtaking it.
    fn reload(&self, _writer: MutexGuard<'_, Option<IndexWriter>>) -> Result<(), RetrievalError> {
        self.reader.reload().map_err(storage_error)?;
        let stamp = Stamp::read(&self.index)?;
        let snapshot = Snapshot::new(self.reader.searcher(), self.fields, stamp)?;
        *self
            .snapshot
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
        Ok(())
    }
}
