//! Making the files of a collection that came from paths equal to what is under those paths.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use sha2::{Digest as _, Sha256};

use crate::file::clean_filename;
use crate::hashes::{Hashes, Stamp};
use crate::library::Core;
use crate::removal::Removed;
use crate::scan::{Problem, Scan, SourceContent, SourceFile};
use crate::store::collections;
use crate::store::contents;
use crate::store::files::{self, Digest, Record};
use crate::store::members::{self, Member};
use crate::store::memberships;
use crate::{Attributes, Library, LibraryError, Status};

/// What is said of the purpose of files that nobody uploaded.
const PURPOSE: &str = "user_data";

/// What [`Library::sync`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncReport {
    /// Files that are new.
    pub added: usize,
    /// Files whose content or name is new.
    pub changed: usize,
    /// Files that are gone.
    pub removed: usize,
    /// Files that are as they were.
    pub unchanged: usize,
    /// Files with the name and the content of another one, which stands for them.
    pub duplicates: usize,
    /// What could not be read, with the problems of the scan. What the collection holds of
    /// such a file or folder is kept.
    pub problems: Vec<Problem>,
}

impl Library {
    /// Makes the files of the collection that have a source equal to those of `scan`; files
    /// that were uploaded are not touched.
    ///
    /// What is new or changed is recorded when this returns, and read by the ingest thread:
    /// until then searches find the old content. Files that failed are tried again. Files
    /// under a path come into the library when they are read; until then only their names
    /// are kept.
    ///
    /// # Errors
    ///
    /// [`LibraryError::NotFound`] for an unknown collection, [`LibraryError::Invalid`] for a
    /// bad file name, [`LibraryError::StorageFull`].
    pub fn sync(&self, collection: &str, scan: &Scan) -> Result<SyncReport, LibraryError> {
        let core = &self.core;
        let mut report = SyncReport {
            problems: scan.problems.clone(),
            ..SyncReport::default()
        };
        let found = hash_all(core, &scan.files, &mut report.problems)?;
        let changing = core.indexes.lock_changes();
        let removed = core.store.write(|connection| {
            let collection_id = collections::require(connection, collection)?;
            let members = members::with_source(connection, &collection_id)?;
            let uploads = members::names_of_uploads(connection, &collection_id)?;
            let plan = plan(&found, &members, uploads, &mut report);
            record(core, connection, collection_id, &plan)
        })?;
        if let Some(removed) = &removed {
            core.forget(removed, &changing);
        }
        drop(changing);
        core.signal.work_arrived();
        Ok(report)
    }
}

/// A file of the scan with what identifies its content.
struct Found<'a> {
    file: &'a SourceFile,
    filename: String,
    bytes: u64,
    sha256: Digest,
}

/// What has to change.
struct Plan<'a> {
    add: Vec<&'a Found<'a>>,
    /// What lies under another name now; it is searchable until that name is.
    moved: Vec<(&'a Member, &'a Found<'a>)>,
    retry: Vec<&'a Member>,
    remove: Vec<&'a Member>,
}

fn hash_all<'a>(
    core: &Core,
    files: &'a [SourceFile],
    problems: &mut Vec<Problem>,
) -> Result<Vec<Found<'a>>, LibraryError> {
    let max_bytes = core.settings.max_file_bytes;
    let mut found = Vec::with_capacity(files.len());
    for file in files {
        let filename = clean_filename(&file.filename)?;
        let reason = match hash(&core.hashes, file) {
            Ok((bytes, sha256)) if bytes <= max_bytes => {
                found.push(Found {
                    file,
                    filename,
                    bytes,
                    sha256,
                });
                continue;
            }
            Ok(_) => format!("it has more than the allowed {max_bytes} bytes"),
            Err(error) => format!("it cannot be read: {error}"),
        };
        problems.push(Problem {
            path: PathBuf::from(&file.source),
            reason,
        });
    }
    Ok(found)
}

/// The size and the digest of a file, read piece by piece unless it looks as it did.
fn hash(hashes: &Hashes, file: &SourceFile) -> io::Result<(u64, Digest)> {
    if let SourceContent::Bytes(bytes) = &file.content {
        return Ok((bytes.len() as u64, Sha256::digest(bytes).into()));
    }
    let mut opened = fs::File::open(&file.source)?;
    let stamp = Stamp::of(&opened.metadata()?);
    if let Some(stamp) = &stamp
        && let Some(digest) = hashes.get(&file.source, stamp)
    {
        return Ok((stamp.bytes(), digest));
    }
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    let mut size = 0;
    loop {
        let read = opened.read(&mut buffer)?;
        if read == 0 {
            let digest = hasher.finalize().into();
            if let Some(stamp) = stamp.filter(|stamp| stamp.bytes() == size) {
                hashes.put(&file.source, stamp, digest);
            }
            return Ok((size, digest));
        }
        hasher.update(&buffer[..read]);
        size += read as u64;
    }
}

