//! From a file to passages: read, extract, split. Nothing here changes the library.

use std::io::{self, Read as _};
use std::iter::Enumerate;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use std::{fs, thread, vec};

use retrieval::{Passage, PassageSettings};

use super::{BATCH_BYTES, BATCH_TIME};
use crate::library::Core;
use crate::store::contents;
use crate::store::documents;
use crate::store::jobs::Job;
use crate::store::unpoisoned;
use crate::{Document, ErrorCode, LastError, LibraryError};

/// What reading some files came to.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) prepared: Vec<Prepared>,
    /// Texts the database does not have yet.
    pub(super) extracted: Vec<Extracted>,
}

/// A file that is ready to be settled.
pub(super) struct Prepared {
    pub(super) job: Job,
    pub(super) outcome: Result<Vec<Passage>, LastError>,
}

/// The text of a file that was read for the first time.
pub(super) struct Extracted {
    pub(super) file_id: String,
    pub(super) document: Document,
    /// The bytes of a file under a path, which the library takes over with its text.
    pub(super) content: Option<Vec<u8>>,
}

/// Reads files, as many at a time as there are cores, until the batch is large enough, has
/// taken long enough, or the library is closing.
pub(super) fn batch(core: &Core, jobs: Vec<Job>) -> Result<Batch, LibraryError> {
    let readers = core.extractor.parallelism().min(jobs.len());
    let desk = Desk {
        started: Instant::now(),
        jobs: Mutex::new(jobs.into_iter().enumerate()),
        bytes: AtomicU64::new(0),
        read: Mutex::new(Vec::new()),
    };
    thread::scope(|scope| {
        for _ in 0..readers {
            scope.spawn(|| desk.work(core));
        }
    });
    desk.clear()
}

/// Where the readers of a batch take files from, and put what they made of them.
struct Desk {
    started: Instant,
    jobs: Mutex<Enumerate<vec::IntoIter<Job>>>,
    /// About how much memory what was read takes.
    bytes: AtomicU64,
    /// With each file's place among the jobs, since they finish in any order.
    read: Mutex<Vec<(usize, Result<Read, LibraryError>)>>,
}

/// One file of a batch.
struct Read {
    prepared: Prepared,
    extracted: Option<Extracted>,
}

impl Desk {
    /// Reads one file after another.
    fn work(&self, core: &Core) {
        while !core.signal.is_stopping()
            && self.bytes.load(Ordering::Relaxed) < BATCH_BYTES
            && self.started.elapsed() < BATCH_TIME
        {
            let Some((place, job)) = unpoisoned(&self.jobs).next() else {
                return;
            };
            core.signal.reading(&job.filename);
            let result = prepare(core, job);
            core.signal.read();
            let bytes = result.as_ref().map_or(0, Read::bytes);
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
            unpoisoned(&self.read).push((place, result));
        }
    }

    /// What was read, in the order of the jobs.
    fn clear(self) -> Result<Batch, LibraryError> {
        let mut read = self
            .read
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        read.sort_unstable_by_key(|(place, _)| *place);
        let mut batch = Batch::default();
        for (_, result) in read {
            let Read {
                prepared,
                extracted,
            } = result?;
            batch.prepared.push(prepared);
            batch.extracted.extend(extracted);
        }
        Ok(batch)
    }
}

impl Read {
    /// About how many bytes it takes in memory.
    fn bytes(&self) -> u64 {
        let passages = self.prepared.outcome.iter().flatten();
        let passages: usize = passages.map(|passage| passage.text.len()).sum();
        let extracted = self.extracted.as_ref().map_or(0, |extracted| {
            extracted.document.text.len() + extracted.content.as_ref().map_or(0, Vec::len)
        });
        (passages + extracted) as u64
    }
}

fn prepare(core: &Core, job: Job) -> Result<Read, LibraryError> {
    let stored = core
        .store
        .read(|connection| documents::get(connection, &job.file_id))?;
    let (document, content) = match stored {
        Some(document) => (document, None),
        None => match read_and_extract(core, &job)? {
            Ok((document, content)) => (document, Some(content)),
            Err(error) => {
                let outcome = Err(error);
                return Ok(Read {
                    prepared: Prepared { job, outcome },
                    extracted: None,
                });
            }
        },
    };
    let outcome = split(core, &job, &document);
    let extracted = content.map(|content| Extracted {
        file_id: job.file_id.clone(),
        document,
        content: content.into_new(),
    });
    Ok(Read {
        prepared: Prepared { job, outcome },
        extracted,
    })
}

/// Cuts a document into passages.
pub(crate) fn split(
    core: &Core,
    job: &Job,
    document: &Document,
) -> Result<Vec<Passage>, LastError> {
    let count_tokens = &*core.count_tokens;
    let settings = PassageSettings {
        max_tokens: core.settings.passage_tokens,
        overlap_tokens: core.settings.passage_overlap_tokens,
        count_tokens: &|text| count_tokens(text),
    };
    let source = document.as_source(&job.file_id, &job.filename);
    without_panic(|| retrieval::split(&source, &settings))
}

/// The bytes of a file.
enum Content {
    /// They were in the library.
    Stored(Vec<u8>),
    /// They were read from a path.
    New(Vec<u8>),
}

impl Content {
    fn bytes(&self) -> &[u8] {
        match self {
            Content::Stored(bytes) | Content::New(bytes) => bytes,
        }
    }

    fn into_new(self) -> Option<Vec<u8>> {
        match self {
            Content::Stored(_) => None,
            Content::New(bytes) => Some(bytes),
        }
    }
}

/// The outer error is the library's, the inner one the file's.
type Attempt<T> = Result<Result<T, LastError>, LibraryError>;

fn read_and_extract(core: &Core, job: &Job) -> Attempt<(Document, Content)> {
    let content = match read(core, job)? {
        Ok(content) => content,
        Err(error) => return Ok(Err(error)),
    };
    let extracted = without_panic(|| core.extractor.extract(&job.filename, content.bytes()));
    Ok(match extracted {
        Ok(Ok(extracted)) => {
            let document = Document::from_extracted(&job.filename, extracted);
            Ok((document, content))
        }
        Ok(Err(error)) => Err(LastError {
            code: ErrorCode::parse(error.code()),
            message: error.to_string(),
        }),
        Err(error) => Err(error),
    })
}

fn read(core: &Core, job: &Job) -> Attempt<Content> {
    let stored = core
        .store
        .read(|connection| contents::whole(connection, &job.file_id))?;
    if let Some(bytes) = stored {
        return Ok(Ok(Content::Stored(bytes)));
    }
    let path = Path::new(job.source.as_deref().unwrap_or_default());
    Ok(read_path(path, core.settings.max_file_bytes).map(Content::New))
}

fn read_path(path: &Path, max_bytes: u64) -> Result<Vec<u8>, LastError> {
    let invalid = |message| LastError {
        code: ErrorCode::InvalidFile,
        message,
    };
    let read = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        // The file may have grown since it was found.
        fs::File::open(path)?
            .take(max_bytes + 1)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|error| invalid(format!("cannot read the file: {error}")))?;
    if bytes.len() as u64 > max_bytes {
        let message = format!("the file has more than the allowed {max_bytes} bytes");
        return Err(invalid(message));
    }
    Ok(bytes)
}

/// Runs what reads foreign content. A panic there is our mistake, and costs that file only.
fn without_panic<T>(work: impl FnOnce() -> T) -> Result<T, LastError> {
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(|_| LastError {
        code: ErrorCode::ServerError,
        message: "reading this file failed because of a mistake in the server".into(),
    })
}
