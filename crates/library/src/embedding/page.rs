//! The vectors of some files: split, embed, and say which generation that reaches.

use std::time::{Duration, Instant};

use engine::{Embedder, EngineError, Side};
use retrieval::{VectorChange, VectorRow, Vectors};
use tracing::warn;

use super::texts::texts_to_embed;
use crate::LibraryError;
use crate::ingest::prepare;
use crate::library::Core;
use crate::store::collections::IndexState;
use crate::store::documents;
use crate::store::jobs::{self, Job};

/// Files that are looked up for a page. No generation completes as many, so that one is always
/// among them whole.
const READ_AHEAD: usize = 128;

/// A page ends when it has so many vectors or took so long: a crash costs no more, and a file is
/// soon found by its meaning.
const PAGE_ROWS: usize = 512;
const PAGE_TIME: Duration = Duration::from_secs(10);

/// Texts that are embedded in one call. They are sorted by length there, so that fewer would
/// waste time on padding.
const TEXTS: usize = 64;

/// What a page came to.
pub(super) struct Page {
    pub(super) changes: Vec<VectorChange>,
    /// The generation that the collection's vectors reach with it.
    pub(super) generation: u64,
    /// Every passage has its vector then.
    pub(super) is_last: bool,
}

/// Embeds the next files that have no vectors yet. `state` is older than this call, so that what
/// changes meanwhile belongs to a later generation.
pub(super) fn embed(
    core: &Core,
    embedder: &dyn Embedder,
    collection_id: &str,
    vectors: &Vectors,
    state: &IndexState,
) -> Result<Page, LibraryError> {
    let reached = vectors.generation();
    let jobs = core
        .store
        .read(|connection| jobs::completed_since(connection, collection_id, reached, READ_AHEAD))?;
    let read_all = jobs.len() < READ_AHEAD;
    // Unless everything was read, the last generation may go on behind what was read.
    let last = jobs
        .last()
        .map_or(state.generation, |job| job.generation - 1);
    let mut missing = jobs
        .into_iter()
        .filter(|job| !vectors.has_file(&job.file_id));
    let started = Instant::now();
    let (mut changes, mut rows) = (Vec::new(), 0);
    loop {
        let group = Group::read(core, embedder, &mut missing)?;
        if group.files.is_empty() {
            return Ok(Page {
                changes,
                generation: if read_all { state.generation } else { last },
                is_last: read_all,
            });
        }
        rows += group.texts.len();
        changes.extend(group.embed(embedder)?);
        let is_full = rows >= PAGE_ROWS || started.elapsed() >= PAGE_TIME;
        if is_full || core.signal.is_stopping() {
            return Ok(Page {
                changes,
                generation: reached,
                is_last: false,
            });
        }
    }
}

/// Files whose passages are embedded together.
#[derive(Default)]
struct Group {
    files: Vec<GroupFile>,
    texts: Vec<String>,
}

struct GroupFile {
    job: Job,
    /// The span of the passage that each of the file's texts stands for.
    spans: Vec<(usize, usize)>,
}

impl Group {
    /// Takes files until there are enough texts.
    fn read(
        core: &Core,
        embedder: &dyn Embedder,
        jobs: &mut dyn Iterator<Item = Job>,
    ) -> Result<Group, LibraryError> {
        let mut group = Group::default();
        while group.texts.len() < TEXTS {
            let Some(job) = jobs.next() else { break };
            let document = core
                .store
                .read(|connection| documents::get(connection, &job.file_id))?;
            // As in the index, what cannot be split leaves nothing to search.
            let passages = document.map(|document| prepare::split(core, &job, &document));
            let mut spans = Vec::new();
            for passage in passages.and_then(Result::ok).unwrap_or_default() {
                let texts = texts_to_embed(&passage, embedder);
                spans.extend(texts.iter().map(|_| (passage.start, passage.end)));
                group.texts.extend(texts);
            }
            group.files.push(GroupFile { job, spans });
        }
        Ok(group)
    }

    /// The vectors of all files. A file that the model fails on gets none, and the others theirs.
    fn embed(self, embedder: &dyn Embedder) -> Result<Vec<VectorChange>, LibraryError> {
        let texts: Vec<&str> = self.texts.iter().map(String::as_str).collect();
        let mut rest = match embedder.embed(&texts, Side::Passage) {
            Ok(vectors) => vectors,
            Err(error @ (EngineError::Busy { .. } | EngineError::ShuttingDown)) => {
                return Err(error.into());
            }
            Err(_) => self.embed_apart(embedder, &texts)?,
        };
        let mut changes = Vec::with_capacity(self.files.len());
        for file in self.files {
            let later = rest.split_off(file.spans.len());
            let rows = file.spans.into_iter().zip(rest);
            // A vector of no numbers stands for one that could not be made.
            let rows = rows.filter(|(_, vector)| !vector.is_empty());
            let rows = rows.map(|((start, end), vector)| VectorRow { start, end, vector });
            changes.push(VectorChange::Upsert {
                file_id: file.job.file_id,
                rows: rows.collect(),
            });
            rest = later;
        }
        Ok(changes)
    }

    fn embed_apart(
        &self,
        embedder: &dyn Embedder,
        texts: &[&str],
    ) -> Result<Vec<Vec<f32>>, LibraryError> {
        let mut vectors = Vec::with_capacity(texts.len());
        let mut rest = texts;
        for file in &self.files {
            let (own, later) = rest.split_at(file.spans.len());
            match embedder.embed(own, Side::Passage) {
                Ok(own) => vectors.extend(own),
                Err(error @ (EngineError::Busy { .. } | EngineError::ShuttingDown)) => {
                    return Err(error.into());
                }
                Err(error) => {
                    let file = &file.job.filename;
                    warn!(file, %error, "cannot embed; the file is found by its words alone");
                    vectors.extend(own.iter().map(|_| Vec::new()));
                }
            }
            rest = later;
        }
        Ok(vectors)
    }
}
