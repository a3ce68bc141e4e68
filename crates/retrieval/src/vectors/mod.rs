//! The vectors of the passages of one collection: what a search by meaning goes through.
//!
//! A search computes the product with every vector, in 8 bits, and the best again exactly: no
//! vector can be missed, a deleted file is gone at once, and a filter is exact. Like the index,
//! all of it is derived; damage is reported, never repaired.

mod dot;
mod manifest;
mod merge;
mod nearest;
mod segment;
mod snapshot;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tantivy::Directory;
use tantivy::directory::{MmapDirectory, RamDirectory, TerminatingWrite};

use crate::error::RetrievalError;
use manifest::{Listed, Manifest};
use segment::Segment;
use snapshot::{Part, Snapshot};

pub use manifest::Origin;
pub use nearest::{Nearest, Neighbour};
pub use segment::VectorRow;

/// The vectors of one collection. They may be shared between threads: searches read an immutable
/// snapshot, changes take turns.
pub struct Vectors {
    directory: Box<dyn Directory>,
    path: Option<PathBuf>,
    snapshot: RwLock<Arc<Snapshot>>,
    writing: Mutex<()>,
}

/// One step of [`Vectors::apply`].
#[derive(Debug, Clone, PartialEq)]
pub enum VectorChange {
    /// Makes these the vectors of a file, instead of all it had.
    Upsert {
        /// The file.
        file_id: String,
        /// All of its vectors.
        rows: Vec<VectorRow>,
    },
    /// Removes all vectors of a file. A file that is not there is fine.
    Delete {
        /// The file.
        file_id: String,
    },
}

impl std::fmt::Debug for Vectors {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Vectors")
            .field("path", &self.path)
            .field("generation", &self.generation())
            .finish_non_exhaustive()
    }
}

impl Vectors {
    /// Opens the vectors in `directory`; `None` when none lie there.
    ///
    /// # Errors
    /// [`RetrievalError::Damaged`] when what lies there cannot be used,
    /// [`RetrievalError::Storage`] when it cannot be read.
    pub fn open(directory: &Path) -> Result<Option<Vectors>, RetrievalError> {
        if !directory.is_dir() {
            return Ok(None);
        }
        let mmap = mmap(directory)?;
        let Some(manifest) = Manifest::read(&*mmap)? else {
            return Ok(None);
        };
        let snapshot = Snapshot::open(&*mmap, manifest)?;
        let vectors = Vectors::with(mmap, Some(directory.to_owned()), snapshot);
        vectors.delete_strays();
        Ok(Some(vectors))
    }

    /// Begins without vectors in `directory`, which is created when missing and must hold nothing
    /// else.
    ///
    /// # Errors
    /// [`RetrievalError::Storage`] when the directory cannot be created or written.
    pub fn create(directory: &Path, origin: Origin) -> Result<Vectors, RetrievalError> {
        std::fs::create_dir_all(directory)
            .map_err(|error| RetrievalError::Storage(Box::new(error)))?;
        let mmap = mmap(directory)?;
        let manifest = Manifest::new(origin);
        manifest.write(&*mmap)?;
        let snapshot = Snapshot::open(&*mmap, manifest)?;
        Ok(Vectors::with(mmap, Some(directory.to_owned()), snapshot))
    }

    /// Vectors that live and die with the process.
    pub fn in_memory(origin: Origin) -> Vectors {
        let snapshot = Snapshot {
            manifest: Manifest::new(origin),
            segments: Vec::new(),
        };
        Vectors::with(Box::new(RamDirectory::create()), None, snapshot)
    }

    fn with(directory: Box<dyn Directory>, path: Option<PathBuf>, snapshot: Snapshot) -> Vectors {
        Vectors {
            directory,
            path,
            snapshot: RwLock::new(Arc::new(snapshot)),
            writing: Mutex::new(()),
        }
    }

    /// What the vectors are made by.
    pub fn origin(&self) -> Origin {
        self.snapshot().manifest.origin.clone()
    }

    /// The generation that the last [`Vectors::apply`] was given; 0 at first.
    pub fn generation(&self) -> u64 {
        self.snapshot().manifest.generation
    }

    /// Every passage had a vector once, so that a search finds what it should.
    pub fn is_complete(&self) -> bool {
        self.snapshot().manifest.complete
    }

    /// How many vectors there are.
    pub fn count(&self) -> usize {
        let snapshot = self.snapshot();
        let rows = snapshot.living().map(|(_, file)| file.rows.len());
        rows.sum()
    }

    /// How many files have their vectors here.
    pub fn file_count(&self) -> usize {
        self.snapshot().living().count()
    }