/// Compares what was found with what the collection has, and counts it in the report.
fn plan<'a>(
    found: &'a [Found<'a>],
    members: &'a [Member],
    uploads: HashSet<(String, Digest)>,
    report: &mut SyncReport,
) -> Plan<'a> {
    // Members are in the order they were added; of several of one source the last stands.
    let latest: HashMap<&str, &Member> = members
        .iter()
        .map(|member| (member.source.as_str(), member))
        .collect();
    let member = |found: &Found| latest.get(found.file.source.as_str()).copied();
    let name = |found: &Found| (found.filename.clone(), found.sha256);

    let (unchanged, others): (Vec<&Found>, Vec<&Found>) = found.iter().partition(|found| {
        member(found).is_some_and(|member| (member.filename.clone(), member.sha256) == name(found))
    });
    let mut taken = uploads;
    taken.extend(unchanged.iter().map(|found| name(found)));
    let mut add = others.clone();
    add.retain(|found| taken.insert(name(found)));

    let wanted: HashSet<&str> = unchanged
        .iter()
        .chain(&add)
        .map(|found| found.file.source.as_str())
        .collect();
    let is_unreadable = |source: &str| {
        let mut problems = report.problems.iter();
        problems.any(|problem| Path::new(source).starts_with(&problem.path))
    };
    let is_gone = |member: &&Member| {
        !wanted.contains(member.source.as_str()) && !is_unreadable(&member.source)
    };
    let gone: Vec<&Member> = members.iter().filter(is_gone).collect();
    let (moved, remove) = split_moved(gone, &add);

    report.unchanged = unchanged.len();
    report.duplicates = others.len() - add.len();
    report.changed = add.iter().filter(|found| member(found).is_some()).count();
    report.added = add.len() - report.changed;
    report.removed = remove.len() + moved.len();
    let mut retry: Vec<&Member> = unchanged.into_iter().filter_map(member).collect();
    retry.retain(|member| member.status == Status::Failed);
    Plan {
        add,
        moved,
        retry,
        remove,
    }
}

/// Of the members that are gone, those whose content was found as a new file, with that file.
fn split_moved<'a>(
    gone: Vec<&'a Member>,
    add: &[&'a Found<'a>],
) -> (Vec<(&'a Member, &'a Found<'a>)>, Vec<&'a Member>) {
    let mut by_content: HashMap<Digest, &Found> =
        add.iter().map(|found| (found.sha256, *found)).collect();
    let (mut moved, mut remove) = (Vec::new(), Vec::new());
    for member in gone {
        match by_content.remove(&member.sha256) {
            Some(found) => moved.push((member, found)),
            None => remove.push(member),
        }
    }
    (moved, remove)
}

/// Records the plan. One transaction holds all of it, so that a folder of many files costs
/// one sync of the disk.
fn record(
    core: &Core,
    connection: &Connection,
    collection_id: String,
    plan: &Plan,
) -> Result<Option<Removed>, LibraryError> {
    for (member, found) in &plan.moved {
        // As an older file of the same source it goes when its successor is searchable.
        files::set_source(connection, &member.file_id, &found.file.source)?;
    }
    let attributes = Attributes::default();
    for found in &plan.add {
        let record = Record {
            filename: &found.filename,
            purpose: PURPOSE,
            bytes: found.bytes,
            sha256: found.sha256,
            source: Some(&found.file.source),
        };
        let file = files::insert(connection, &record)?;
        if let SourceContent::Bytes(bytes) = &found.file.content {
            contents::put(connection, &file.id, &mut &**bytes)?;
        }
        memberships::put(connection, &collection_id, &file.id, &attributes)?;
    }
    for member in &plan.retry {
        memberships::retry(connection, &collection_id, &member.file_id)?;
    }
    if !plan.add.is_empty() {
        collections::touch(connection, &collection_id)?;
    }
    if plan.remove.is_empty() {
        return Ok(None);
    }
    let file_ids: Vec<String> = plan
        .remove
        .iter()
        .map(|member| member.file_id.clone())
        .collect();
    let removed = core.remove_members(connection, collection_id, file_ids.clone())?;
    files::delete_orphans(connection, &file_ids)?;
    Ok(Some(removed))
}
