//! What files under paths hashed to when they were last read, so that looking again at a
//! folder that has hardly changed does not read all of it.

use std::collections::HashMap;
use std::fs::Metadata;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use crate::store::files::Digest;
use crate::store::unpoisoned;

/// A file that changed so recently may change again without its times showing it: clocks of
/// file systems tick in up to two seconds.
const SETTLED: Duration = Duration::from_secs(3);

/// The most files that are remembered, about as many as a scan may find.
const MAX_REMEMBERED: usize = 100_000;

/// Digests by path.
#[derive(Default)]
pub(crate) struct Hashes(Mutex<HashMap<String, (Stamp, Digest)>>);

/// What shows that a file has not changed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    bytes: u64,
    modified: SystemTime,
    #[cfg(unix)]
    inode_and_change: (u64, i64, i64),
}

impl Stamp {
    /// The stamp of a file; `None` where the system does not tell when it was changed, and of
    /// a file that changed a moment ago.
    pub(crate) fn of(metadata: &Metadata) -> Option<Stamp> {
        let modified = metadata.modified().ok()?;
        if modified.elapsed().is_ok_and(|age| age < SETTLED) {
            return None;
        }
        Some(Stamp {
            bytes: metadata.len(),
            modified,
            #[cfg(unix)]
            inode_and_change: {
                use std::os::unix::fs::MetadataExt;
                (metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
            },
        })
    }

    /// The size of the file.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Hashes {
    /// The digest of the file at `path`, if it has not changed.
    pub(crate) fn get(&self, path: &str, stamp: &Stamp) -> Option<Digest> {
        let hashes = unpoisoned(&self.0);
        let (known, digest) = hashes.get(path)?;
        (known == stamp).then_some(*digest)
    }

    /// Remembers a digest.
    pub(crate) fn put(&self, path: &str, stamp: Stamp, digest: Digest) {
        let mut hashes = unpoisoned(&self.0);
        if hashes.len() >= MAX_REMEMBERED && !hashes.contains_key(path) {
            hashes.clear();
        }
        hashes.insert(path.to_string(), (stamp, digest));
    }
}