    /// Whether the file's vectors are here.
    pub fn has_file(&self, file_id: &str) -> bool {
        self.snapshot().find(file_id).is_some()
    }

    /// The files whose vectors are here, in no order.
    pub fn file_ids(&self) -> Vec<String> {
        let snapshot = self.snapshot();
        let ids = snapshot.living().map(|(_, file)| file.file_id.clone());
        ids.collect()
    }

    /// Makes all `changes` in order, durably and at once. `complete` says that every passage of
    /// the collection has its vector now; once said, it stays.
    ///
    /// # Errors
    /// [`RetrievalError::Invalid`] for vectors of different lengths, [`RetrievalError::Storage`]
    /// when writing fails. Searches then go on as before, and the call may be repeated.
    pub fn apply(
        &self,
        changes: Vec<VectorChange>,
        generation: u64,
        complete: bool,
    ) -> Result<(), RetrievalError> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.snapshot();
        let mut next = merge::after(&before.segments, changes, |files| self.add(files))?;
        next.sort_by_key(|part| part.number);
        let manifest = Manifest {
            generation,
            complete: before.manifest.complete || complete,
            segments: next.iter().map(Part::listed).collect(),
            ..before.manifest.clone()
        };
        manifest.write(&*self.directory)?;
        let snapshot = Snapshot {
            manifest,
            segments: next,
        };
        *self
            .snapshot
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
        self.delete_unused(&before);
        Ok(())
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        let current = self.snapshot.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current)
    }

    /// Writes a segment of these files, which are in the order of their ids.
    fn add(&self, files: Vec<(String, Vec<VectorRow>)>) -> Result<Part, RetrievalError> {
        let snapshot = self.snapshot();
        let dimensions = dimensions(&snapshot.manifest, &files)?;
        // A file that could not be deleted keeps its number.
        let mut number = snapshot.segments.iter().map(|part| part.number).max();
        let name = loop {
            let next = number.map_or(0, |number| number + 1);
            number = Some(next);
            let name = Listed {
                number: next,
                dead: Vec::new(),
            }
            .file();
            if !self.exists(&name)? {
                break name;
            }
        };
        let path = Path::new(&name);
        let storage = |error: std::io::Error| RetrievalError::Storage(Box::new(error));
        let mut file = self
            .directory
            .open_write(path)
            .map_err(|error| RetrievalError::Storage(Box::new(error)))?;
        file.write_all(&Segment::write(dimensions, &files))
            .and_then(|()| file.terminate())
            .map_err(storage)?;
        let listed = Listed {
            number: number.unwrap_or_default(),
            dead: Vec::new(),
        };
        Part::open(&*self.directory, &listed)
    }

    fn exists(&self, name: &str) -> Result<bool, RetrievalError> {
        let exists = self.directory.exists(Path::new(name));
        exists.map_err(|error| RetrievalError::Storage(Box::new(error)))
    }

    /// Deletes the files of the segments that a change left without use. What cannot be deleted
    /// now goes at the next opening.
    fn delete_unused(&self, before: &Snapshot) {
        let now = self.snapshot();
        let in_use = |part: &&Part| now.segments.iter().any(|kept| kept.number == part.number);
        for part in before.segments.iter().filter(|part| !in_use(part)) {
            let _ = self.directory.delete(Path::new(&part.listed().file()));
        }
    }

    /// Deletes the files of segments that a crash left without use. What cannot be deleted now goes at the
    /// next opening.
    fn delete_strays(&self) {
        let Some(entries) = self.path.as_deref().map(std::fs::read_dir) else {
            return;
        };
        let snapshot = self.snapshot();
        let in_use: Vec<_> = snapshot
            .manifest
            .segments
            .iter()
            .map(Listed::file)
            .collect();
        for entry in entries.into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with(".vectors") && !in_use.contains(&name) {
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }
}

fn mmap(directory: &Path) -> Result<Box<dyn Directory>, RetrievalError> {
    let opened = MmapDirectory::open(directory);
    match opened {
        Ok(mmap) => Ok(Box::new(mmap)),
        Err(error) => Err(RetrievalError::Storage(Box::new(error))),
    }
}

/// The length of all vectors, which the origin's probe has too.
fn dimensions(
    manifest: &Manifest,
    files: &[(String, Vec<VectorRow>)],
) -> Result<usize, RetrievalError> {
    let dimensions = manifest.origin.probe.len();
    let mut rows = files.iter().flat_map(|(_, rows)| rows);
    match rows.find(|row| row.vector.len() != dimensions || row.end > u32::MAX as usize) {
        None => Ok(dimensions),
        Some(row) => Err(RetrievalError::Invalid {
            parameter: "vector",
            reason: format!("{} numbers, not {dimensions}", row.vector.len()),
        }),
    }
}
